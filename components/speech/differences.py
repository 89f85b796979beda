"""Where the objects differ from the vendor's on purpose, each with its reason: the only exceptions there are.

A test compares every object with the contract field by field. A difference that is not listed here fails it, and so
does one that is listed and no longer there.
"""

from __future__ import annotations

from components.speech.difference import Difference
from components.speech.redis_differences import REDIS

_NOT_HELM = (
    "The objects are not Helm's: with Helm's labels, `helm uninstall` and `helm adopt` would take them for its own."
)
_PLACEMENT = (
    "Each kind of work has a pool of its own, and pods choose its active generation, so that nodes are replaced \
beside the old ones and never under a session. The vendor leaves placement to the installer."
)
_SURGE = "With one replica the default of 25 % rounds to one new pod and no outage, but with more it takes pods away \
before new ones are ready; one at a time, new before old, cuts nothing."
_GRACE = "A session lasts up to 24 hours; told to stop, its pod must be allowed to live as long. The default of 30 \
seconds (transcriber) or 600 seconds (inference server) cuts it."
_AUTOSCALER = "The cluster autoscaler must not take the node away from under a session, nor Redis from all of them."
_REDIS_WAIT = (
    "The README gives 10 minutes to wait for Redis, under a key that the chart never reads; here it does what \
it says. Without it metrics and reconciliation crash again and again while Redis starts."
)
_OWN_PODS = (
    "The vendor's fall-back matches no pod or node of this platform: its transcribers are `rt-transcriber-…`, and \
its nodes carry labels of their own. A monitor that finds nothing is silent."
)
_ONE_INGRESS = "F5's controller gives a host to the oldest Ingress that claims it and ignores the others. All paths of \
the host lead to one Service, so one Ingress has them all, in the order in which the chart's controller would try them."

DIFFERENCES: tuple[Difference, ...] = (
    *REDIS,
    Difference("*", "metadata.labels.app.kubernetes.io/managed-by", _NOT_HELM),
    Difference("*", "*.labels.helm.sh/chart", _NOT_HELM),
    Difference("*", "metadata.annotations.helm.sh/chart", _NOT_HELM),
    Difference("StatefulSet/*", "spec.template.metadata.labels.app.kubernetes.io/managed-by", _NOT_HELM),
    Difference("*", "spec.template.spec.nodeSelector.*", _PLACEMENT),
    Difference("*", "spec.template.spec.tolerations[[]*", _PLACEMENT),
    Difference("Deployment/*", "spec.strategy.*", _SURGE),
    Difference(
        "Deployment/resource-manager-reconciliation",
        "spec.strategy.type",
        "Two of them give capacity back twice; the default strategy lets two overlap during an update.",
    ),
    Difference(
        "Deployment/resource-manager*",
        "spec.template.spec.containers*.env[[]REDIS_SETUP_TIMEOUT_DURATION].*",
        _REDIS_WAIT,
    ),
    Difference(
        "Deployment/sessiongroups-controller",
        "spec.template.spec.containers*.env[[]REDIS_SETUP_TIMEOUT_DURATION].*",
        _REDIS_WAIT,
    ),
    Difference(
        "Service/resource-manager-metrics",
        "",
        "With metrics off the chart keeps a Service without pods; an update waits for its endpoints and fails.",
    ),
    Difference(
        "Deployment/resource-manager-metrics",
        "spec.template.spec.containers[[]metrics].env[[]SM_WORKER_MONITOR_POD_NAME_PREFIX].value",
        _OWN_PODS,
    ),
    Difference(
        "Deployment/resource-manager-metrics",
        "spec.template.spec.containers[[]metrics].env[[]SM_WORKER_MONITOR_NODE_LABEL_SELECTOR].value",
        _OWN_PODS,
    ),
    Difference(
        "Deployment/resource-manager-reconciliation",
        "spec.template.spec.containers[[]reconciliation].env[[]SM_NODE_MONITOR_NODE_LABELS].value",
        _OWN_PODS,
    ),
    Difference(
        "Deployment/resource-manager",
        "spec.template.spec.containers[[]resource-manager].env[[]SM_FLOW_USE_LOCAL_TRANSCRIBER].value",
        "The chart takes an explicit false for a missing value and falls back to the global one; here false is false.",
    ),
    Difference(
        "Service/sessiongroups-controller",
        "spec.ports*",
        "Reconciliation is told the controller's address without a port, which is 80, and the chart's Service has 8025 "
        "only; with repopulation it has both.",
    ),
    Difference("SessionGroup/*", "spec.template.spec.terminationGracePeriodSeconds", _GRACE),
    Difference(
        "SessionGroup/*",
        "spec.template.metadata.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict",
        _AUTOSCALER,
    ),
    Difference(
        "Deployment/proxy-*",
        "spec.template.metadata.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict",
        _AUTOSCALER,
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
    Difference("Ingress/proxy-health", "", _ONE_INGRESS),
    Difference("Ingress/proxy-misc", "", _ONE_INGRESS),
    Difference("Ingress/proxy", "spec.rules[[]0].http.paths[[][23]].*", _ONE_INGRESS),
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
    Difference(
        "CustomResourceDefinition/*",
        "*.properties.template.properties.spec.*",
        "The pod spec is open instead of a copy of Kubernetes 1.30's: a newer API server's fields are not pruned. What "
        "the copy gave is kept: containers by name, no variable twice, ports[].protocol defaulted.",
    ),
    Difference(
        "CustomResourceDefinition/*",
        "spec.versions[[]v1].additionalPrinterColumns*.description",
        "The texts are free.",
    ),
    Difference(
        "CustomResourceDefinition/*",
        "metadata.annotations.pulumi.com/waitFor",
        "Tells the provider to wait until the kind is served.",
    ),
    Difference(
        "ConfigMap/realtime",
        "data.pod_selector_list",
        "The chart lists `tts` although Flow is off and no such pod exists; only what is deployed is listed.",
    ),
    Difference(
        "SessionGroup/inference-server-*",
        "spec.template.spec.containers[[]triton-server].lifecycle.preStop.exec.command*",
        "The contract describes the script and does not give it. Ours does the same, but takes a failing `netstat` for "
        "open connections and counts a server on IPv4 and IPv6 as listening.",
    ),
    Difference(
        "Service/inference-server-*",
        "metadata.annotations.pulumi.com/skipAwait",
        "Its pods are made by the vendor's controller and load models for up to 15 minutes: `up` does not wait.",
    ),
)
"""All of them."""
