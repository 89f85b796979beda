"""SessionGroups and their pods as the twin sees them: parsed once; what is doubtful is refused or counts live."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.hosted.host import Json, RefusedError
from sandbox.hosted.times import timestamp

__all__ = ["Json", "RefusedError"]

API_VERSION = "speechmatics.com/v1"
KIND = "SessionGroup"
VERSION_LABEL = "speechmatics.com/spec-version"
SESSIONS = "sandbox.sm-realtime/sessions"
"""Pod annotation: how many sessions the pod holds."""
IDLE_SINCE = "sandbox.sm-realtime/idle-since"
"""Pod annotation the twin writes: since when (RFC 3339) the pod has held no session; scale-down waits from here."""

SAFE_TO_EVICT = "speechmatics.io/safe-to-evict"
"""Pod label; `"false"`: nobody is to touch the pod."""

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str) -> float:
    """A Go duration of the CRD's pattern (`1m0s`) in seconds. Raises `ValueError` for anything else."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(n + u for n, u in parts) != duration:
        raise ValueError(f"not a duration: {duration!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


@dataclass(frozen=True)
class Features:
    """What a pod registers (`REGISTER_FEATURES`): its capacity and what one session costs of it, in the same unit."""

    capacity: int
    session_cost: int


OPERATING_POINTS = ("standard", "enhanced")
"""Endings of a model's name; a session uses the models of one of them."""

UNREGISTERED = Features(capacity=0, session_cost=1)
"""A pod that registers nothing can be asked for nothing; a session counted on it is still one session."""


def features(pod_template: Mapping[str, Any]) -> Features | None:
    """The features a pod (or its template) registers; None when no container has `REGISTER_FEATURES`.

    The cost of a session is that of the dearest language at one operating point: the largest sum over one key prefix
    (`en:…`) and one ending (`…_enhanced`) of `model_costs`, the shared models (`*:…`) left out as contract §12 does.
    Raises `RefusedError` for a text that the sidecar could not read either.
    """
    text = _register_features(pod_template)
    if text is None:
        return None
    try:
        payload = json.loads(text)
        capacity = _whole(payload["capacity"])
        sums: dict[tuple[str, str], int] = {}
        for key, cost in payload["model_costs"].items():
            ending = key.rpartition("_")[2]
            session = (key.split(":", 1)[0], ending if ending in OPERATING_POINTS else "")
            sums[session] = sums.get(session, 0) + _whole(cost)
        own = [total for (language, _), total in sums.items() if language != "*"]
        return Features(capacity, max(own or sums.values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(
            "FeaturesUnreadable", f"REGISTER_FEATURES is not what a sidecar can register: {error!r}"
        ) from error


def _register_features(pod_template: Mapping[str, Any]) -> str | None:
    spec = pod_template.get("spec") or {}
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        for env in container.get("env") or []:
            if env.get("name") == "REGISTER_FEATURES":
                if "value" not in env:
                    raise RefusedError("FeaturesUnreadable", "REGISTER_FEATURES has no literal value")
                return str(env["value"])
    return None


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a whole number of capacity")
    return value


@dataclass(frozen=True)
class Scaling:
    """`spec.scaling`; the delay in seconds as the object says it (not yet scaled by the time factor)."""

    enabled: bool = True
    minimum: int = 1
    maximum: int = 2
    down_delay: float = 300.0
    capacity_left: int = -1
    pods_left: float = -1.0
    max_down_at_once: int = 10


@dataclass(frozen=True)
class Group:
    """One SessionGroup. Defaults are the CRD's (contract §1.2)."""

    namespace: str
    name: str
    uid: str
    replicas: int
    scaling: Scaling
    features: Features | None = None
    allowed_surge: int = 1
    max_create_at_once: int = 3
    recreate: bool = False
    defrag: bool = False
    active_nodes: bool = False
    """`spec.activeNodeScheduling`."""
    deleting: bool = False
    unreadable: RefusedError | None = None
    """What keeps the twin from playing this group at all."""
    resource_version: str = ""
    template: Json = field(default_factory=dict, compare=False)
    status: Json | None = field(default=None, compare=False)


def group(obj: Json) -> Group:
    """The SessionGroup of an API object (already validated and defaulted by the API server)."""
    meta, spec = obj["metadata"], obj["spec"]
    scaling = spec["scaling"]
    unreadable, registered = None, None
    try:
        registered = features(spec["template"])
    except RefusedError as refused:
        unreadable = refused
    return Group(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        replicas=spec["replicas"],
        scaling=Scaling(
            enabled=scaling.get("enabled", True),
            minimum=scaling.get("minReplicas", 1),
            maximum=scaling.get("maxReplicas", 2),
            down_delay=seconds(scaling.get("scaleDownDelay", "5m")),
            capacity_left=scaling.get("scaleOnCapacityLeft", -1),
            pods_left=float(scaling.get("scaleOnPodsLeft", -1)),
            max_down_at_once=scaling.get("maxPodsScaledDownAtOnce", 10),
        ),
        features=registered,
        allowed_surge=spec.get("allowedSurge", 1),
        max_create_at_once=spec.get("maxPodsCreateAtOnce", 3),
        recreate=spec.get("strategyRecreate", False),
        defrag=(spec.get("defrag") or {}).get("enabled", False),
        active_nodes=spec.get("activeNodeScheduling", False),
        deleting="deletionTimestamp" in meta,
        unreadable=unreadable,
        resource_version=meta["resourceVersion"],
        template=spec["template"],
        status=obj.get("status") or None,
    )


@dataclass(frozen=True)
class Pod:
    """One pod of a SessionGroup."""

    name: str
    uid: str
    version: int = 0
    """Of the template it was made from; 0 when its label does not say."""
    ready: bool = False
    terminating: bool = False
    finished: bool = False
    """Its containers have ended for good (phase Failed or Succeeded): it holds no session, whatever was written."""
    lost: bool = False
    """Its node does not answer or is gone: it serves nobody new, its sessions may live."""
    sessions: int = 0
    safe_to_evict: str | None = None
    """The label of that name."""
    by_label: bool = False
    """Whether that label, and not its sessions, says that the pod is idle (`sandbox.sessions.rows.IdleRolling`)."""
    idle_since: float | None = None
    created: float = 0.0
    features: Features = UNREGISTERED
    resource_version: str = ""

    @property
    def idle(self) -> bool:
        """Whether the controller takes it for a pod without work."""
        if self.by_label and not self.finished:
            return self.safe_to_evict != "false"
        return self.sessions == 0

    @property
    def counts(self) -> bool:
        """Whether it is one of the group's replicas."""
        return not (self.terminating or self.finished or self.lost)

    @property
    def usage(self) -> int:
        return self.sessions * self.features.session_cost


def node_lost(obj: Json) -> bool:
    """Whether the node of an API object does not answer: it has a condition Ready that is not True."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] != "True" for each in conditions)


def pod(obj: Json, by_label: bool = False, lost: bool = False) -> Pod:
    """The pod of an API object. A count of sessions that cannot be read is a session: unknown counts as live.

    `lost`: its node does not answer or is gone, which a pod does not say of itself.
    """
    meta, status = obj["metadata"], obj.get("status") or {}
    annotations = meta.get("annotations") or {}
    phase = status.get("phase")
    finished = phase in ("Failed", "Succeeded")
    version = (meta.get("labels") or {}).get(VERSION_LABEL, "")
    try:
        registered = features(obj) or UNREGISTERED
    except RefusedError:
        registered = UNREGISTERED
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        version=int(version) if version.isdecimal() else 0,
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or []),
        terminating="deletionTimestamp" in meta,
        finished=finished,
        lost=lost,
        sessions=sessions(obj),
        safe_to_evict=(meta.get("labels") or {}).get(SAFE_TO_EVICT),
        by_label=by_label,
        idle_since=_idle_since(annotations.get(IDLE_SINCE)),
        created=timestamp(meta["creationTimestamp"]),
        features=registered,
        resource_version=meta["resourceVersion"],
    )


def sessions(obj: Json) -> int:
    """How many sessions the pod of an API object holds."""
    text = (obj["metadata"].get("annotations") or {}).get(SESSIONS, "0")
    if (obj.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return 0
    return int(text) if text.isdecimal() else 1


def _idle_since(text: str | None) -> float | None:
    try:
        value = timestamp(text) if text else None
    except ValueError:
        return None
    return value if value is None or math.isfinite(value) else None
