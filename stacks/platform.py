"""The components of the platform, in order. What needs what is an argument; nothing else decides the order."""

from __future__ import annotations

from dataclasses import dataclass

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
from components.cluster.credentials import Credentials, CredentialsArgs
from components.cluster.gpu_plugin import GpuPlugin, GpuPluginArgs
from components.cluster.namespace import Namespace, NamespaceArgs
from components.cluster.redis import Redis, RedisArgs
from components.guard.gate import Gate, GateArgs
from components.guard.hooks import Guard
from components.guard.live import reader
from components.placement import Placement
from components.speech.crd import Crd, CrdArgs
from components.speech.inference_server import InferenceServer, InferenceServerArgs
from components.speech.naming import ControlPlaneLabels
from components.speech.resource_manager import ResourceManager, ResourceManagerArgs
from components.speech.session_groups_controller import SessionGroupsController, SessionGroupsControllerArgs
from components.speech.shared_maps import SharedMaps, SharedMapsArgs
from components.speech.transcriber import Transcriber, TranscriberArgs
from stacks.load import Secrets
from stacks.schema import Settings
from stacks.schema.pools import Role, State
from stacks.versions import GPU_PLUGIN_IMAGE, REDIS_IMAGE


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
    made = Guard(reader(provider, settings.azure.resource_group, settings.azure.cluster_name))
    made.watch()
    return made


@dataclass(frozen=True)
class Foundation:
    """The cluster and its nodes, as the rest needs them."""

    access: Access
    address: Address
    pools: tuple[NodePool, ...]
    placements: dict[Role, Placement]


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
            session_seconds=settings.sessions.max_duration_seconds,
            protect=protect,
        ),
        opts,
    )
    Maintenance("maintenance", MaintenanceArgs(group, cluster.cluster_name, azure.maintenance), opts)
    pools: list[NodePool] = []
    placements: dict[Role, Placement] = {}
    for role, generation in settings.pools.each():
        pool = NodePool(
            f"{role.value}-{generation.number:02d}",
            NodePoolArgs(
                resource_group=group,
                cluster_name=cluster.cluster_name,
                node_subnet_id=network.node_subnet_id,
                subnet=azure.network.node_subnet,
                role=role,
                generation=generation,
                after=pools[-1].agent_pool if pools else None,
                protect=protect,
            ),
            opts,
        )
        pools.append(pool)
        if generation.state is State.ACTIVE:
            placements[role] = Placement(role, pool.pool_name)
    access = Access(
        "access",
        AccessArgs(azure.resource_group, azure.cluster_name, azure.cluster_id, cluster.managed_cluster, protect),
        opts,
    )
    return Foundation(access, address, tuple(pools), placements)


def pod_selectors(settings: Settings) -> tuple[str, ...]:
    """Full names of the enabled data-plane components, in the chart's order (contract: control plane 10.1)."""
    parts = (
        (settings.transcribers.enabled, settings.transcribers.fullname_override),
        (
            settings.inference_server_enhanced_recipe1.enabled,
            settings.inference_server_enhanced_recipe1.fullname_override,
        ),
    )
    return tuple(name for enabled, name in parts if enabled)


@dataclass(frozen=True)
class Base:
    """What the speech services stand on."""

    namespace: pulumi.Output[str]
    redis: Redis
    crd: Crd


def base(settings: Settings, secrets: Secrets, found: Foundation, opts: pulumi.ResourceOptions) -> Base:
    """Namespace, kind, Secrets, GPU plugin and Redis."""
    protect, global_ = settings.protection.enabled, settings.global_
    crd = Crd("crd", CrdArgs(protect), opts)
    GpuPlugin("gpu-plugin", GpuPluginArgs(GPU_PLUGIN_IMAGE), opts)
    pools = tuple(pool.agent_pool for pool in found.pools)
    namespace = Namespace("speech", NamespaceArgs(settings.namespace, pools, protect), opts).name
    pull = settings.pull_secret
    Credentials(
        "credentials",
        CredentialsArgs(
            namespace=namespace,
            license_name=global_.licensing.secret_name,
            license=secrets.license_json,
            pull_secret_name=global_.image_pull_secrets[0].name if global_.image_pull_secrets else "",
            registries=(global_.transcriber.image.registry, global_.resource_manager.image.registry),
            username=pull.username or "",
            password=secrets.registry_password,
        ),
        opts,
    )
    redis = Redis(
        "redis",
        RedisArgs(
            namespace=namespace,
            release=settings.release,
            image=REDIS_IMAGE,
            settings=settings.redis,
            placement=found.placements[Role.SERVICES],
            protect=protect,
        ),
        opts,
    )
    return Base(namespace, redis, crd)


def control_plane(
    settings: Settings, found: Foundation, on: Base, opts: pulumi.ResourceOptions
) -> tuple[SharedMaps, SessionGroupsController]:
    """Shared maps, resource manager and sessiongroups-controller."""
    manager, global_ = settings.resource_manager, settings.global_
    image = global_.resource_manager.image
    labels = ControlPlaneLabels(manager.fullname_override, settings.release, image.tag)
    pull_secrets = tuple(secret.name for secret in global_.image_pull_secrets)
    services = found.placements[Role.SERVICES]
    maps = SharedMaps(
        "maps",
        SharedMapsArgs(
            namespace=on.namespace,
            release=settings.release,
            labels=labels,
            cluster=global_.cluster,
            redis_url=on.redis.url,
            resource_manager_port=manager.service.port,
            languages=global_.transcriber.languages,
            pod_selectors=pod_selectors(settings),
        ),
        opts,
    )
    ResourceManager(
        "resource-manager",
        ResourceManagerArgs(
            namespace=on.namespace,
            namespace_name=settings.namespace,
            settings=manager,
            image=image,
            labels=labels,
            pull_secrets=pull_secrets,
            flow_use_local_transcriber=global_.flow.flow_use_local_transcriber,
            config_map=maps.config_map,
            languages_map=maps.languages_map,
            redis=on.redis.ready,
            placement=services,
        ),
        opts,
    )
    controller = SessionGroupsController(
        "sessiongroups-controller",
        SessionGroupsControllerArgs(
            namespace=on.namespace,
            namespace_name=settings.namespace,
            release=settings.release,
            settings=manager.session_groups,
            image=image,
            labels=labels,
            pull_secrets=pull_secrets,
            config_map=maps.config_map,
            redis=on.redis.ready,
            crd=on.crd.ready,
            placement=services,
            protect=settings.protection.enabled,
        ),
        opts,
    )
    return maps, controller


def data_plane(
    settings: Settings, found: Foundation, on: Base, maps: SharedMaps, ready: tuple[pulumi.Resource, ...],
    opts: pulumi.ResourceOptions,
) -> list[str]:  # fmt: skip
    """Inference servers and transcribers; the names of their groups."""
    groups: list[str] = []
    seconds = settings.sessions.max_duration_seconds
    if settings.inference_server_enhanced_recipe1.enabled:
        server = InferenceServer(
            "inference-recipe1",
            InferenceServerArgs(
                namespace=on.namespace,
                release=settings.release,
                settings=settings.inference_server_enhanced_recipe1,
                global_=settings.global_,
                release_map=maps.release_map,
                placement=found.placements[Role.INFERENCE],
                session_seconds=seconds,
                ready=ready,
            ),
            opts,
        )
        groups.append(server.group)
    if settings.transcribers.enabled:
        transcribers = Transcriber(
            "transcribers",
            TranscriberArgs(
                namespace=on.namespace,
                namespace_name=settings.namespace,
                settings=settings.transcribers,
                global_=settings.global_,
                release_map=maps.release_map,
                placement=found.placements[Role.TRANSCRIBERS],
                session_seconds=seconds,
                ready=ready,
            ),
            opts,
        )
        groups += transcribers.groups
    return groups


def speech(settings: Settings, secrets: Secrets, found: Foundation) -> list[str]:
    """Everything in the cluster; the names of the session groups."""
    opts = pulumi.ResourceOptions(providers=[found.access.provider])
    on = base(settings, secrets, found, opts)
    maps, controller = control_plane(settings, found, on, opts)
    return data_plane(settings, found, on, maps, (on.crd.ready, controller.ready), opts)


def gate(watched: Guard) -> None:
    """What a destroy meets first; declared last, when everything it depends on is known."""
    Gate("gate", GateArgs(tuple(watched.guarded)))


def export(settings: Settings, found: Foundation, groups: list[str]) -> None:
    """The stack's outputs."""
    pulumi.export("cluster", settings.azure.cluster_name)
    pulumi.export("resourceGroup", settings.azure.resource_group)
    pulumi.export("namespace", settings.namespace)
    pulumi.export("address", found.address.ip)
    pulumi.export("languages", list(settings.global_.transcriber.languages))
    pulumi.export("sessionGroups", groups)
    pulumi.export("kubeconfig", found.access.kubeconfig)
