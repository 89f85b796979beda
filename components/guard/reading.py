"""What was found in the cluster at one moment: the sessions of each group, and the session pods on the nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from components.speech.crd import KIND

OTHER_OWNERS = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
"""Kinds of Kubernetes' own that make pods. The sessiongroups-controller may not make any of them (contract: control
plane 8), so their pods are no session group's."""


YOUNG = timedelta(minutes=1)
"""A group that was made within it may not have been seen by its controller yet."""


@dataclass(frozen=True)
class Group:
    """One SessionGroup. None is what its status does not say."""

    namespace: str
    name: str
    usage: int | None
    """Capacity in use: sessions of a transcriber, model cost of an inference server."""
    active_sessions: int | None
    replicas: int | None = None
    """`spec.replicas` as it is in the cluster, which the controller writes while scaling is on."""
    scaled: bool | None = None
    """`spec.scaling.enabled` as it is in the cluster."""
    made: datetime | None = None
    """When it was created."""

    @property
    def live(self) -> bool:
        """Whether it may hold a session; what is unknown may."""
        return self.usage != 0 or self.active_sessions != 0

    @property
    def silent(self) -> bool:
        """Whether its status does not say what it holds."""
        return self.usage is None or self.active_sessions is None

    def awaited(self, now: datetime) -> bool:
        """Whether its first status may come any moment. A clock that is off makes one wait or not, no group idle."""
        return self.silent and self.made is not None and now - self.made < YOUNG

    @property
    def text(self) -> str:
        """For a person: `rt-transcriber-en: 2 sessions, usage 2`."""
        if self.silent:
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


def moment(value: Any) -> datetime | None:
    """A time as the API server writes it; None for anything that is none."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def never_ran(item: dict[str, Any]) -> bool:
    """Whether a SessionGroup has no status at all: its controller has never reconciled it."""
    return not item.get("status")


def group_of(item: dict[str, Any], pods: Iterable[dict[str, Any]] | None = None) -> Group:
    """A SessionGroup as the API server lists it.

    `pods` are all pods of its namespace, listed after it; None: they were not looked at. A group that never ran and
    has none holds no session.
    """
    metadata, status = item["metadata"], item.get("status") or {}
    usage, sessions = number(status.get("usage")), number(status.get("activeSessions"))
    if never_ran(item) and pods is not None and not any(_may_be_of(metadata, pod) for pod in pods):
        usage, sessions = 0, 0
    spec = item.get("spec") or {}
    scaled = (spec.get("scaling") or {}).get("enabled")
    return Group(
        metadata["namespace"],
        metadata["name"],
        usage,
        sessions,
        number(spec.get("replicas")),
        scaled if isinstance(scaled, bool) else None,
        moment(metadata.get("creationTimestamp")),
    )


def _may_be_of(group: dict[str, Any], pod: dict[str, Any]) -> bool:
    """Whether a pod may be this group's: anything that has not ended and whose controller is not known to be another.

    Labels do not tell: the vendor's controller may change them, and not every group's pods carry one that is known.
    """
    if _ended(pod):
        return False
    metadata = pod["metadata"]
    owner = next((each for each in metadata.get("ownerReferences") or [] if each.get("controller")), None)
    if owner is None:
        return True
    if owner["kind"] == KIND:
        return bool(owner["name"] == group["name"] or owner["uid"] == group.get("uid"))
    return owner["kind"] not in OTHER_OWNERS


def _ended(pod: dict[str, Any]) -> bool:
    """A pod that is finished holds nothing; one that is stopping may."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def pods_of(pods: Iterable[dict[str, Any]], nodes: Iterable[dict[str, Any]]) -> tuple[SessionPod, ...]:
    """Session pods with the pool of their node.

    A pod whose node is not listed is given the pool `?`: it counts for every pool.
    """
    pools = {node["metadata"]["name"]: (node["metadata"].get("labels") or {}).get("agentpool", "?") for node in nodes}
    found = []
    for pod in pods:
        if _ended(pod):
            continue
        node = (pod.get("spec") or {}).get("nodeName")
        metadata = pod["metadata"]
        found.append(SessionPod(metadata["namespace"], metadata["name"], pools.get(node, "?") if node else ""))
    return tuple(found)
