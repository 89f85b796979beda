"""Where the proxy's objects differ from the vendor's on purpose (see `differences`)."""

from __future__ import annotations

from components.speech.difference import Difference

_NEVER_SCALED_IN = "The cluster autoscaler must not take the node away from under a session."
_ONE_INGRESS = "F5's controller gives a host to the oldest Ingress that claims it and ignores the others. All paths of \
the host lead to one Service, so one Ingress has them all, in the order in which the chart's controller would try them."

PROXY: tuple[Difference, ...] = (
    Difference(
        "Deployment/proxy-*",
        "spec.template.metadata.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict",
        _NEVER_SCALED_IN,
    ),
    Difference(
        "Deployment/proxy-*",
        "spec.replicas",
        "The chart leaves the number to Kubernetes, whose default is 1; written out, an update shows it.",
    ),
    Difference(
        "Deployment/proxy-*",
        "metadata.labels.app.kubernetes.io/version",
        "The chart's label leaves the global tag out and names a version that does not run; ours is the image's tag.",
    ),
    Difference(
        "Deployment/proxy-cache",
        "*.containers[[]redis-cache].image",
        "One release of Redis for the whole platform.",
    ),
    Difference(
        "Deployment/proxy-cache",
        "*.containers[[]proxy-service-cache].readinessProbe*",
        "The chart gives this container the probes of the Redis beside it, whose port it does not have.",
    ),
    Difference(
        "Service/proxy-cache",
        "",
        "With a Redis outside the chart keeps a Service with no listener behind it.",
    ),
    Difference(
        "Service/proxy",
        "spec.ports*.targetPort",
        "The chart sends another port of the Service to the same number on the pod, where nothing listens.",
    ),
    Difference(
        "PodDisruptionBudget/proxy-*",
        "spec.m*vailable",
        "A session ends with its proxy pod, so none may be evicted, however many there are. The chart's budget is off, "
        "and with minAvailable 1 it gives up every pod but one. AKS upgrades no pool in place either way: the vendor's "
        "budget for session pods allows no eviction; pods move by a second deployment.",
    ),
    Difference(
        "ConfigMap/proxy-agent-config",
        "data.*_latest.json.instructions.prompt",
        "The contract gives the subject of the default agent's prompt and not its words.",
    ),
    Difference(
        "Ingress/proxy",
        "metadata.annotations.nginx.ingress.kubernetes.io/*",
        "They are for ingress-nginx, which is retired. F5's controller reads its own: path-regex makes the paths "
        "regular expressions, and its ConfigMap adds the Request-Id header without a snippet.",
    ),
    Difference(
        "Ingress/proxy",
        "metadata.annotations.nginx.org/*",
        "F5's controller lets a websocket through only to services that are named, and ends one that is silent for 60 "
        "seconds; a session may be silent for as long as it lives.",
    ),
    Difference(
        "Ingress/proxy",
        "spec.tls*.secretName",
        "Nobody makes the chart's `tls-secret`, and F5's controller refuses the handshake for a Secret that is named "
        "and missing; without a name it takes its own certificate.",
    ),
    Difference("Ingress/proxy-health", "", _ONE_INGRESS),
    Difference("Ingress/proxy-misc", "", _ONE_INGRESS),
    Difference("Ingress/proxy", "spec.rules[[]0].http.paths[[][23]].*", _ONE_INGRESS),
)
"""All of them."""
