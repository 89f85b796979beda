"""Emptying nodes before a pool's deletion: cordon, eviction that honours budgets, a deadline.

In the field AKS gives a drain ten minutes and answers PodDrainFailure (Azure/AKS#2090, with the wording; #3996).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sandbox.azure.errors import ArmError
from sandbox.kube import Json, Kube, KubeError

EVICT_AGAIN_SECONDS = 5.0
"""The pause after an eviction that a budget refused (kubectl's drain, `evictPods`)."""


async def drain(kube: Kube, names: Sequence[str], seconds: float, time_factor: float) -> None:
    """Cordon the nodes and evict their pods. Raises `ArmError` (PodDrainFailure) when `seconds` (unscaled) are over.

    Pods of DaemonSets and mirror pods are left alone, as every drain leaves them.
    """
    for name in names:
        await kube.merge("v1", "Node", name, {"spec": {"unschedulable": True}})
    remaining = await asyncio.gather(*(_drain_node(kube, name, seconds / time_factor, time_factor) for name in names))
    stuck = next(((name, pods) for name, pods in zip(names, remaining, strict=True) if pods), None)
    if stuck is not None:
        name, pods = stuck
        minutes, rest = divmod(int(seconds), 60)
        # azure-native reports the poll of a long operation, whose own HTTP status is 200
        raise ArmError(
            200,
            "PodDrainFailure",
            f"Node '{name}' failed to be drained with error: 'Drain did not complete pods [{' '.join(pods)}] within "
            f"{minutes}m{rest}s'",
        )


async def _drain_node(kube: Kube, name: str, seconds: float, time_factor: float) -> list[str]:
    """The pods still there when time was up; none when the node is empty."""
    pause = min(EVICT_AGAIN_SECONDS / time_factor, seconds)
    left: list[Json] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                left = [p for p in await kube.list("v1", "Pod", fields=f"spec.nodeName={name}") if evictable(p)]
                if not left:
                    return []
                refused = [await _evict(kube, pod) for pod in left if "deletionTimestamp" not in pod["metadata"]]
                await asyncio.sleep(pause if any(refused) else 0.2)
    except TimeoutError:
        return sorted(pod["metadata"]["name"] for pod in left)


async def _evict(kube: Kube, pod: Json) -> bool:
    """Whether a budget refused it."""
    try:
        await kube.evict(pod["metadata"]["name"], pod["metadata"]["namespace"])
    except KubeError as error:
        if error.code not in (404, 429):
            raise
        return error.code == 429
    return False


def evictable(pod: Json) -> bool:
    owners = pod["metadata"].get("ownerReferences") or []
    by_daemon_set = any(owner["kind"] == "DaemonSet" and owner.get("controller") for owner in owners)
    mirror = "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})
    return not by_daemon_set and not mirror
