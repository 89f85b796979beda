"""What was found in the cluster at one moment: the sessions of each group, and the session pods on the nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Group:
    """One SessionGroup. None is what its status does not say."""

    namespace: str
    name: str
    usage: int | None
    """Capacity in use: sessions of a transcriber, model cost of an inference server."""
    active_sessions: int | None

    @property
    def live(self) -> bool:
        """Whether it may hold a session; what is unknown may."""
        return self.usage != 0 or self.active_sessions != 0

    @property
    def text(self) -> str:
        """For a person: `rt-transcriber-en: 2 sessions, usage 2`."""
        if self.usage is None or self.active_sessions is None:
            return f"{self.name}: unknown, its status is missing (taken as live)"
        sessions = f"{self.active_sessions} session{'' if self.active_sessions == 1 else 's'}"
        return f"{self.name}: {sessions}, usage {self.usage}"


@dataclass(frozen=True)
class SessionPod:
    """A pod of a SessionGroup, idle or not."""

    namespace: str
    name: str
    pool: str
    """Name of the agent pool of its node; empty while it has no node."""


@dataclass(frozen=True)
class Reading:
    """The cluster at one moment. With a `problem` nothing is known, and everything is taken to be live."""

    groups: tuple[Group, ...] = ()
    pods: tuple[SessionPod, ...] = ()
    problem: str | None = None

    @property
    def live(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.live)


NOTHING = Reading()
"""There is no cluster, or no SessionGroup kind in it: known to hold no session."""


def number(value: Any) -> int | None:
    """A count in a status; None for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def group_of(item: dict[str, Any]) -> Group:
    """A SessionGroup as the API server lists it."""
    metadata, status = item["metadata"], item.get("status") or {}
    return Group(
        metadata["namespace"], metadata["name"], number(status.get("usage")), number(status.get("activeSessions"))
    )


def pods_of(pods: Iterable[dict[str, Any]], nodes: Iterable[dict[str, Any]]) -> tuple[SessionPod, ...]:
    """Session pods with the pool of their node. A pod that is finished holds nothing; one that is stopping may.

    A pod whose node is not listed is given the pool `?`: it counts for every pool.
    """
    pools = {node["metadata"]["name"]: (node["metadata"].get("labels") or {}).get("agentpool", "?") for node in nodes}
    found = []
    for pod in pods:
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        node = (pod.get("spec") or {}).get("nodeName")
        metadata = pod["metadata"]
        found.append(SessionPod(metadata["namespace"], metadata["name"], pools.get(node, "?") if node else ""))
    return tuple(found)
