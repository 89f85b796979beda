"""Where clients enter: the proxy and its Ingress."""

from __future__ import annotations

import pulumi

from components.speech.naming import ProxyLabels
from components.speech.proxy import PORT, Proxy, ProxyArgs
from components.speech.proxy_ingress import ProxyIngress, ProxyIngressArgs
from components.speech.proxy_maps import ProxyMaps, ProxyMapsArgs
from components.speech.shared_maps import SharedMaps
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.platform.ingress import WayIn
from stacks.schema import Settings
from stacks.schema.pools import Role


def url(settings: Settings) -> str | None:
    """Where a client opens its websocket; None when nothing leads there."""
    proxy = settings.proxy
    return f"wss://{proxy.ingress.host}/v2" if proxy.enabled and proxy.ingress.enabled else None


def edge(
    settings: Settings, found: Foundation, on: Base, maps: SharedMaps, way_in: WayIn | None,
    opts: pulumi.ResourceOptions,
) -> None:  # fmt: skip
    """The proxy, its maps and its Ingress; `way_in` is our controller, None where another one serves the Ingress."""
    proxy, manager = settings.proxy, settings.resource_manager
    if not proxy.enabled:
        return
    labels = ProxyLabels(proxy.fullname_override, settings.release)
    own = ProxyMaps("proxy-maps", ProxyMapsArgs(on.namespace, settings.release, proxy, labels), opts)
    made = Proxy(
        "proxy",
        ProxyArgs(
            namespace=on.namespace,
            namespace_name=settings.namespace,
            settings=proxy,
            global_=settings.global_,
            labels=labels,
            config_map=own.config_map,
            features_map=own.features_map,
            agent_map=own.agent_map,
            dns_map=own.dns_map,
            release_map=maps.release_map,
            resource_manager_url=f"http://{manager.fullname_override}:{manager.service.port}",
            placement=found.placement(Role.SERVICES),
            session_seconds=settings.sessions.max_duration_seconds,
            protect=settings.protection.enabled,
        ),
        opts,
    )
    if proxy.ingress.enabled:
        ProxyIngress(
            "proxy-ingress",
            ProxyIngressArgs(
                namespace=on.namespace,
                settings=proxy.ingress,
                labels=labels,
                service=made.service_name,
                port=PORT,
                class_name=way_in.class_name if way_in else proxy.ingress.ingress_class_name,
                session_seconds=settings.sessions.max_duration_seconds,
                ready=way_in.ready if way_in else (),
            ),
            opts,
        )
