"""What the speech services stand on inside the cluster."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.cluster.credentials import Credentials, CredentialsArgs
from components.cluster.existing_secrets import ExistingSecrets, ExistingSecretsArgs
from components.cluster.external_secret import ExternalSecret, ExternalSecretArgs
from components.cluster.gpu_plugin import GpuPlugin, GpuPluginArgs
from components.cluster.license import License, fingerprint
from components.cluster.namespace import Namespace, NamespaceArgs
from components.cluster.redis_endpoint import RedisEndpoint
from components.speech.crd import Crd, CrdArgs
from components.speech.deletion_policy import DeletionPolicy, DeletionPolicyArgs
from components.speech.images import registries as speech_registries
from components.speech.proxy_pod import registries as proxy_registries
from stacks.licenses import fetched, made
from stacks.platform import redis
from stacks.platform.azure import Foundation
from stacks.platform.existing import control_plane_registries, existing_secrets, notice, refuse
from stacks.platform.flow_secrets import flow_registries
from stacks.platform.redis import ControlPlaneSecrets
from stacks.schema import Settings
from stacks.secrets import Secrets
from stacks.versions import GPU_PLUGIN_IMAGE


@dataclass(frozen=True)
class Base:
    """What the speech services stand on."""

    namespace: pulumi.Output[str]
    """Known once every Secret named as existing is in it."""
    redis: RedisEndpoint
    secrets: ControlPlaneSecrets
    crd: Crd
    deletion_policy: DeletionPolicy
    proxy_contents: Mapping[str, pulumi.Output[str]]
    """What the proxy reads from Secrets made here, by flat key."""
    made_licenses: Mapping[str, pulumi.Output[str]]
    """Fingerprints of the licenses in Secrets made here, by the Secret's name."""
    stored_licenses: Collection[str]
    """Names of the Secrets with a license that come from a store."""
    existing_licenses: pulumi.Output[dict[str, str]]
    """The same of those that are there already."""

    def license(self, name: str) -> License:
        """The license in a Secret, for the pods that read it."""
        if name in self.stored_licenses:
            return License(name, None)
        if name in self.made_licenses:
            return License(name, self.made_licenses[name])
        return License(name, self.existing_licenses.apply(lambda found: found.get(name, "")))


def base(settings: Settings, secrets: Secrets, found: Foundation, opts: pulumi.ResourceOptions) -> Base:
    """Namespace, kind, Secrets made and looked up, GPU plugin and Redis."""
    protect, global_ = settings.protection.enabled, settings.global_
    crd = Crd("crd", CrdArgs(protect), opts)
    policy = DeletionPolicy("deletion-policy", DeletionPolicyArgs(crd.ready), opts)
    pools = tuple(pool.agent_pool for pool in found.pools)
    namespace = Namespace("speech", NamespaceArgs(settings.namespace, pools, protect), opts).name
    pull = settings.pull_secret
    from_vendor = (
        *speech_registries(settings.transcribers, settings.inference_servers.values(), global_),
        *control_plane_registries(settings),
        *flow_registries(settings),
    )
    registries = (*from_vendor, *proxy_registries(settings.proxy, global_))
    names, stored = made(settings), fetched(settings)
    Credentials(
        "credentials",
        CredentialsArgs(
            namespace=namespace,
            license_names=names,
            license=secrets.license_json,
            pull_secret_name=global_.image_pull_secrets[0].name if global_.image_pull_secrets else "",
            registries=registries,
            username=pull.username or "",
            password=secrets.registry_password,
        ),
        opts,
    )
    for name, at in stored.items():
        metadata = ObjectMetaArgs(name=name, namespace=namespace)
        ExternalSecret(f"stored-license-{name}", ExternalSecretArgs(metadata, name, at.store, (at.reference,)), opts)
    wanted = existing_secrets(settings, registries, secrets.proxy)
    looked_up = ExistingSecrets(
        "existing-secrets", ExistingSecretsArgs(namespace, wanted, found.secrets.secrets, refuse, notice), opts
    )
    checked = looked_up.namespace
    GpuPlugin("gpu-plugin", GpuPluginArgs(GPU_PLUGIN_IMAGE, settings.gpu_plugin, checked), opts)
    for_control_plane = redis.secrets(settings, secrets, namespace, opts)
    return Base(
        namespace=checked,
        redis=redis.redis(settings, for_control_plane, found, checked, opts),
        secrets=for_control_plane,
        crd=crd,
        deletion_policy=policy,
        proxy_contents=secrets.proxy,
        made_licenses={
            name: _told_apart(name, secrets.license_json) for name in names if secrets.license_json is not None
        },
        stored_licenses=stored.keys(),
        existing_licenses=looked_up.licenses,
    )


def _told_apart(name: str, text: pulumi.Output[str]) -> pulumi.Output[str]:
    """The fingerprint in clear, which it may stand in: a pod's annotations are no secret."""
    return pulumi.Output.unsecret(text.apply(lambda given: fingerprint(name, given)))
