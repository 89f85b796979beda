"""How clients reach the proxy: one Ingress, in the words of F5's controller (docs/explanation/ingress.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.speech.naming import ProxyLabels
from stacks.schema.proxy import SEED_ANNOTATIONS, ProxyIngressSettings

ASR_PATH = "/v{1}(?:[0-9]*)(?:/[a-z]{1,3}(?:_[a-z_]{0,22})?)?/?$"
"""Transcription: `/v2`, `/v2/en`, `/v2/cmn_en` (contract: proxy 8)."""

FLOW_PATH = "/v{1}(?:[0-9]*)(?:/flow?)/?$"
"""Conversations: `/v1/flow` (contract: proxy 8)."""

HEALTH_PATH = "/v1/health"

ANYTHING = "/"
"""As a regular expression every path; last, because the first that matches is taken."""

PATH_REGEX = "nginx.org/path-regex"
WEBSOCKET_SERVICES = "nginx.org/websocket-services"
READ_TIMEOUT = "nginx.org/proxy-read-timeout"
SEND_TIMEOUT = "nginx.org/proxy-send-timeout"

OWN_ANNOTATIONS = (PATH_REGEX, WEBSOCKET_SERVICES, READ_TIMEOUT, SEND_TIMEOUT)
"""Set here, from the configuration."""


def paths(flow: bool) -> tuple[str, ...]:
    """All paths of the host, in the order in which they are tried."""
    return (ASR_PATH, *([FLOW_PATH] if flow else []), HEALTH_PATH, ANYTHING)


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


@dataclass(frozen=True)
class ProxyIngressArgs:
    """What the Ingress needs."""

    namespace: pulumi.Output[str]
    settings: ProxyIngressSettings
    labels: ProxyLabels
    service: pulumi.Output[str]
    """Name of the proxy's Service, usable once it has endpoints."""
    port: int
    class_name: pulumi.Input[str]
    session_seconds: int
    ready: tuple[pulumi.Resource, ...]
    """The controller that gives it its address."""


class ProxyIngress(pulumi.ComponentResource):
    """The Ingress. Not here: the controller, and the `Request-Id` header, which the controller adds to everything."""

    ingress: pulumi.Resource
    host: pulumi.Output[str]

    def __init__(self, name: str, args: ProxyIngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:ProxyIngress", name, {}, opts)
        networking, host = kubernetes.networking.v1, args.settings.host
        backend = networking.IngressBackendArgs(
            service=networking.IngressServiceBackendArgs(
                name=args.service, port=networking.ServiceBackendPortArgs(number=args.port)
            )
        )
        self.ingress = networking.Ingress(
            f"{name}-ingress",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=args.labels.fullname,
                namespace=args.namespace,
                labels=args.labels.common(),
                annotations=ingress_annotations(args.settings.annotations, args.service, args.session_seconds),
            ),
            spec=networking.IngressSpecArgs(
                ingress_class_name=args.class_name,
                rules=[
                    networking.IngressRuleArgs(
                        host=host,
                        http=networking.HTTPIngressRuleValueArgs(
                            paths=[
                                networking.HTTPIngressPathArgs(
                                    path=path, path_type="ImplementationSpecific", backend=backend
                                )
                                for path in paths(args.settings.flow.enabled)
                            ]
                        ),
                    )
                ],
                tls=[networking.IngressTLSArgs(hosts=[host], secret_name=args.settings.tls.secret_name)],
            ),
            # no value flows: an Ingress is awaited until a controller gives it an address
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.ready)),
        )
        self.host = once_made(self.ingress, host)
        self.register_outputs({"host": self.host})
