"""Everything in Azure: the providers, the guard that reads the cluster, network, cluster and pools."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi
from pulumi_azure_native.provider import Provider as AzureProvider

from components.azure.access import Access, AccessArgs
from components.azure.address import Address, AddressArgs
from components.azure.cluster import Cluster, ClusterArgs
from components.azure.identity import Identity, IdentityArgs
from components.azure.maintenance import Maintenance, MaintenanceArgs
from components.azure.network import Network, NetworkArgs
from components.azure.node_pool import NodePool, NodePoolArgs
from components.azure.resource_group import ResourceGroup, ResourceGroupArgs
from components.cluster import existing_secrets
from components.cluster.ingress_controller import entry_grace
from components.guard.decision import Fixed
from components.guard.hooks import Guard
from components.guard.live import reader
from components.placement import Placement
from stacks.groups import session_groups
from stacks.schema import Settings
from stacks.schema.fragment import Fragment
from stacks.schema.placement import PlacementSettings, WorkloadPlacement
from stacks.schema.pools import Pool, Role, State


def azure_provider(settings: Settings) -> AzureProvider:
    """The one way to Azure, into the subscription the stack file names."""
    return AzureProvider(
        "azure",
        subscription_id=settings.azure.subscription_id,
        location=settings.azure.location,
        opts=pulumi.ResourceOptions(protect=settings.protection.enabled),
    )


def guard(settings: Settings, provider: AzureProvider) -> Guard:
    """The hooks, bound to everything declared after this."""
    azure = settings.azure
    read = reader(provider, azure.resource_group, azure.cluster_name, lambda: datetime.now(UTC))
    fixed = {each.name: Fixed(each.setting, each.pods) for each in session_groups(settings) if not each.scaled}
    made = Guard(read, fixed, preview=pulumi.runtime.is_dry_run())
    made.watch()
    return made


@dataclass(frozen=True)
class Foundation:
    """The cluster and its nodes, as the rest needs them."""

    access: Access
    address: Address
    pools: tuple[NodePool, ...]
    active: dict[tuple[Role, str | None], pulumi.Output[str]]
    """Names of the active generations by role and further pool, each known once its pool exists."""
    secrets: existing_secrets.Cluster
    """Where Secrets are looked up."""

    def placement(self, role: Role, wanted: PlacementSettings, affinity: Fragment | None = None) -> Placement:
        """Where pods of a role run; `wanted` is what the configuration says of them, a further pool included.

        `affinity` is theirs where it stands in another section.
        """
        rather = wanted.affinity if isinstance(wanted, WorkloadPlacement) else affinity or {}
        return Placement(role, self.active[role, wanted.pool], wanted.node_selector, wanted.tolerations, rather)


def generation_name(pool: Pool, number: int) -> str:
    """The logical name of a generation. No role is called `further-…`, so no two pools have one name."""
    return f"{f'further-{pool.name}' if pool.name else pool.role.value}-{number:02d}"


def foundation(settings: Settings, provider: AzureProvider) -> Foundation:
    """Everything in Azure: group, identity, network, address, cluster, pools, and the way in."""
    azure, protect = settings.azure, settings.protection.enabled
    opts = pulumi.ResourceOptions(providers=[provider])
    group = ResourceGroup("group", ResourceGroupArgs(azure.resource_group, azure.location, protect), opts).name
    identity = Identity("identity", IdentityArgs(group, azure.location, f"{azure.cluster_name}-identity"), opts)
    network = Network("network", NetworkArgs(group, azure, identity.principal_id), opts)
    address = Address("address", AddressArgs(group, azure, identity.principal_id, protect), opts)
    cluster = Cluster(
        "cluster",
        ClusterArgs(
            resource_group=group,
            azure=azure,
            system=settings.pools.system,
            identity_id=identity.id,
            node_subnet_id=network.node_subnet_id,
            ready=(network.ready, address.ready),
            grace_seconds=entry_grace(settings.sessions.max_duration_seconds),
            protect=protect,
        ),
        opts,
    )
    Maintenance("maintenance", MaintenanceArgs(group, cluster.cluster_name, azure.maintenance), opts)
    pools: list[NodePool] = []
    active: dict[tuple[Role, str | None], pulumi.Output[str]] = {}
    for of, generation in settings.pools.each():
        pool = NodePool(
            generation_name(of, generation.number),
            NodePoolArgs(
                resource_group=group,
                cluster_name=cluster.cluster_name,
                node_subnet_id=network.node_subnet_id,
                subnet=azure.network.node_subnet,
                pool=of,
                generation=generation,
                after=tuple(each.agent_pool for each in pools),
                protect=protect,
            ),
            opts,
        )
        pools.append(pool)
        if generation.state is State.ACTIVE:
            active[of.role, of.name] = pool.pool_name
    access = Access(
        "access",
        AccessArgs(azure.resource_group, azure.cluster_name, azure.cluster_id, cluster.managed_cluster, protect),
        opts,
    )
    secrets = existing_secrets.Cluster(provider, azure.resource_group, azure.cluster_name)
    return Foundation(access, address, tuple(pools), active, secrets)
