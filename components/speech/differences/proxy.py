"""Differences of the proxy and its Ingress."""

from __future__ import annotations

from components.speech.differences.difference import NOTHING, Added, Difference, Like, Ours, Which

DEPLOYMENTS = "Deployment/*proxy-a Deployment/*proxy-b"
CACHE = "Deployment/*proxy-cache"
ANNOTATIONS = "metadata.annotations"
BUDGETS = "PodDisruptionBudget/*proxy-a PodDisruptionBudget/*proxy-b"

_ONE_INGRESS = (
    "F5's controller gives a host to the oldest Ingress that claims it and ignores the others. All paths of the host "
    "lead to one Service, so one Ingress has them all, in the order in which the chart's controller would try them."
)
_DIALECT = (
    "It is for ingress-nginx, which is retired. F5's controller reads its own: path-regex makes the paths regular "
    "expressions, and its ConfigMap adds the Request-Id header without a snippet."
)
_WEBSOCKET = "F5's controller lets a websocket through only to Services that are named."
_SILENCE = "F5's controller ends a websocket that is silent for 60 seconds; a session may be silent while it lives."
_NO_EVICTION = (
    "A session ends with its proxy pod, so none may be evicted, however many there are; with minAvailable 1 the "
    "chart's gives up every pod but one. AKS upgrades no pool in place either way: the vendor's budget for session "
    "pods allows no eviction; pods move by a second deployment."
)


OUR_CONTROLLER: dict[str, object] = {"ingress.enabled": NOTHING}
"""The configuration leaves our controller in its place; with another one the Ingresses are the chart's."""


def _path(path: str) -> Added:
    backend = {"service": {"name": Like(".*proxy"), "port": {"number": 8080}}}
    return Added({"path": path, "pathType": "ImplementationSpecific", "backend": backend})


PROXY: tuple[Difference, ...] = (
    Difference(
        "Deployment/*proxy-a",
        "spec.replicas",
        Added(1),
        "The chart leaves the number to Kubernetes, whose default is 1; written out, an update shows it.",
    ),
    Difference(
        "Deployment/*proxy-a",
        "metadata.labels.app.kubernetes.io/version",
        "2.9.0",
        "Where a deployment has no tag of its own, the chart's label leaves the global tag out and names a version "
        "that does not run; ours is the image's tag.",
        where={"global.proxy.image.tag": "2.9.0"},
    ),
    Difference(
        BUDGETS,
        "",
        Ours({"spec": {"maxUnavailable": 0}}),
        f"The chart has a budget only when it is switched on. {_NO_EVICTION}",
    ),
    Difference(BUDGETS, "spec.maxUnavailable", Added(0), _NO_EVICTION),
    Difference(BUDGETS, "spec.minAvailable", NOTHING, _NO_EVICTION),
    Difference(
        "Service/proxy Service/west-proxy",
        "spec.ports[0].targetPort",
        8080,
        "The chart sends another port of the Service to the same number on the pod, where nothing listens.",
        where={"proxy.service.port": 9080},
    ),
    Difference(
        CACHE,
        "spec.template.spec.containers[redis-cache].image",
        Like(r"docker\.io/library/redis:7\.[0-9.]+"),
        "One release of Redis for the whole platform.",
    ),
    Difference(
        CACHE,
        "spec.template.spec.containers[proxy-service-cache].readinessProbe",
        NOTHING,
        "The chart gives this container the probes of the Redis beside it, whose port it does not have.",
    ),
    Difference(
        "Service/*proxy-cache",
        "",
        NOTHING,
        "With a Redis outside the chart keeps a Service with no listener behind it.",
        where={"proxy.proxyCache.redis.external": True},
    ),
    Difference(
        "ExternalSecret/*proxy-storage",
        "",
        NOTHING,
        "In external mode the chart asks the store for it whether storage is on or not: where it is off, for nothing, "
        "and the request stays in error.",
        where={"proxy.storage.enabled": NOTHING},
    ),
    Difference(
        "Secret/*proxy-redis",
        "",
        Ours({"type": "Opaque"}),
        "The chart makes it only in external mode, by a misspelt condition; the cache's pod reads it in both.",
    ),
    Difference(
        "ConfigMap/*proxy-agent-config",
        "data.*_latest.json.instructions.prompt",
        Which("free text", lambda text: isinstance(text, str) and len(text) > 100),
        "The contract gives the subject of the default agent's prompt and not its words.",
    ),
    Difference("Ingress/*proxy-health Ingress/*proxy-misc", "", NOTHING, _ONE_INGRESS, where=OUR_CONTROLLER),
    *(
        Difference("Ingress/*proxy", path, ours, reason, where=OUR_CONTROLLER)
        for path, ours, reason in (
            ("spec.rules[0].http.paths[2]", _path("/v1/health"), _ONE_INGRESS),
            ("spec.rules[0].http.paths[3]", _path("/"), _ONE_INGRESS),
            (f"{ANNOTATIONS}.nginx.ingress.kubernetes.io/configuration-snippet", NOTHING, _DIALECT),
            (f"{ANNOTATIONS}.nginx.ingress.kubernetes.io/use-regex", NOTHING, _DIALECT),
            (f"{ANNOTATIONS}.nginx.org/path-regex", Added("case_insensitive"), _DIALECT),
            (f"{ANNOTATIONS}.nginx.org/websocket-services", Added(Like(".*proxy")), _WEBSOCKET),
            (f"{ANNOTATIONS}.nginx.org/proxy-read-timeout", Added("86400s"), _SILENCE),
            (f"{ANNOTATIONS}.nginx.org/proxy-send-timeout", Added("86400s"), _SILENCE),
        )
    ),
    Difference(
        "Ingress/*proxy",
        "spec.tls[0].secretName",
        NOTHING,
        "Nobody makes the chart's `tls-secret`, and F5's controller refuses the handshake for a Secret that is named "
        "and missing; without a name it takes its own certificate.",
        where={"proxy.ingress.tls.secretName": NOTHING},
    ),
    Difference(
        "Ingress/*proxy Ingress/*proxy-health Ingress/*proxy-misc Ingress/*proxy-flow-livekit",
        "spec.tls",
        NOTHING,
        "Nobody makes the chart's `tls-secret`, and the README says that no certificate is configured out of the box; "
        "without an entry another controller serves the host as it serves every other.",
        where={"ingress.enabled": False, "proxy.ingress.tls.secretName": NOTHING},
    ),
)
"""The differences."""
