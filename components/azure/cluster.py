"""The AKS cluster. Everything that would replace it later is decided here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pulumi
from pulumi_azure_native import containerservice as aks

from components.outputs import once_made
from stacks.schema.azure import AzureSettings
from stacks.schema.pools import SystemPool

SYSTEM_TAINT = "CriticalAddonsOnly=true:NoSchedule"
"""AKS's own pods tolerate it, ours do not."""


class Upgrades(NamedTuple):
    """What AKS upgrades by itself."""

    upgrade_channel: aks.UpgradeChannel
    node_os_upgrade_channel: aks.NodeOSUpgradeChannel


UPGRADES = Upgrades(aks.UpgradeChannel.NONE, aks.NodeOSUpgradeChannel.NONE)
"""Nothing. The default for nodes is NodeImage, which reimages every node weekly."""


def graceful_termination(grace_seconds: int) -> str:
    """`maxGracefulTerminationSec`: how long the autoscaler lets the pods of a node that it takes away live."""
    return str(grace_seconds)


def autoscaler_profile(grace_seconds: int) -> aks.ManagedClusterPropertiesAutoScalerProfileArgs:
    """The autoscaler's settings, cluster-wide (all strings but the three booleans, as AKS wants them).

    `grace_seconds` is the longest grace that a session needs of any pod.

    `max_graceful_termination_sec` is 600 by default and cuts every longer grace when a node is scaled in; no maximum
    is documented. `skip_nodes_with_local_storage` is "false" on AKS by default. Eviction of DaemonSets from a node
    in use would take the GPU plugin away under a running inference server.
    """
    return aks.ManagedClusterPropertiesAutoScalerProfileArgs(
        max_graceful_termination_sec=graceful_termination(grace_seconds),
        skip_nodes_with_local_storage="true",
        skip_nodes_with_system_pods="true",
        daemonset_eviction_for_empty_nodes=False,
        daemonset_eviction_for_occupied_nodes=False,
        ignore_daemonsets_utilization=True,
        scale_down_delay_after_add="10m",
        scale_down_unneeded_time="10m",
        scale_down_unready_time="20m",
        scale_down_utilization_threshold="0.5",
    )


def network_profile(azure: AzureSettings) -> aks.ContainerServiceNetworkProfileArgs:
    """CNI overlay with Cilium data plane and policy; nearly every field here replaces the cluster when it changes."""
    return aks.ContainerServiceNetworkProfileArgs(
        network_plugin=aks.NetworkPlugin.AZURE,
        network_plugin_mode=aks.NetworkPluginMode.OVERLAY,
        network_dataplane=aks.NetworkDataplane.CILIUM,
        network_policy=aks.NetworkPolicy.CILIUM,
        pod_cidr=azure.network.pod_cidr,
        service_cidr=azure.network.service_cidr,
        dns_service_ip=azure.network.dns_service_ip,
        outbound_type=aks.OutboundType.LOAD_BALANCER,
        load_balancer_sku=aks.LoadBalancerSku.STANDARD,
        load_balancer_profile=aks.ManagedClusterLoadBalancerProfileArgs(
            idle_timeout_in_minutes=azure.network.outbound_idle_minutes,
            managed_outbound_ips=aks.ManagedClusterLoadBalancerProfileManagedOutboundIPsArgs(count=1),
        ),
    )


def system_pool(pool: SystemPool, subnet_id: pulumi.Input[str]) -> aks.ManagedClusterAgentPoolProfileArgs:
    """The inline pool of the cluster's own pods; no pod of ours tolerates its taint.

    Its version is the cluster's when it is made. It is not said: AKS takes a newer version of the control plane only
    from a request that names the version of no pool or of every pool, and the others are no part of this one.
    """
    return aks.ManagedClusterAgentPoolProfileArgs(
        name="system",
        mode=aks.AgentPoolMode.SYSTEM,
        type=aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
        os_type=aks.OSType.LINUX,
        os_sku=aks.OSSKU.UBUNTU,
        vm_size=pool.vm_size,
        os_disk_type=pool.os_disk_type.value,
        os_disk_size_gb=pool.os_disk_size_gb,
        max_pods=pool.max_pods,
        availability_zones=list(pool.zones),
        enable_auto_scaling=True,
        count=pool.min_count,
        min_count=pool.min_count,
        max_count=pool.max_count,
        node_taints=[SYSTEM_TAINT],
        vnet_subnet_id=subnet_id,
    )


@dataclass(frozen=True)
class ClusterArgs:
    """What the cluster needs."""

    resource_group: pulumi.Output[str]
    azure: AzureSettings
    system: SystemPool
    identity_id: pulumi.Output[str]
    node_subnet_id: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]
    """The roles of the identity."""
    grace_seconds: int
    """The longest grace that a session needs of any pod."""
    protect: bool


class Cluster(pulumi.ComponentResource):
    """The cluster with its system pool. Not here: the other pools (`node_pool`), maintenance windows, credentials."""

    cluster_name: pulumi.Output[str]
    oidc_issuer_url: pulumi.Output[str]
    managed_cluster: aks.ManagedCluster

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:azure:Cluster", name, {}, opts)
        azure = args.azure
        self.managed_cluster = aks.ManagedCluster(
            f"{name}-aks",
            resource_group_name=args.resource_group,
            resource_name_=azure.cluster_name,
            location=azure.location,
            sku=aks.ManagedClusterSKUArgs(name=aks.ManagedClusterSKUName.BASE, tier=azure.tier.value),
            kubernetes_version=azure.kubernetes_version,
            dns_prefix=azure.dns_prefix or azure.cluster_name,
            node_resource_group=azure.node_resource_group or f"{azure.resource_group}-nodes",
            node_resource_group_profile=aks.ManagedClusterNodeResourceGroupProfileArgs(
                restriction_level=aks.RestrictionLevel.READ_ONLY
            ),
            identity=aks.ManagedClusterIdentityArgs(
                type=aks.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[args.identity_id]
            ),
            network_profile=network_profile(azure),
            agent_pool_profiles=[system_pool(args.system, args.node_subnet_id)],
            api_server_access_profile=aks.ManagedClusterAPIServerAccessProfileArgs(
                authorized_ip_ranges=list(azure.authorized_ip_ranges)
            )
            if azure.authorized_ip_ranges
            else None,
            enable_rbac=True,
            oidc_issuer_profile=aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=aks.ManagedClusterSecurityProfileArgs(
                workload_identity=aks.ManagedClusterSecurityProfileWorkloadIdentityArgs(enabled=True)
            ),
            auto_scaler_profile=autoscaler_profile(args.grace_seconds),
            auto_upgrade_profile=aks.ManagedClusterAutoUpgradeProfileArgs(
                upgrade_channel=UPGRADES.upgrade_channel, node_os_upgrade_channel=UPGRADES.node_os_upgrade_channel
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                # Azure lists every pool here, the separate ones too: left to Azure after creation
                ignore_changes=["agentPoolProfiles"],
                # no value flows: AKS refuses a cluster whose identity has no role on its subnet
                depends_on=list(args.ready),
            ),
        )
        self.cluster_name = once_made(self.managed_cluster, azure.cluster_name)
        self.oidc_issuer_url = self.managed_cluster.oidc_issuer_profile.apply(
            lambda profile: (profile.issuer_url or "") if profile else ""
        )
        self.register_outputs({"clusterName": self.cluster_name, "oidcIssuerUrl": self.oidc_issuer_url})
