"""Emptying nodes: cordon, eviction that honours budgets, a deadline.

The pause between refused evictions is kubectl's; DaemonSet pods and mirror pods are left alone, as every drain of AKS
leaves them. What comes after a drain that failed is its caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.azure.errors import ArmError
from sandbox.kube import Json, Kube, KubeError

EVICT_AGAIN_SECONDS = 5.0
"""The pause after an eviction that a budget refused (kubectl's drain, `evictPods`)."""

LOOK_SECONDS = 0.2
"""How often a node whose pods are stopping is looked at. Seconds of this machine."""


@dataclass(frozen=True)
class Undrained:
    """A node that still had pods when time was up."""

    node: str
    pods: tuple[str, ...]
    refused: tuple[str, str] | None
    """A pod the API server would not evict, and what it said; None when all were evicted and are only slow to stop."""


async def cordon(kube: Kube, name: str, on: bool = True) -> None:
    """Keep new pods from a node, or let them in again. A node that is gone needs neither."""
    try:
        await kube.merge("v1", "Node", name, {"spec": {"unschedulable": True if on else None}})
    except KubeError as error:
        if error.code != 404:
            raise


async def empty(kube: Kube, name: str, seconds: float, time_factor: float, *, budgets: bool = True) -> Undrained | None:
    """Cordon a node and evict its pods within `seconds` (unscaled). None once it is empty.

    Without `budgets` pods are deleted instead of evicted: no budget is asked, each keeps its own grace.
    """
    await cordon(kube, name)
    pause = min(EVICT_AGAIN_SECONDS, seconds) / time_factor
    left: list[Json] = []
    refused: dict[str, str] = {}
    try:
        async with asyncio.timeout(seconds / time_factor):
            while True:
                left = [p for p in await kube.list("v1", "Pod", fields=f"spec.nodeName={name}") if evictable(p)]
                if not left:
                    return None
                answers = {}
                for pod in left:
                    if "deletionTimestamp" not in pod["metadata"]:
                        answers[pod["metadata"]["name"]] = await _evict(kube, pod, budgets)
                refused = {pod: message for pod, message in answers.items() if message is not None}
                await asyncio.sleep(pause if refused else LOOK_SECONDS)
    except TimeoutError:
        names = tuple(sorted(pod["metadata"]["name"] for pod in left))
        return Undrained(name, names, next(iter(refused.items()), None))


async def drain(kube: Kube, names: Sequence[str], seconds: float, time_factor: float) -> None:
    """Empty nodes before their pool is deleted. Raises `ArmError` (PodDrainFailure) when `seconds` are over.

    In the field AKS gives this drain ten minutes (Azure/AKS#2090, with the wording; #3996).
    """
    for name in names:
        await cordon(kube, name)
    outcomes = await asyncio.gather(*(empty(kube, name, seconds, time_factor) for name in names))
    stuck = next((one for one in outcomes if one is not None), None)
    if stuck is not None:
        # azure-native reports the poll of a long operation, whose own HTTP status is 200
        raise ArmError(
            200,
            "PodDrainFailure",
            f"Node '{stuck.node}' failed to be drained with error: '{incomplete(stuck, seconds)}'",
        )


def incomplete(stuck: Undrained, seconds: float) -> str:
    """How AKS says that a drain took too long (Azure/AKS#2090)."""
    return f"Drain did not complete pods [{' '.join(stuck.pods)}] within {minutes(seconds)}"


def minutes(seconds: float) -> str:
    """A duration as Go prints it: `30m0s`."""
    whole, rest = divmod(int(seconds), 60)
    return f"{whole}m{rest}s"


async def _evict(kube: Kube, pod: Json, budgets: bool) -> str | None:
    """What the API server said when a budget refused it; None when the pod goes."""
    meta = pod["metadata"]
    try:
        if budgets:
            await kube.evict(meta["name"], meta["namespace"])
        else:
            await kube.delete("v1", "Pod", meta["name"], meta["namespace"], uid=meta["uid"])
    except KubeError as error:
        if error.code in (403, 422, 429):  # a budget answers 429, an admission policy one of the others
            return error.message
        if error.code not in (404, 409):
            raise
    return None


def evictable(pod: Json) -> bool:
    return not by_daemon_set(pod) and not is_mirror(pod)


def by_daemon_set(pod: Json) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    return any(owner["kind"] == "DaemonSet" and owner.get("controller") for owner in owners)


def is_mirror(pod: Json) -> bool:
    return "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})
