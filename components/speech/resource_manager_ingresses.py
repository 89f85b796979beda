"""Ingresses straight to the resource manager: its API and conversations (contract: control plane 5.3).

F5's controller, ours, compares a host of `tls` letter by letter with that of the rule, so there the host itself takes
the place of the chart's `*.<zone>`; and it passes `Upgrade` on and waits for a silent client only where it is told to
(docs/explanation/ingress.md). Another controller gets what the chart has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.speech.ingress_spec import ingress_spec
from components.speech.proxy_ingress import READ_TIMEOUT, SEND_TIMEOUT, WEBSOCKET_SERVICES, made_by_cert_manager
from stacks.schema.resource_manager_ingress import DirectIngress, ResourceManagerIngress

API, FLOW = "api", "flow"
"""What an Ingress is called after the resource manager's name, and the key of its section."""

PATHS = {API: "/v1/transcribers", FLOW: "/v1/flow"}

SET_FOR_FLOW = (WEBSOCKET_SERVICES, READ_TIMEOUT, SEND_TIMEOUT)
"""Annotations that are set here for our controller: a conversation is a websocket."""


def sections(settings: ResourceManagerIngress) -> dict[str, DirectIngress]:
    """The sections of the Ingresses that are wanted."""
    found = {API: settings.api, FLOW: settings.flow}
    return {key: section for key, section in found.items() if section.enabled}


def host_of(settings: ResourceManagerIngress, key: str, fullname: str) -> str | None:
    """The host of an Ingress: its own, or a name in the zone; None where there is no zone."""
    name = f"api-{fullname}" if key == API else fullname
    section = settings.api if key == API else settings.flow
    return section.host or (f"{name}.{settings.zone}" if settings.zone else None)


def hosts(settings: ResourceManagerIngress, fullname: str) -> dict[str, str]:
    """The hosts of the Ingresses that are wanted."""
    found = {key: host_of(settings, key, fullname) for key in sections(settings)}
    return {key: host for key, host in found.items() if host}


def certificate_is_to_come(settings: ResourceManagerIngress) -> bool:
    """Whether cert-manager is asked for the certificate that all of them share."""
    return any(made_by_cert_manager(section.annotations) for section in sections(settings).values())


def existing_certificate(settings: ResourceManagerIngress) -> str | None:
    """The Secret that must be there before an Ingress names it."""
    wanted = sections(settings) and not certificate_is_to_come(settings)
    return settings.tls_secret_name if wanted else None


@dataclass(frozen=True)
class ResourceManagerIngressesArgs:
    """What the Ingresses need."""

    namespace: pulumi.Output[str]
    settings: ResourceManagerIngress
    fullname: str
    """The resource manager's name, which the names of all its objects begin with."""
    service: pulumi.Output[str]
    """Name of its Service, usable once it has endpoints."""
    port: int
    class_name: pulumi.Input[str] | None
    """None is the cluster's default class."""
    our_controller: bool
    """Whether ours serves the class."""
    session_seconds: int
    ready: tuple[pulumi.Resource, ...]
    """The controller that gives them their address."""


def ingress_annotations(args: ResourceManagerIngressesArgs, key: str) -> Mapping[str, pulumi.Input[str]]:
    """Those of the configuration; for a websocket behind our controller also ours."""
    given = sections(args.settings)[key].annotations
    if key != FLOW or not args.our_controller:
        return given
    silence = f"{args.session_seconds}s"
    return {**given, WEBSOCKET_SERVICES: args.service, READ_TIMEOUT: silence, SEND_TIMEOUT: silence}


class ResourceManagerIngresses(pulumi.ComponentResource):
    """The Ingresses of API and Flow. Not here: the redirect Ingress, which is left out."""

    hosts: list[str]
    """Where they listen."""

    def __init__(
        self, name: str, args: ResourceManagerIngressesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sm-realtime:speech:ResourceManagerIngresses", name, {}, opts)
        found = hosts(args.settings, args.fullname)
        for key, host in found.items():
            self._ingress(f"{name}-{key}", args, key, host)
        self.hosts = sorted(found.values())
        self.register_outputs({"hosts": self.hosts})

    def _ingress(self, name: str, args: ResourceManagerIngressesArgs, key: str, host: str) -> None:
        settings = args.settings
        tls_host = f"*.{settings.zone}" if settings.zone and not args.our_controller else host
        kubernetes.networking.v1.Ingress(
            name,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=f"{args.fullname}-{key}",
                namespace=args.namespace,
                labels=sections(settings)[key].labels or None,
                annotations=ingress_annotations(args, key) or None,
            ),
            spec=ingress_spec(
                args.class_name, {host: (PATHS[key],)}, {tls_host: settings.tls_secret_name}, args.service, args.port
            ),
            # no value flows: an Ingress is awaited until a controller gives it an address
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.ready)),
        )
