"""The controller's command line, as Go's `flag` reads it (cmd/nginx-ingress/flags.go)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.hosted.host import RefusedError

REASON = "ArgumentsNotKnown"
TRUE, FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}

FLAGS = {
    "enable-custom-resources": True,
    "enable-leader-election": True,
    "enable-telemetry-reporting": True,
    "ready-status": True,
    "report-ingress-status": False,
    "disable-ipv6": False,
    "enable-prometheus-metrics": False,
}
"""Switches that are played, or have no effect here, with their defaults."""

VALUES = {
    "ingress-class": "nginx",
    "nginx-configmaps": "",
    "default-server-tls-secret": "",
    "wildcard-tls-secret": "",
    "watch-namespace": "",
    "watch-secret-namespace": "",
    "external-service": "",
    "leader-election-lock-name": "nginx-ingress-leader-election",
    "log-level": "info",
    "log-format": "glog",
}
"""Arguments with a value that are played, or have no effect here, with their defaults."""

KNOWN_FLAGS = frozenset(
    [
        "nginx-plus",
        "enable-app-protect",
        "enable-app-protect-dos",
        "agent",
        "enable-snippets",
        "enable-oidc",
        "enable-tls-passthrough",
        "enable-internal-routes",
        "enable-latency-metrics",
        "enable-cert-manager",
        "enable-external-dns",
        "enable-service-insight",
        "health-status",
        "nginx-status",
        "nginx-debug",
        "ssl-dynamic-reload",
        "weight-changes-dynamic-reload",
        "version",
    ]
)
KNOWN_VALUES = frozenset(
    [
        "health-status-uri",
        "proxy",
        "watch-namespace-label",
        "mgmt-configmap",
        "ingresslink",
        "global-configuration",
        "nginx-status-port",
        "nginx-status-allow-cidrs",
        "nginx-reload-timeout",
        "main-template-path",
        "ingress-template-path",
        "prometheus-tls-secret",
        "prometheus-metrics-listen-port",
        "ready-status-port",
        "tls-passthrough-port",
        "default-http-listener-port",
        "default-https-listener-port",
        "spire-agent-address",
    ]
)
"""What the real one knows and the stand-in does not play."""


@dataclass(frozen=True)
class Arguments:
    """What the controller is told. Names of objects are namespace and name."""

    ingress_class: str
    config_map: tuple[str, str] | None
    default_secret: tuple[str, str] | None
    wildcard_secret: tuple[str, str] | None
    watched: tuple[str, ...]
    """Namespaces; the empty one is all of them."""
    secrets_watched: tuple[str, ...]
    report_status: bool
    external_service: str
    leader_election: bool
    lock_name: str


def parse(given: Sequence[str]) -> Arguments:
    """Raises `RefusedError` for what the real one exits at, and for what is not played."""
    flags, values = dict(FLAGS), dict(VALUES)
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word in ("-", "--"):
            break  # Go stops at the first word that is no flag; the controller warns of the rest
        name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        if name in KNOWN_FLAGS | KNOWN_VALUES:
            if name in KNOWN_FLAGS and value in FALSE:
                continue
            raise RefusedError(REASON, f"-{name} is not played by the stand-in")
        if name in flags:
            if equals and value not in TRUE | FALSE:
                raise RefusedError(REASON, f'invalid boolean value "{value}" for -{name}')
            flags[name] = not equals or value in TRUE
        elif name in values:
            if not equals and not rest:
                raise RefusedError(REASON, f"flag needs an argument: -{name}")
            values[name] = value if equals else rest.pop(0)
        else:
            raise RefusedError(REASON, f"flag provided but not defined: -{name}")
    if flags["enable-custom-resources"]:
        raise RefusedError(REASON, "-enable-custom-resources is on by default and needs the CRDs of k8s.nginx.org")
    watched = tuple(values["watch-namespace"].split(","))
    return Arguments(
        ingress_class=values["ingress-class"],
        config_map=_object("nginx-configmaps", values),
        default_secret=_object("default-server-tls-secret", values),
        wildcard_secret=_object("wildcard-tls-secret", values),
        watched=watched,
        secrets_watched=tuple(values["watch-secret-namespace"].split(","))
        if values["watch-secret-namespace"]
        else watched,
        report_status=flags["report-ingress-status"],
        external_service=values["external-service"],
        leader_election=flags["enable-leader-election"],
        lock_name=values["leader-election-lock-name"],
    )


def _object(name: str, values: dict[str, str]) -> tuple[str, str] | None:
    if not values[name]:
        return None
    namespace, slash, of = values[name].partition("/")
    if not slash or not namespace or not of or "/" in of:
        raise RefusedError(REASON, f"-{name}: {values[name]} must follow the format <namespace>/<name>")
    return namespace, of
