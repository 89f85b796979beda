"""What the speech services stand on inside the cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.cluster.credentials import Credentials, CredentialsArgs
from components.cluster.existing_secrets import ExistingSecrets, ExistingSecretsArgs
from components.cluster.gpu_plugin import GpuPlugin, GpuPluginArgs
from components.cluster.namespace import Namespace, NamespaceArgs
from components.cluster.redis_endpoint import RedisEndpoint
from components.speech.crd import Crd, CrdArgs
from components.speech.images import registries as speech_registries
from components.speech.proxy import registries as proxy_registries
from stacks.load import Secrets
from stacks.platform import redis
from stacks.platform.azure import Foundation
from stacks.platform.existing import control_plane_registries, existing_secrets, refuse
from stacks.platform.flow_secrets import flow_registries
from stacks.platform.redis import ControlPlaneSecrets
from stacks.schema import Settings
from stacks.versions import GPU_PLUGIN_IMAGE


@dataclass(frozen=True)
class Base:
    """What the speech services stand on."""

    namespace: pulumi.Output[str]
    """Known once every Secret named as existing is in it."""
    redis: RedisEndpoint
    secrets: ControlPlaneSecrets
    crd: Crd


def base(settings: Settings, secrets: Secrets, found: Foundation, opts: pulumi.ResourceOptions) -> Base:
    """Namespace, kind, Secrets made and looked up, GPU plugin and Redis."""
    protect, global_ = settings.protection.enabled, settings.global_
    crd = Crd("crd", CrdArgs(protect), opts)
    GpuPlugin("gpu-plugin", GpuPluginArgs(GPU_PLUGIN_IMAGE, settings.gpu_plugin), opts)
    pools = tuple(pool.agent_pool for pool in found.pools)
    namespace = Namespace("speech", NamespaceArgs(settings.namespace, pools, protect), opts).name
    pull = settings.pull_secret
    from_vendor = (
        *speech_registries(settings.transcribers, settings.inference_servers.values(), global_),
        *control_plane_registries(settings),
        *flow_registries(settings),
    )
    registries = (*from_vendor, *proxy_registries(settings.proxy, global_))
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
    made = redis.secrets(settings, secrets, namespace, opts)
    return Base(checked, redis.redis(settings, made, found, checked, opts), made, crd)
