"""One generation of a node pool: an agent pool whose name carries everything immutable about it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice as aks

from components.outputs import once_made
from components.placement import GENERATION_LABEL, POOL_LABEL, taint
from stacks.schema.pools import Generation, Pool, Role, State

NO_LOAD_BALANCER = "node.kubernetes.io/exclude-from-external-load-balancers"
"""Nodes with this label are left out of the load balancer's backend."""

DRAIN_MINUTES = 1440
"""How long an upgrade of the nodes waits for pods to leave: the most AKS accepts."""


def immutable(generation: Generation, subnet: str) -> dict[str, object]:
    """Everything AKS refuses to change on a pool, or that rolls every node when it changes."""
    return {
        "vmSize": generation.vm_size,
        "osDiskType": generation.os_disk_type.value,
        "osDiskSizeGB": generation.os_disk_size_gb,
        "zones": sorted(generation.zones),
        "maxPods": generation.max_pods,
        "gpuDriver": generation.gpu_driver.value if generation.gpu_driver else None,
        "subnet": subnet,
        "kubernetesVersion": generation.kubernetes_version,
    }


def pool_name(pool: Pool, generation: Generation, subnet: str) -> str:
    """The generation's name: its pool, its own two-digit number, five hex digits over everything immutable.

    A changed specification gives another name, so the new pool can be made beside the old one; the number allows the
    same specification to be built again. `subnet` is the node subnet's address range.
    """
    text = json.dumps(immutable(generation, subnet), sort_keys=True)
    return f"{pool.prefix}{generation.number:02d}{hashlib.sha256(text.encode()).hexdigest()[:5]}"


def node_labels(role: Role, pool: str) -> dict[str, str]:
    """The labels of a pool's nodes: what workloads select, and who takes no traffic from outside."""
    labels = {POOL_LABEL: role.value, GENERATION_LABEL: pool}
    return labels if role is Role.SERVICES else labels | {NO_LOAD_BALANCER: "true"}


@dataclass(frozen=True)
class NodePoolArgs:
    """What a generation needs."""

    resource_group: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    node_subnet_id: pulumi.Output[str]
    subnet: str
    """The node subnet's address range, part of the name."""
    pool: Pool
    generation: Generation
    after: tuple[pulumi.Resource, ...]
    """The pools made before this one, all of them: deletions go by what two of them have between each other."""
    protect: bool


class NodePool(pulumi.ComponentResource):
    """One generation of a pool. Not here: the choice of the active one, which is the workloads' node selector."""

    pool_name: pulumi.Output[str]
    agent_pool: aks.AgentPool

    def __init__(self, name: str, args: NodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:azure:NodePool", name, {}, opts)
        generation = args.generation
        pool = pool_name(args.pool, generation, args.subnet)
        self.agent_pool = aks.AgentPool(
            f"{name}-{pool}",
            resource_group_name=args.resource_group,
            resource_name_=args.cluster_name,
            agent_pool_name=pool,
            mode=aks.AgentPoolMode.USER,
            type=aks.AgentPoolType.VIRTUAL_MACHINE_SCALE_SETS,
            os_type=aks.OSType.LINUX,
            os_sku=aks.OSSKU.UBUNTU,
            vm_size=generation.vm_size,
            os_disk_type=generation.os_disk_type.value,
            os_disk_size_gb=generation.os_disk_size_gb,
            max_pods=generation.max_pods,
            availability_zones=list(generation.zones),
            enable_auto_scaling=True,
            count=generation.min_count,
            min_count=generation.min_count,
            max_count=generation.max_count,
            gpu_profile=aks.GPUProfileArgs(driver=generation.gpu_driver.value) if generation.gpu_driver else None,
            node_labels=node_labels(args.pool.role, pool),
            node_taints=[taint(args.pool.role).text],
            orchestrator_version=generation.kubernetes_version,
            vnet_subnet_id=args.node_subnet_id,
            upgrade_settings=aks.AgentPoolUpgradeSettingsArgs(
                max_surge="1",
                max_unavailable="0",
                drain_timeout_in_minutes=DRAIN_MINUTES,
                node_soak_duration_in_minutes=0,
                undrainable_node_behavior=aks.UndrainableNodeBehavior.CORDON,
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect and generation.state is not State.RETIRING,
                # the provider's own order of a replacement is delete first
                delete_before_replace=False,
                # the autoscaler's
                ignore_changes=["count"],
                # no value flows: AKS answers 409 to a second pool operation while one runs on the cluster
                depends_on=list(args.after),
            ),
        )
        self.pool_name = once_made(self.agent_pool, pool)
        self.register_outputs({"poolName": self.pool_name})
