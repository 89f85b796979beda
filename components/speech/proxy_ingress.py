"""How clients reach the proxy: the Ingresses, in the words of the controller that serves them.

F5's controller, ours, gets one Ingress with everything (docs/explanation/ingress.md). Any other gets the chart's own
Ingresses with the annotations of the configuration (contract: proxy 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.speech.ingress_spec import ingress_spec
from components.speech.naming import ProxyLabels
from stacks.schema.proxy_ingress import SEED_ANNOTATIONS, ProxyIngressSettings

HEALTH_PATH = "/v1/health"

ANYTHING = "/"
"""As a regular expression every path; last, because the first that matches is taken."""

PATH_REGEX = "nginx.org/path-regex"
WEBSOCKET_SERVICES = "nginx.org/websocket-services"
READ_TIMEOUT = "nginx.org/proxy-read-timeout"
SEND_TIMEOUT = "nginx.org/proxy-send-timeout"

OWN_ANNOTATIONS = (PATH_REGEX, WEBSOCKET_SERVICES, READ_TIMEOUT, SEND_TIMEOUT)
"""Set here, from the configuration, for our controller."""


def made_by_cert_manager(annotations: Mapping[str, str]) -> bool:
    """Whether cert-manager is asked for the certificate, which it makes once there is an Ingress."""
    return not {"cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme"}.isdisjoint(
        annotations
    )


@dataclass(frozen=True)
class Plan:
    """One Ingress."""

    suffix: str
    """What its name has after the proxy's."""
    rules: Mapping[str, tuple[str, ...]]
    """Paths of each host, in the order in which they are tried."""
    annotations: Mapping[str, pulumi.Input[str]]
    labelled: bool
    tls: Mapping[str, str | None] = field(default_factory=dict)
    """Secret with the certificate of each host that has TLS; None is the controller's own."""


def flow_paths(settings: ProxyIngressSettings) -> tuple[str, ...]:
    """Flow's paths, the longest first."""
    flow = settings.flow
    if not flow.enabled:
        return ()
    return (*([flow.livekit.path] if flow.livekit.enabled else []), flow.path)


def paths(settings: ProxyIngressSettings) -> tuple[str, ...]:
    """All paths of the first host, in the order in which they are tried."""
    return (settings.path, *flow_paths(settings), HEALTH_PATH, ANYTHING)


def ingress_annotations(
    given: Mapping[str, str], service: pulumi.Input[str], seconds: int
) -> dict[str, pulumi.Input[str]]:
    """Those of the configuration, without the seed's for another controller, and ours."""
    kept = {key: value for key, value in given.items() if key not in SEED_ANNOTATIONS}
    return {
        **kept,
        PATH_REGEX: "case_insensitive",
        WEBSOCKET_SERVICES: service,
        READ_TIMEOUT: f"{seconds}s",
        SEND_TIMEOUT: f"{seconds}s",
    }


def certificates(settings: ProxyIngressSettings) -> dict[str, str | None]:
    """Every host with the Secret of its certificate, where one is named."""
    found = {settings.host: settings.tls.secret_name}
    if settings.second_host:
        found[settings.second_host] = settings.flow.additional_host.tls_secret_name
    return found


def ours(settings: ProxyIngressSettings, service: pulumi.Input[str], seconds: int) -> tuple[Plan, ...]:
    """The one Ingress of our controller. Without a TLS entry it would not serve the host on 443."""
    rules = {settings.host: paths(settings)}
    if settings.second_host:
        rules[settings.second_host] = flow_paths(settings)
    annotations = ingress_annotations(settings.annotations, service, seconds)
    return (Plan("", rules, annotations, labelled=True, tls=certificates(settings)),)


def charts(settings: ProxyIngressSettings) -> tuple[Plan, ...]:
    """The chart's Ingresses. A host without a Secret has no TLS entry: the controller's own way applies."""
    host, second, flow = settings.host, settings.second_host, settings.flow
    tls = {name: secret for name, secret in certificates(settings).items() if secret}
    first_only = {name: secret for name, secret in tls.items() if name == host}

    def rules(first: tuple[str, ...], also: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        return {host: first} | ({second: also} if second and also else {})

    own = (flow.path,) if flow.enabled else ()
    plans = [
        Plan("", rules((settings.path, *own), own), settings.annotations, labelled=True, tls=tls),
        Plan("-health", {host: (HEALTH_PATH,)}, settings.health.annotations, labelled=False, tls=first_only),
        Plan("-misc", {host: (ANYTHING,)}, settings.misc.annotations, labelled=False, tls=first_only),
    ]
    if flow.enabled and flow.livekit.enabled:
        only = (flow.livekit.path,)
        plans.append(Plan("-flow-livekit", rules(only, only), flow.livekit.annotations, labelled=True, tls=tls))
    return tuple(plans)


@dataclass(frozen=True)
class ProxyIngressArgs:
    """What the Ingresses need."""

    namespace: pulumi.Output[str]
    settings: ProxyIngressSettings
    labels: ProxyLabels
    service: pulumi.Output[str]
    """Name of the proxy's Service, usable once it has endpoints."""
    port: int
    class_name: pulumi.Input[str]
    our_controller: bool
    """Whether ours serves the class."""
    session_seconds: int
    ready: tuple[pulumi.Resource, ...]
    """The controller that gives them their address."""


class ProxyIngress(pulumi.ComponentResource):
    """The Ingresses. Not here: the controller, and the `Request-Id` header, which ours adds to everything."""

    host: pulumi.Output[str]

    def __init__(self, name: str, args: ProxyIngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:ProxyIngress", name, {}, opts)
        self._name, self._args = name, args
        settings = args.settings
        plans = ours(settings, args.service, args.session_seconds) if args.our_controller else charts(settings)
        first, *_ = [self._ingress(plan) for plan in plans]
        self.host = once_made(first, settings.host)
        self.register_outputs({"host": self.host})

    def _ingress(self, plan: Plan) -> kubernetes.networking.v1.Ingress:
        args = self._args
        return kubernetes.networking.v1.Ingress(
            f"{self._name}{plan.suffix}-ingress",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=f"{args.labels.fullname}{plan.suffix}",
                namespace=args.namespace,
                labels=args.labels.common() if plan.labelled else None,
                annotations=plan.annotations or None,
            ),
            spec=ingress_spec(args.class_name, plan.rules, plan.tls, args.service, args.port),
            # no value flows: an Ingress is awaited until a controller gives it an address
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.ready)),
        )
