"""The names of all objects the program makes in the cluster, and the keys of the configuration they come from.

Told from the settings alone, before anything is made. A test compares them with the recorded objects, so an object that
is not listed here fails it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from components.cluster.ingress_controller import CLASS_NAME, CONFIG_MAP, TLS_SECRET
from components.cluster.ingress_rights import NAME as INGRESS
from components.speech.crd import GROUP, PLURAL
from components.speech.proxy_ingress import certificates, charts
from components.speech.proxy_maps import FEATURES_MAP
from components.speech.proxy_secrets import wanted_secrets
from components.speech.session_groups_controller import NAME as CONTROLLER
from components.speech.transcriber_languages import speeches
from stacks.licenses import created, named
from stacks.schema import Settings

RELEASE, NAMESPACE = "release", "namespace"
MANAGER, TRANSCRIBERS, PROXY = (f"{part}.fullnameOverride" for part in ("resourceManager", "transcribers", "proxy"))


@dataclass(frozen=True)
class Name:
    """One object."""

    kind: str
    namespace: str | None
    """None for what belongs to the whole cluster."""
    name: str
    path: str = ""
    """The key that decides the name; empty where it is the program's own."""
    made: bool = True
    """Whether the program makes it; a Secret may also be there already."""


def names(settings: Settings, contents: Collection[str] = ()) -> tuple[Name, ...]:
    """All of them, those of parts that are switched off left out.

    `contents` are the flat keys of the configuration that have one: by them a Secret of the proxy is made or exists.
    """
    layers = (_base, _redis, _secrets, _ingress, _control_plane, _beside, _data_plane, _proxy, _proxy_ingress)
    found = tuple(name for layer in layers for name in layer(settings))
    return (*found, *_proxy_secrets(settings, contents))


def full_names(settings: Settings) -> tuple[tuple[str, str], ...]:
    """The names that parts go by, each with its key: their pods and accounts are told apart by them."""
    parts = [("resourceManager", settings.resource_manager.fullname_override)]
    parts += [(key, part.fullname_override) for key, part in settings.data_plane.items() if part.enabled]
    if settings.proxy.enabled:
        parts.append(("proxy", settings.proxy.fullname_override))
    return tuple((f"{key}.fullnameOverride", name) for key, name in parts)


def _each(kinds: str, namespace: str | None, name: str, path: str = "") -> Iterator[Name]:
    """One name that several kinds have."""
    return (Name(kind, namespace, name, path) for kind in kinds.split())


def _base(settings: Settings) -> Iterator[Name]:
    yield Name("Namespace", None, settings.namespace, NAMESPACE)
    yield Name("CustomResourceDefinition", None, f"{PLURAL}.{GROUP}")
    yield Name("DaemonSet", "kube-system", "nvidia-device-plugin")


def _redis(settings: Settings) -> Iterator[Name]:
    here, base = settings.namespace, f"{settings.release}-redis"
    yield Name("ServiceAccount", here, base, RELEASE)
    yield Name("ConfigMap", here, f"{base}-configuration", RELEASE)
    yield Name("Service", here, f"{base}-headless", RELEASE)
    yield from _each("StatefulSet Service", here, f"{base}-master", RELEASE)


def _secrets(settings: Settings) -> Iterator[Name]:
    here, global_ = settings.namespace, settings.global_
    made_here = created(settings)
    for license_secret, path in named(settings).items():
        yield Name("Secret", here, license_secret, path, license_secret in made_here)
    # one that is listed twice is a matter of the list (`stacks.rules.lists`)
    for index, pull in enumerate(dict.fromkeys(each.name for each in global_.image_pull_secrets)):
        made = index == 0 and settings.pull_secret.create_secret
        yield Name("Secret", here, pull, f"global.imagePullSecrets[{index}].name", made)


def _ingress(settings: Settings) -> Iterator[Name]:
    if not settings.ingress.enabled:
        return
    yield from _each("Namespace ClusterRole ClusterRoleBinding", None, INGRESS)
    yield Name("IngressClass", None, CLASS_NAME)
    kinds = "ServiceAccount Role RoleBinding Deployment Service PodDisruptionBudget"
    yield from _each(kinds, INGRESS, INGRESS)
    yield Name("ConfigMap", INGRESS, CONFIG_MAP)
    yield Name("Secret", INGRESS, TLS_SECRET)
    yield from _each("Role RoleBinding", settings.namespace, f"{INGRESS}-watched")


def _control_plane(settings: Settings) -> Iterator[Name]:
    here, base, release = settings.namespace, settings.resource_manager.fullname_override, settings.release
    yield Name("ConfigMap", here, release, RELEASE)
    yield Name("ConfigMap", here, "languages")
    yield Name("ConfigMap", here, f"{base}-config", MANAGER)
    yield from _each("ServiceAccount Deployment Service", here, base, MANAGER)
    if settings.resource_manager.pdb.enabled:
        yield Name("PodDisruptionBudget", here, base, MANAGER)
    yield Name("Role", here, f"{base}-pod-reader", MANAGER)
    yield Name("RoleBinding", here, f"{base}-kube-access", MANAGER)
    yield Name("Role", here, f"{base}-sessiongroups-reader", MANAGER)
    yield Name("RoleBinding", here, f"{base}-sessiongroups-access", MANAGER)
    yield Name("ServiceAccount", here, f"{base}-sessiongroups", MANAGER)
    yield Name("PodDisruptionBudget", here, f"{base}-safe-to-evict", MANAGER)
    yield from _each("ClusterRole ClusterRoleBinding", None, f"{release}-{CONTROLLER}", RELEASE)
    yield from _each("Deployment Service", here, CONTROLLER)


def _beside(settings: Settings) -> Iterator[Name]:
    manager, here = settings.resource_manager, settings.namespace
    base, metrics, reconciliation = manager.fullname_override, manager.metrics, manager.reconciliation
    if metrics.enabled or reconciliation.enabled:
        yield Name("ServiceAccount", here, f"{base}-metrics", MANAGER)
        yield Name("Role", here, f"{base}-list-workloads", MANAGER)
        yield Name("RoleBinding", here, f"{base}-metrics-permissions", MANAGER)
    if metrics.enabled:
        yield from _each("Deployment Service", here, f"{base}-metrics", MANAGER)
        if metrics.worker_monitor.enabled:
            yield Name("ClusterRole", None, f"{base}-access-cadvisor", MANAGER)
            yield Name("ClusterRoleBinding", None, f"{base}-metrics-cadvisor-access", MANAGER)
    if reconciliation.enabled:
        yield Name("Deployment", here, f"{base}-reconciliation", MANAGER)
        if reconciliation.node_monitor.enabled:
            name = f"{settings.release}-reconciliation-node-monitor"
            yield Name("ClusterRoleBinding", None, name, RELEASE)


def _data_plane(settings: Settings) -> Iterator[Name]:
    here, transcribers = settings.namespace, settings.transcribers
    if transcribers.enabled:
        base = transcribers.fullname_override
        yield Name("ServiceAccount", here, base, TRANSCRIBERS)
        yield Name("Role", here, f"{base}-pod-access", TRANSCRIBERS)
        yield Name("RoleBinding", here, f"{base}-kube-access", TRANSCRIBERS)
        # two languages of one group name are a matter of the languages (`stacks.rules.speech`)
        for group in sorted({each.name for each in speeches(transcribers, settings.global_)}):
            yield Name("SessionGroup", here, group, TRANSCRIBERS)
    for key, server in settings.inference_servers.items():
        if server.enabled:
            path = f"{key}.fullnameOverride"
            yield from _each("SessionGroup Service", here, server.fullname_override, path)


def _proxy(settings: Settings) -> Iterator[Name]:
    proxy, here, base = settings.proxy, settings.namespace, settings.proxy.fullname_override
    if not proxy.enabled:
        return
    yield Name("ConfigMap", here, FEATURES_MAP)
    if proxy.config.enabled:
        yield Name("ConfigMap", here, f"{base}-config", PROXY)
    if proxy.agent_api.config_map.enabled:
        yield Name("ConfigMap", here, f"{base}-agent-config", PROXY)
    if proxy.proxy.dns.enabled:
        yield Name("ConfigMap", here, f"{base}-dns", PROXY)
    if proxy.proxy.custom_dict.enabled:
        yield Name("ConfigMap", here, f"{base}-custom-dict", PROXY)
    account = proxy.service_account_name
    yield Name("ServiceAccount", here, account or base, "proxy.serviceAccountName" if account else PROXY)
    yield Name("Service", here, base, PROXY)
    yield Name("Role", here, f"{base}-cm-reader", PROXY)
    yield Name("RoleBinding", here, f"{base}-cm-access", PROXY)
    for key in proxy.proxy.deployments:
        yield from _each("Deployment PodDisruptionBudget", here, f"{base}-{key}", PROXY)
    if proxy.proxy_cache.enabled:
        kinds = "Deployment" if proxy.proxy_cache.redis.external else "Deployment Service"
        yield from _each(kinds, here, f"{base}-cache", PROXY)


def _proxy_ingress(settings: Settings) -> Iterator[Name]:
    proxy, here = settings.proxy, settings.namespace
    if not (proxy.enabled and proxy.ingress.enabled):
        return
    for suffix in [""] if settings.our_ingress else [each.suffix for each in charts(proxy.ingress)]:
        yield Name("Ingress", here, f"{proxy.fullname_override}{suffix}", PROXY)
    first, *second = certificates(proxy.ingress).values()
    if first:
        yield Name("Secret", here, first, "proxy.ingress.tls.secretName", made=False)
    for secret in second:
        # both hosts may stand in one certificate
        if secret and secret != first:
            yield Name("Secret", here, secret, "proxy.ingress.flow.additionalHost.tlsSecretName", made=False)


def _proxy_secrets(settings: Settings, contents: Collection[str]) -> Iterator[Name]:
    proxy, here = settings.proxy, settings.namespace
    existing: set[str] = set()
    for secret in wanted_secrets(proxy):
        path = PROXY if secret.name == f"{proxy.fullname_override}-{secret.use}" else secret.named_at
        if proxy.external_secrets.enabled:
            yield Name("ExternalSecret", here, secret.name, path)
        made = not proxy.external_secrets.enabled and bool(secret.given(contents))
        # one that exists may hold the keys of several
        if made or secret.name not in existing:
            yield Name("Secret", here, secret.name, path, made)
        if not (made or proxy.external_secrets.enabled):
            existing.add(secret.name)
