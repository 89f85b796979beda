"""Where the objects differ from the vendor's on purpose, each with its reason: the only exceptions there are.

A test compares every object with the contract field by field. A difference that is not listed here fails it, and so
does one that is listed and no longer there.
"""

from __future__ import annotations

from components.speech.difference import Difference
from components.speech.proxy_differences import PROXY

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
_IMAGE = "The bitnami image is no longer at its place for free use; the official image of a Redis 7 answers the same."

DIFFERENCES: tuple[Difference, ...] = (
    *PROXY,
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
    Difference("SessionGroup/*", "spec.template.spec.terminationGracePeriodSeconds", _GRACE),
    Difference(
        "SessionGroup/*",
        "spec.template.metadata.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict",
        _AUTOSCALER,
    ),
    Difference(
        "StatefulSet/realtime-redis-master",
        "spec.template.metadata.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict",
        _AUTOSCALER,
    ),
    Difference(
        "SessionGroup/*",
        "spec.template.metadata.annotations.sm-realtime/license",
        "A process reads the license when it starts. By this another license is another version of the pods, which the "
        "controller rolls while they are idle; the chart leaves old pods with the old license.",
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
    Difference("StatefulSet/realtime-redis-master", "*.containers[[]redis].image", _IMAGE),
    Difference(
        "StatefulSet/realtime-redis-master",
        "*.containers[[]redis].args*",
        "The official image has no start script: the command line is written out, with the contract's options.",
    ),
    Difference(
        "StatefulSet/realtime-redis-master",
        "*.containers[[]redis].*Probe.exec.command*",
        "The official image has no health scripts: the ping is written out.",
    ),
    Difference(
        "StatefulSet/realtime-redis-master",
        "*securityContext.*",
        "The official image's user is 999; it needs no privilege at all.",
    ),
    Difference(
        "StatefulSet/realtime-redis-master",
        "spec.template.spec.volumes*",
        "The official image reads its configuration from where the map is mounted.",
    ),
    Difference(
        "StatefulSet/realtime-redis-master",
        "*.containers[[]redis].volumeMounts*",
        "The official image reads its configuration from where the map is mounted.",
    ),
    Difference(
        "StatefulSet/realtime-redis-master",
        "spec.template.spec.affinity.*",
        "Anti-affinity to other masters means nothing with one node.",
    ),
    Difference(
        "StatefulSet/realtime-redis-master",
        "spec.volumeClaimTemplates*.storageClassName",
        "Named, so that a changed default class of the cluster is no change of the disk, which would replace Redis.",
    ),
    Difference(
        "StatefulSet/realtime-redis-master",
        "spec.volumeClaimTemplates*.[ak][pi][in][Vd]*",
        "The API server fills in version and kind of a claim template; written out, a preview shows no difference.",
    ),
    Difference(
        "*/realtime-redis*",
        "metadata.labels.app.kubernetes.io/component",
        "One set of labels for all objects of the one node.",
    ),
    Difference(
        "Service/realtime-redis-headless",
        "spec.selector.app.kubernetes.io/component",
        "There is only the master to select.",
    ),
    Difference("ConfigMap/realtime-redis-health", "", "Scripts of the bitnami image."),
    Difference("ConfigMap/realtime-redis-scripts", "", "Scripts of the bitnami image."),
    Difference(
        "*/realtime-redis-replicas",
        "",
        "The default has no replicas; a Service without pods would keep an update waiting for endpoints.",
    ),
)
"""All of them."""
