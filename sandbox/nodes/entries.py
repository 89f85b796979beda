"""A container's entry in its pod's status at the turns of its life. Pure, the time of the turn aside."""

from __future__ import annotations

import hashlib

from sandbox.kube import Json
from sandbox.nodes.clock import stamp
from sandbox.nodes.images import Reference
from sandbox.nodes.process import Exit


def fresh(spec: Json, pod_spec: Json) -> Json:
    """The entry of a container that was never created."""
    waiting = "PodInitializing" if pod_spec.get("initContainers") else "ContainerCreating"
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": waiting}},
        "lastState": {},
    }


def started(entry: Json, reference: Reference, pod_uid: str) -> Json:
    """What changes in the entry when the container has been created and started."""
    state = entry["state"]
    again = bool(entry["lastState"]) or "terminated" in state
    restarts = entry["restartCount"] + 1 if again else 0
    identity = hashlib.sha256(f"{pod_uid} {entry['name']} {restarts}".encode()).hexdigest()
    digest = reference.digest or f"sha256:{hashlib.sha256(reference.full.encode()).hexdigest()}"
    return {
        "image": reference.full,
        "imageID": f"{reference.name}@{digest}",
        "containerID": f"containerd://{identity}",
        "restartCount": restarts,
        "started": False,
        "ready": False,
        "lastState": state if "terminated" in state else entry["lastState"],
        "state": {"running": {"startedAt": stamp()}},
    }


def ended(entry: Json, exit_: Exit, *, done: bool) -> Json:
    """What changes in the entry when the process is over; `done`: an init container has done its work."""
    running = entry["state"].get("running") or {}
    return {
        "ready": done,
        "started": False,
        "state": {
            "terminated": {
                "exitCode": exit_.code,
                "reason": exit_.reason if exit_.code else "Completed",
                "startedAt": running.get("startedAt") or stamp(),
                "finishedAt": stamp(),
                "containerID": entry.get("containerID", ""),
            }
        },
    }
