"""A pod's status as a kubelet writes it (kubernetes: pkg/kubelet/status/generate.go). Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.kube import Json
from sandbox.nodes.clock import stamp


def is_sidecar(container: Json) -> bool:
    """Whether an init container is a native sidecar."""
    return container.get("restartPolicy") == "Always"


@dataclass(frozen=True)
class Seen:
    """What a kubelet knows of a pod it runs."""

    pod: Json
    init: Sequence[Json]
    """The init containers' statuses, in order."""
    containers: Sequence[Json]
    """The containers' statuses, in order."""
    pod_ip: str
    host_ip: str
    sandbox: bool
    """Whether sandbox and network stand."""
    started_at: str
    over: bool = False
    """The kubelet has stopped the pod for good."""


def _ended(statuses: Sequence[Json]) -> list[int]:
    return [s["state"]["terminated"]["exitCode"] for s in statuses if "terminated" in s["state"]]


def phase(seen: Seen) -> str:
    """Pending, Running, Succeeded or Failed."""
    spec = seen.pod["spec"]
    policy = spec.get("restartPolicy", "Always")
    ended = _ended(seen.containers)
    if seen.over:
        return "Succeeded" if len(ended) == len(seen.containers) and not any(ended) else "Failed"
    for container, status in zip(spec.get("initContainers") or [], seen.init, strict=True):
        failed = "terminated" in status["state"] and status["state"]["terminated"]["exitCode"] != 0
        if failed and policy == "Never" and not is_sidecar(container):
            return "Failed"
        begun = any("waiting" not in s["state"] or s["lastState"] for s in seen.containers)
        done = bool(status.get("started")) if is_sidecar(container) else bool(status["ready"])
        if not done and not begun:
            return "Pending"
    if any("waiting" in s["state"] and not s["lastState"] for s in seen.containers):
        return "Pending"
    if len(ended) < len(seen.containers) or policy == "Always":
        return "Running"
    if not any(ended):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _names(names: Sequence[str]) -> str:
    return f"[{' '.join(names)}]"


def _containers_ready(seen: Seen, now: str) -> Json:
    if now in ("Succeeded", "Failed"):
        return {"status": "False", "reason": "PodCompleted" if now == "Succeeded" else "PodFailed"}
    init = zip(seen.pod["spec"].get("initContainers") or [], seen.init, strict=True)
    counted = [status for container, status in init if is_sidecar(container)] + list(seen.containers)
    unready = [status["name"] for status in counted if not status["ready"]]
    if unready:
        return {
            "status": "False",
            "reason": "ContainersNotReady",
            "message": f"containers with unready status: {_names(unready)}",
        }
    return {"status": "True"}


def _gates(seen: Seen, current: Mapping[str, Json]) -> list[str]:
    texts = []
    for gate in seen.pod["spec"].get("readinessGates") or []:
        kind = gate["conditionType"]
        if kind not in current:
            texts.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif current[kind]["status"] != "True":
            texts.append(f'the status of pod readiness gate "{kind}" is not "True", but {current[kind]["status"]}')
    return texts


def _initialized(seen: Seen, now: str) -> Json:
    begun = any("waiting" not in s["state"] or s["lastState"] for s in seen.containers)
    if now == "Succeeded":
        return {"status": "True", "reason": "PodCompleted"}
    if begun:
        return {"status": "True"}
    incomplete = [
        status["name"]
        for container, status in zip(seen.pod["spec"].get("initContainers") or [], seen.init, strict=True)
        if not (status.get("started") if is_sidecar(container) else status["ready"])
    ]
    if not incomplete:
        return {"status": "True"}
    return {
        "status": "False",
        "reason": "ContainersNotInitialized",
        "message": f"containers with incomplete status: {_names(incomplete)}",
    }


def conditions(seen: Seen, now: str) -> list[Json]:
    """The conditions a kubelet owns; others stay as they are. A transition time is kept while the status is."""
    current = {c["type"]: c for c in seen.pod.get("status", {}).get("conditions") or []}
    containers_ready = _containers_ready(seen, now)
    gates = _gates(seen, current)
    ready = containers_ready
    if containers_ready["status"] == "True" and gates:
        ready = {"status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(gates)}
    wanted = {
        "PodReadyToStartContainers": {"status": "True" if seen.sandbox and not seen.over else "False"},
        "Initialized": _initialized(seen, now),
        "Ready": ready,
        "ContainersReady": containers_ready,
    }
    found = []
    for kind, condition in wanted.items():
        before = current.get(kind, {})
        same = before.get("status") == condition["status"]
        found.append(
            {
                "type": kind,
                "lastProbeTime": None,
                "lastTransitionTime": before["lastTransitionTime"] if same else stamp(),
                "observedGeneration": seen.pod["metadata"].get("generation"),
                "reason": condition.get("reason"),
                "message": condition.get("message"),
                "status": condition["status"],
            }
        )
    return found


def build(seen: Seen) -> Json:
    """The status as a strategic merge patch."""
    now = phase(seen)
    found: Json = {
        "observedGeneration": seen.pod["metadata"].get("generation"),
        "phase": now,
        "startTime": seen.started_at,
        "conditions": conditions(seen, now),
        "containerStatuses": list(seen.containers),
    }
    if seen.init:
        found["initContainerStatuses"] = list(seen.init)
    if seen.host_ip:
        found |= {"hostIP": seen.host_ip, "hostIPs": [{"ip": seen.host_ip}]}
    if seen.sandbox:
        found |= {"podIP": seen.pod_ip, "podIPs": [{"ip": seen.pod_ip}]}
    return found
