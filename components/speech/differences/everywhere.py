"""Differences that several kinds of objects share: Helm's labels, placement, updates, graces."""

from __future__ import annotations

from typing import Any

from components.speech.differences.difference import NOTHING, Added, Difference, Like

SERVICES = (
    "Deployment/*resource-manager Deployment/*resource-manager-metrics Deployment/*resource-manager-reconciliation "
    "Deployment/sessiongroups-controller Deployment/*proxy-a Deployment/*proxy-b Deployment/*proxy-cache "
    "StatefulSet/*-redis-master StatefulSet/*-redis-replicas StatefulSet/*-redis-node"
)
SURGING = (
    "Deployment/*resource-manager Deployment/*resource-manager-metrics Deployment/sessiongroups-controller "
    "Deployment/*proxy-a Deployment/*proxy-b Deployment/*proxy-cache"
)
PLAIN_TRANSCRIBERS = "Deployment/*rt-transcriber-*"
PLAIN_SERVERS = "Deployment/*inference-server-*"
TRANSCRIBERS = f"SessionGroup/*rt-transcriber-* {PLAIN_TRANSCRIBERS}"
SERVERS = f"SessionGroup/*inference-server-* {PLAIN_SERVERS}"
SESSIONS = f"{TRANSCRIBERS} {SERVERS} Deployment/*proxy-a Deployment/*proxy-b"

AUTOSCALER_VETO = "spec.template.metadata.annotations.cluster-autoscaler.kubernetes.io/safe-to-evict"
DAY = 86_400
"""The longest session by default, in seconds."""

_NOT_HELM = (
    "The objects are not Helm's: with Helm's labels, `helm uninstall` and `helm adopt` would take them for its own."
)
_PLACEMENT = (
    "Each kind of work has a pool of its own, and pods choose its active generation, so that nodes are replaced "
    "beside the old ones and never under a session. The vendor leaves placement to the installer."
)
_TAINT = (
    "The pool's taint keeps every other work away from it; this toleration lets its own in. It stands after those of "
    "the vendor, which all stay. The GPU pool has the taint the vendor's servers tolerate, so nothing is added there."
)
SURGE = (
    "New before old, one at a time. Kubernetes' 25 % takes nothing away while there are fewer than four pods, because "
    "it rounds down; from four on it takes pods away before new ones are ready."
)
GRACE = (
    "A session lasts up to 24 hours; told to stop, its pod must be allowed to live as long. The default of 30 seconds "
    "(transcriber) or 600 seconds (inference server) cuts it."
)
AUTOSCALER = "The cluster autoscaler must not take the node away from under a session."


def placed_on(objects: str, role: str, stem: str) -> tuple[Difference, ...]:
    selector = "spec.template.spec.nodeSelector.sm-realtime"
    return (
        Difference(objects, f"{selector}/pool", Added(role), _PLACEMENT),
        Difference(objects, f"{selector}/generation", Added(Like(f"{stem}[0-9]{{2}}[0-9a-f]{{5}}")), _PLACEMENT),
    )


def tolerating(objects: str, role: str) -> Difference:
    toleration: dict[str, Any] = {
        "key": "sm-realtime/pool",
        "operator": "Equal",
        "value": role,
        "effect": "NoSchedule",
    }
    return Difference(objects, "spec.template.spec.tolerations[*]", Added(toleration), _TAINT)


def surging(objects: str, surge: object, unavailable: object) -> tuple[Difference, ...]:
    update = "spec.strategy.rollingUpdate"
    return (
        Difference(objects, f"{update}.maxSurge", surge, SURGE),
        Difference(objects, f"{update}.maxUnavailable", unavailable, SURGE),
    )


EVERYWHERE: tuple[Difference, ...] = (
    Difference("*", "metadata.labels.app.kubernetes.io/managed-by", "sm-realtime", _NOT_HELM),
    Difference("*", "metadata.labels.helm.sh/chart", NOTHING, _NOT_HELM),
    Difference("*", "metadata.annotations.helm.sh/chart", NOTHING, _NOT_HELM),
    *placed_on(SERVICES, "services", "svc"),
    *placed_on(TRANSCRIBERS, "transcribers", "trans"),
    *placed_on(SERVERS, "inference", "(infer|t4b)"),
    tolerating(SERVICES, "services"),
    tolerating(TRANSCRIBERS, "transcribers"),
    Difference(
        SERVERS,
        "spec.template.spec.tolerations[*]",
        Added({"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}),
        "Where the configuration's own tolerations take the place of the vendor's, that of the GPU pool's taint stays.",
    ),
    Difference(SURGING, "spec.strategy.type", Added("RollingUpdate"), SURGE),
    *surging("Deployment/*resource-manager Deployment/*proxy-a Deployment/*proxy-b Deployment/*proxy-cache", 1, 0),
    *surging("Deployment/*resource-manager-metrics Deployment/sessiongroups-controller", Added(1), Added(0)),
    Difference(SERVERS, "spec.template.spec.terminationGracePeriodSeconds", DAY, GRACE),
    Difference("SessionGroup/*rt-transcriber-*", "spec.template.spec.terminationGracePeriodSeconds", Added(DAY), GRACE),
    Difference(
        "SessionGroup/*",
        "metadata.annotations.pulumi.com/patchForce",
        Added(Like("true|false")),
        "Tells the provider whose number of pods it is: the program's, or its controller's while it is scaled.",
    ),
    Difference(SESSIONS, AUTOSCALER_VETO, Added("false"), AUTOSCALER),
)
"""The differences."""
