"""Differences of the Ingresses straight to the resource manager (contract: control plane 5.3)."""

from __future__ import annotations

from components.speech.differences.difference import NOTHING, Added, Difference, Like, Ours

_API, _FLOW = "Ingress/*resource-manager-api", "Ingress/*resource-manager-flow"
ANNOTATIONS = "metadata.annotations"

OUR_CONTROLLER: dict[str, object] = {"ingress.enabled": NOTHING, "resourceManager.ingress.ingressClassName": NOTHING}
"""Our controller serves the class; with another one the Ingresses are the chart's."""

_WEBSOCKET = "F5's controller passes `Upgrade` on only to Services named here; without it a websocket answers 400."
_SILENCE = "A silent client must not be cut after 60 seconds; the longest conversation is 24 hours."

RESOURCE_MANAGER_INGRESS: tuple[Difference, ...] = (
    Difference(
        _API,
        "",
        Ours({"spec": {"rules": [{
            "host": "api.example.org",
            "http": {"paths": [{
                "path": "/v1/transcribers",
                "pathType": "ImplementationSpecific",
                "backend": {"service": {"name": "resource-manager", "port": {"number": 8080}}},
            }]},
        }]}}),
        "The chart makes it only together with the redirect Ingress, which is left out; here `api.enabled` alone is "
        "its switch.",
        where={"resourceManager.ingress.api.enabled": True},
    ),
    Difference(
        f"{_API} {_FLOW}",
        "spec.tls[0].hosts",
        [Like(r"[^*].*")],
        "F5's controller compares the hosts of `tls` letter by letter with that of the rule: with the chart's "
        "`*.<zone>` it would not serve the host on 443.",
        where=OUR_CONTROLLER,
    ),
    Difference(
        f"{_API} {_FLOW}",
        "spec.tls[0].secretName",
        NOTHING,
        "Nobody makes the chart's `tls-secret`; without a name the controller takes its own certificate.",
        where={"resourceManager.ingress.tlsSecretName": NOTHING},
    ),
    Difference(
        _FLOW,
        f"{ANNOTATIONS}.nginx.ingress.kubernetes.io/configuration-snippet",
        NOTHING,
        "It hands every 302 to a named location that the chart does not define: nginx answers 500 in its place. F5's "
        "controller does not read it, and ingress-nginx refuses the whole Ingress unless snippets are allowed. Who has "
        "a controller with that location writes it into `resourceManager.ingress.flow.annotations`.",
    ),
    Difference(
        _FLOW,
        f"{ANNOTATIONS}.nginx.org/websocket-services",
        Added(Like(".*resource-manager")),
        _WEBSOCKET,
        where=OUR_CONTROLLER,
    ),
    Difference(
        _FLOW, f"{ANNOTATIONS}.nginx.org/proxy-read-timeout", Added("86400s"), _SILENCE, where=OUR_CONTROLLER
    ),
    Difference(
        _FLOW, f"{ANNOTATIONS}.nginx.org/proxy-send-timeout", Added("86400s"), _SILENCE, where=OUR_CONTROLLER
    ),
)  # fmt: skip
"""The differences."""
