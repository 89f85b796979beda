"""Where clients enter: the proxy and its Ingress."""

from __future__ import annotations

import pulumi

from components.speech.naming import ProxyLabels
from components.speech.proxy import Proxy
from components.speech.proxy_cache import ProxyCache, ProxyCacheArgs
from components.speech.proxy_ingress import ProxyIngress, ProxyIngressArgs
from components.speech.proxy_maps import FEATURES_MAP, ProxyMaps, ProxyMapsArgs
from components.speech.proxy_pod import ProxyArgs
from components.speech.proxy_secrets import ProxySecrets, ProxySecretsArgs, wanted_secrets
from components.speech.shared_maps import SharedMaps
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.platform.data_plane import resource_manager_url
from stacks.platform.ingress import WayIn
from stacks.schema import Settings
from stacks.schema.pools import Role
from stacks.versions import REDIS_IMAGE


def url(settings: Settings) -> str | None:
    """Where a client opens its websocket; None when nothing leads there."""
    proxy = settings.proxy
    if not (proxy.enabled and proxy.ingress.enabled):
        return None
    scheme = "wss" if settings.our_ingress or proxy.ingress.tls.secret_name else "ws"
    return f"{scheme}://{proxy.ingress.host}/v2"


def edge(
    settings: Settings, found: Foundation, on: Base, maps: SharedMaps, way_in: WayIn | None,
    opts: pulumi.ResourceOptions,
) -> None:  # fmt: skip
    """The proxy, its maps, Secrets and Ingresses; `way_in` is our controller, None where it is left out."""
    proxy = settings.proxy
    if not proxy.enabled:
        return
    labels = ProxyLabels(proxy.fullname_override, settings.release)
    own = ProxyMaps("proxy-maps", ProxyMapsArgs(on.namespace, settings.release, proxy, labels), opts)
    release_map = proxy.resource_manager.config_map.name
    features_map = proxy.discovery_api.config_map_name
    secrets = _secrets(settings, on, opts)
    cache = _cache(settings, found, on, labels, secrets, opts)
    made = Proxy(
        "proxy",
        ProxyArgs(
            namespace=on.namespace,
            namespace_name=settings.namespace,
            settings=proxy,
            global_=settings.global_,
            labels=labels,
            config_map=own.config_map,
            agent_map=own.agent_map,
            dns_map=own.dns_map,
            dict_map=own.dict_map,
            features_map=own.features_map if features_map == FEATURES_MAP else features_map,
            release_map=release_map or maps.release_map,
            resource_manager_url=resource_manager_url(settings),
            secrets=secrets,
            cache=cache.address if cache else None,
            placement=found.placement(Role.SERVICES, proxy, proxy.affinity),
            session_seconds=settings.sessions.max_duration_seconds,
            protect=settings.protection.enabled,
        ),
        opts,
    )
    if proxy.ingress.enabled:
        ours = way_in if settings.our_ingress else None
        ProxyIngress(
            "proxy-ingress",
            ProxyIngressArgs(
                namespace=on.namespace,
                settings=proxy.ingress,
                labels=labels,
                service=made.service_name,
                port=proxy.service.port,
                class_name=ours.class_name if ours else proxy.ingress.ingress_class_name,
                our_controller=ours is not None,
                session_seconds=settings.sessions.max_duration_seconds,
                ready=ours.ready if ours else (),
            ),
            opts,
        )


def _secrets(settings: Settings, on: Base, opts: pulumi.ResourceOptions) -> dict[str, pulumi.Input[str]]:
    """Names of the Secrets the proxy reads; nothing is declared where it reads none."""
    wanted = wanted_secrets(settings.proxy)
    if not wanted:
        return {}
    args = ProxySecretsArgs(on.namespace, wanted, on.proxy_contents, settings.proxy.external_secrets)
    return ProxySecrets("proxy-secrets", args, opts).names


def _cache(
    settings: Settings, found: Foundation, on: Base, labels: ProxyLabels, secrets: dict[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> ProxyCache | None:  # fmt: skip
    proxy = settings.proxy
    if not proxy.proxy_cache.enabled:
        return None
    return ProxyCache(
        "proxy-cache",
        ProxyCacheArgs(
            namespace=on.namespace,
            settings=proxy,
            global_=settings.global_,
            labels=labels,
            redis_image=REDIS_IMAGE,
            secrets=secrets,
            placement=found.placement(Role.SERVICES, proxy.proxy_cache),
        ),
        opts,
    )
