"""Where the objects of Redis differ from the bundled chart's on purpose, each with its reason."""

from __future__ import annotations

from components.speech.difference import Difference

_SCRIPTS = "The official image has no scripts of its own: what a pod runs is written out, with the contract's options."
_MOUNTED = "The official image reads its configuration from where the map is mounted."
_LABELS = "One set of labels for all objects of one Redis."

_STANDALONE = "StatefulSet/realtime-redis-[mr]*"
_NODES = "StatefulSet/realtime-redis-node"

REDIS: tuple[Difference, ...] = (
    Difference(
        "StatefulSet/realtime-redis-*",
        "spec.template.metadata.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict",
        "The cluster autoscaler must not take Redis away from under all sessions.",
    ),
    Difference(
        "StatefulSet/realtime-redis-*",
        "*.containers[[]*].image",
        "The bitnami image is no longer at its place for free use; the official image of a Redis 7 answers the same.",
    ),
    Difference(_STANDALONE, "*.containers[[]redis].args*", _SCRIPTS),
    Difference("StatefulSet/realtime-redis-*", "*.containers[[]*].*Probe.exec.command*", _SCRIPTS),
    Difference(
        "StatefulSet/realtime-redis-*",
        "*securityContext.*",
        "The official image's user is 999; it needs no privilege at all.",
    ),
    Difference("StatefulSet/realtime-redis-*", "spec.template.spec.volumes*", _MOUNTED),
    Difference("StatefulSet/realtime-redis-*", "*.containers[[]*].volumeMounts*", _MOUNTED),
    Difference(
        _STANDALONE,
        "spec.template.spec.affinity.*",
        "A primary is alone, and replicas without Sentinel take over nothing: where they run makes no difference.",
    ),
    Difference(
        "StatefulSet/realtime-redis-*",
        "spec.volumeClaimTemplates*.storageClassName",
        "Named, so that a changed default class of the cluster is no change of the disk, which would replace Redis.",
    ),
    Difference(
        "StatefulSet/realtime-redis-*",
        "spec.volumeClaimTemplates*.[ak][pi][in][Vd]*",
        "The API server fills in version and kind of a claim template; written out, a preview shows no difference.",
    ),
    Difference("*/realtime-redis*", "metadata.labels.app.kubernetes.io/component", _LABELS),
    Difference(
        "Service/realtime-redis-headless",
        "spec.selector.app.kubernetes.io/component",
        "Without replicas there is only the master to select.",
    ),
    Difference("ConfigMap/realtime-redis-health", "", "Scripts of the bitnami image."),
    Difference("ConfigMap/realtime-redis-scripts", "", "Scripts of the bitnami image."),
    Difference("ConfigMap/realtime-redis-scripts", "data.*", "Scripts for the official image instead of bitnami's."),
    Difference(
        "*/realtime-redis-replicas",
        "",
        "The default has no replicas; a Service without pods would keep an update waiting for endpoints.",
    ),
    Difference(
        "ConfigMap/realtime-redis-configuration",
        "data.node.conf",
        "A primary that no replica follows takes no writes: it would acknowledge what is lost when it is one no more.",
    ),
    Difference(
        "ExternalSecret/resource-manager-*",
        "spec.target.creationPolicy",
        "The operator's own default, written out as other ExternalSecrets of the chart have it.",
    ),
    Difference(_NODES, "spec.template.spec.containers*.env[[]*", _SCRIPTS),
    Difference(_NODES, "spec.template.spec.containers*.command*", _SCRIPTS),
    Difference(_NODES, "spec.template.spec.containers*.lifecycle.preStop.exec.command*", _SCRIPTS),
    Difference(
        _NODES,
        "spec.template.metadata.annotations.sm-realtime/config-hash",
        "A node reads its files when it starts: a change of them replaces the nodes, each of which hands over first.",
    ),
    Difference(
        _NODES,
        "spec.replicas",
        "With two nodes the loss of one leaves no majority of sentinels to choose another primary: three at least.",
    ),
    Difference(
        _NODES,
        "spec.podManagementPolicy",
        "After a stop of all nodes the last primary must not wait for a node before it that may never come.",
    ),
    Difference(
        _NODES,
        "spec.template.spec.affinity.*",
        "Two nodes on one machine would go together, and with them the majority.",
    ),
)
"""All of them."""
