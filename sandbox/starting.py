"""How long the platform's pods take to start by the stand-in's own table: the part of `make up` that is made up.

Pods start in the contract's order: Redis, what needs it, inference servers, what waits for their capacity.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.nodes import images
from sandbox.nodes.images import INFERENCE_SIDECAR, PULL_SECONDS, Need

Json = dict[str, Any]

STAGES = ("what waits for nothing", "what needs Redis", "inference servers", "what waits for capacity")


def seconds(pod: Json) -> float:
    """From the moment a pod is placed until it listens, needs aside: its images pulled, its containers started.

    Init containers run one after the other and end at once, unless they are sidecars; the others start together.
    """
    first = sum(
        PULL_SECONDS + (_start(each) if each.get("restartPolicy") == "Always" else 0.0)
        for each in pod["spec"].get("initContainers") or []
    )
    return first + max(PULL_SECONDS + _start(each) for each in pod["spec"]["containers"])


def _start(container: Json) -> float:
    known = images.of(container["image"])
    return known.start_seconds if known else 0.0


def stage(pod: Json) -> int:
    """Which of `STAGES` a pod belongs to."""
    containers = [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]
    needs = {known.needs for each in containers if (known := images.of(each["image"]))}
    names = {reference.original for each in containers if (reference := images.parse(each["image"]))}
    if Need.CAPACITY in needs:
        return 3
    if INFERENCE_SIDECAR in names:
        return 2
    return 1 if Need.REDIS in needs else 0


def path(pods: Iterable[Json]) -> dict[str, float]:
    """The longest start of each stage that has pods: one after the other, the least the whole can take."""
    longest: dict[int, float] = {}
    for pod in pods:
        longest[stage(pod)] = max(longest.get(stage(pod), 0.0), seconds(pod))
    return {STAGES[number]: longest[number] for number in sorted(longest)}


def told(took: float, of_which_update: float, stages: dict[str, float], factor: float) -> str:
    """What `make up` says of its own time."""
    table = sum(stages.values()) / factor
    listed = ", ".join(f"{name} {each / factor:.0f} s" for name, each in stages.items())
    return (
        f"It took {took:.0f} s, {of_which_update:.0f} s of them the update. By the stand-in's own table the pods alone "
        f"take {table:.0f} s, one after the other: {listed} (python -m sandbox images)."
    )
