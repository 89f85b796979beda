"""What the speech services stand on inside the cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.cluster.credentials import Credentials, CredentialsArgs
from components.cluster.existing_secrets import ExistingSecrets, ExistingSecretsArgs
from components.cluster.gpu_plugin import GpuPlugin, GpuPluginArgs
from components.cluster.namespace import Namespace, NamespaceArgs
from components.cluster.redis import Redis, RedisArgs
from components.speech.crd import Crd, CrdArgs
from components.speech.proxy import registries as proxy_registries
from stacks.load import Secrets
from stacks.platform.azure import Foundation
from stacks.platform.existing import existing_secrets, refuse
from stacks.platform.flow_secrets import flow_registries
from stacks.schema import Settings
from stacks.schema.pools import Role
from stacks.versions import GPU_PLUGIN_IMAGE, REDIS_IMAGE


@dataclass(frozen=True)
class Base:
    """What the speech services stand on."""

    namespace: pulumi.Output[str]
    """Known once every Secret named as existing is in it."""
    redis: Redis
    crd: Crd


def base(settings: Settings, secrets: Secrets, found: Foundation, opts: pulumi.ResourceOptions) -> Base:
    """Namespace, kind, Secrets made and looked up, GPU plugin and Redis."""
    protect, global_ = settings.protection.enabled, settings.global_
    crd = Crd("crd", CrdArgs(protect), opts)
    GpuPlugin("gpu-plugin", GpuPluginArgs(GPU_PLUGIN_IMAGE), opts)
    pools = tuple(pool.agent_pool for pool in found.pools)
    namespace = Namespace("speech", NamespaceArgs(settings.namespace, pools, protect), opts).name
    pull = settings.pull_secret
    from_vendor = (global_.transcriber.image.registry, global_.resource_manager.image.registry)
    registries = (*from_vendor, *proxy_registries(settings.proxy, global_), *flow_registries(settings))
    Credentials(
        "credentials",
        CredentialsArgs(
            namespace=namespace,
            license_name=global_.licensing.secret_name,
            license=secrets.license_json,
            pull_secret_name=global_.image_pull_secrets[0].name if global_.image_pull_secrets else "",
            registries=registries,
            username=pull.username or "",
            password=secrets.registry_password,
        ),
        opts,
    )
    wanted = existing_secrets(settings, registries)
    checked = ExistingSecrets(
        "existing-secrets", ExistingSecretsArgs(namespace, wanted, found.read_secrets, refuse), opts
    ).namespace
    redis = Redis(
        "redis",
        RedisArgs(
            namespace=checked,
            release=settings.release,
            image=REDIS_IMAGE,
            settings=settings.redis,
            placement=found.placement(Role.SERVICES),
            protect=protect,
        ),
        opts,
    )
    return Base(checked, redis, crd)
