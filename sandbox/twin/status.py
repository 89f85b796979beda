"""The seven status fields of a SessionGroup, all always written.

`capacity` and `usage` are in units of capacity, `totalSessions` and `activeSessions` the same in sessions. The
contract fixes names and types only; this reading of the pairs is the twin's. Sessions on pods that are being
deleted are still sessions: they count in usage and activeSessions, while their pod no longer counts as capacity.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.twin.model import Json, Pod


def status(pods: Iterable[Pod], spec_hash: str, spec_version: int) -> Json:
    pods = list(pods)
    replicas = [pod for pod in pods if pod.counts]
    return {
        "activeSessions": sum(pod.sessions for pod in pods),
        "capacity": sum(pod.features.capacity for pod in replicas),
        "replicas": len(replicas),
        "specHash": spec_hash,
        "specVersion": spec_version,
        "totalSessions": sum(pod.features.capacity // max(1, pod.features.session_cost) for pod in replicas),
        "usage": sum(pod.usage for pod in pods),
    }
