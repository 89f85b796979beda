"""Differences of the Redis with Sentinel, beside those that every mode has."""

from __future__ import annotations

from typing import Any

from components.cluster.redis_scripts import SCRIPTS as WRITTEN_OUT
from components.speech.differences.difference import NOTHING, Added, Difference, Like, Ours
from components.speech.differences.redis import HEALTH, MOUNTED, NODES, in_containers, ping

POD = "spec.template.spec"
REDIS, SENTINEL = (f"{POD}.containers[{each}]" for each in ("redis", "sentinel"))

_SCRIPTS = "The official image has no scripts: what a node runs at its start and at its end is written out."
_STATE = "What a sentinel knows stays on the node's disk: after a stop of all of them it says which was the primary."
_APART = "Two nodes on one machine would go together, and with them the majority of sentinels."
_THREE = "With two nodes the loss of one leaves no majority of sentinels to choose another primary: three at least."

_LABELS: dict[str, Any] = {
    "app.kubernetes.io/name": "redis",
    "app.kubernetes.io/instance": Like("[-a-z0-9]+"),
    "app.kubernetes.io/component": "node",
}
_OTHERS: dict[str, Any] = {"matchLabels": _LABELS}

_VARIABLES: list[dict[str, Any]] = [
    {"name": "REDIS_NODE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "REDIS_STEM", "value": Like("[-a-z0-9]+-redis-node")},
    {"name": "REDIS_DOMAIN", "value": Like(r"[-a-z0-9]+-redis-headless\.[-a-z0-9]+\.svc\.cluster\.local")},
    {"name": "REDIS_NODES", "value": "3"},
    {"name": "REDIS_STOP_SECONDS", "value": "20"},
]


def _run(script: str) -> list[str]:
    return ["sh", f"/opt/redis/{script}"]


def _scripts(container: str, name: str) -> tuple[Difference, ...]:
    """What a container runs, and where it has that from."""
    stop = {"preStop": {"exec": {"command": _run(f"stop-{name}.sh")}}}
    mount = {"name": "scripts", "mountPath": "/opt/redis", "readOnly": True}
    return (
        Difference(NODES, f"{container}.command", Added(_run(f"start-{name}.sh")), _SCRIPTS),
        Difference(NODES, f"{container}.env", Added(_VARIABLES), _SCRIPTS),
        Difference(NODES, f"{container}.lifecycle", Added(stop), _SCRIPTS),
        Difference(NODES, f"{container}.volumeMounts[scripts]", Added(mount), _SCRIPTS),
    )


REDIS_NODES: tuple[Difference, ...] = (
    Difference(
        "ConfigMap/*-redis-scripts",
        "data",
        Added(WRITTEN_OUT),
        "Scripts for the official image instead of bitnami's: those with which fail-over was tried on real processes.",
    ),
    Difference(
        "ConfigMap/*-redis-configuration",
        "data.node.conf",
        Added("protected-mode no\nmin-replicas-to-write 1\nmin-replicas-max-lag 10\n"),
        "A primary that no replica follows takes no writes: it would acknowledge what is lost when it is one no more.",
        where={"resourceManager.redis.sentinel.enabled": True},
    ),
    Difference(NODES, "spec.replicas", 3, _THREE),
    Difference(
        NODES,
        "spec.podManagementPolicy",
        Added("Parallel"),
        "After a stop of all nodes the last primary must not wait for a node before it that may never come.",
    ),
    Difference(
        NODES,
        "spec.template.metadata.annotations.sm-realtime/config-hash",
        Added(Like("[0-9a-f]{16}")),
        "A node reads its files when it starts: a change of them replaces the nodes, each of which hands over first.",
    ),
    Difference(
        NODES,
        f"{POD}.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        Added([{"topologyKey": "kubernetes.io/hostname", "labelSelector": _OTHERS}]),
        _APART,
    ),
    Difference(
        NODES,
        f"{POD}.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]",
        {
            "weight": 100,
            "podAffinityTerm": {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": _OTHERS},
        },
        f"{_APART} Apart they are in any case; what is preferred is a zone for each.",
    ),
    *_scripts(REDIS, "redis"),
    *_scripts(SENTINEL, "sentinel"),
    Difference(
        NODES,
        f"{POD}.volumes[scripts]",
        Added({"name": "scripts", "configMap": {"name": Like("[-a-z0-9]+-redis-scripts")}}),
        _SCRIPTS,
    ),
    Difference(NODES, f"{REDIS}.startupProbe.exec", ping("-q PONG"), HEALTH),
    *in_containers(NODES, SENTINEL),
    *(
        Difference(NODES, f"{SENTINEL}.{kind}Probe.exec", ping("-q PONG", port=26379), HEALTH)
        for kind in ("startup", "liveness", "readiness")
    ),
    Difference(
        NODES,
        f"{SENTINEL}.volumeMounts[configuration]",
        Added({"name": "configuration", "mountPath": "/etc/redis", "readOnly": True}),
        MOUNTED,
    ),
    Difference(
        NODES, f"{SENTINEL}.volumeMounts[redis-data]", Added({"name": "redis-data", "mountPath": "/data"}), _STATE
    ),
    Difference(NODES, f"{SENTINEL}.volumeMounts[sentinel-data]", NOTHING, _STATE),
    Difference(NODES, f"{POD}.volumes[sentinel-data]", NOTHING, _STATE),
    Difference(
        "PodDisruptionBudget/*-redis-node",
        "",
        Ours({"spec": {"maxUnavailable": 1, "selector": {"matchLabels": _LABELS}}}),
        "The outline of the chart has no budget; a drain that takes two nodes at once takes the majority.",
    ),
)
"""The differences."""
