"""Where the twin lives: the pods in which the vendor's controller would be running now."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.hosted import host as hosted
from sandbox.hosted.host import Json, RefusedError, repository
from sandbox.twin.environment import unplayed, watched

LABELS = "control-plane=sessiongroups-controller"
IMAGE = "sessiongroups-controller"
"""The last part of the controller's image repository (contract §3.3)."""


@dataclass(frozen=True)
class Host(hosted.Host):
    """One running controller, as its pod describes it."""

    watched: str
    """The namespace it looks at (`TRANSCRIBER_NAMESPACE`)."""
    leader_elect: bool
    unplayed: tuple[str, ...] = ()
    """What its environment sets and the twin passes over."""


def host(pod: Json) -> Host:
    """What the controller in this pod is told. Raises `RefusedError` for what the twin cannot read or play."""
    meta, spec = pod["metadata"], pod["spec"]
    containers = [c for c in spec["containers"] if repository(c["image"]) == IMAGE]
    if len(containers) != 1:
        raise RefusedError(
            "NotTheController",
            f"{len(containers)} containers have the image {IMAGE}, one is the controller (contract §3.3)",
        )
    (container,) = containers
    unknown = [argument for argument in container.get("args") or [] if argument != "--leader-elect"]
    if unknown or container.get("command"):
        raise RefusedError(
            "ArgumentsNotKnown", f"command or arguments not known: {container.get('command') or unknown}"
        )
    return Host(
        namespace=meta["namespace"],
        pod=meta["name"],
        uid=meta["uid"],
        service_account=spec.get("serviceAccountName", "default"),
        watched=watched(container, meta["namespace"]),
        leader_elect="--leader-elect" in (container.get("args") or []),
        unplayed=unplayed(container),
    )
