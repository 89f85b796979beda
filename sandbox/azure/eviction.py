"""How the cluster autoscaler empties a node: every grace cut to the profile's, refusals repeated for two minutes.

kubernetes/autoscaler, core/scaledown/actuation/drain.go; the taint: utils/taints (`ToBeDeletedTaint`). When the time
for stopping is over the machine goes whatever is on it (FAQ, "Does CA respect GracefulTermination in scale-down?").
"""

from __future__ import annotations

import asyncio
import time

from sandbox.azure.drain import LOOK_SECONDS, by_daemon_set, is_mirror
from sandbox.azure.records import record
from sandbox.azure.scaler_profile import EVICT_AGAIN_SECONDS, EVICTION_SECONDS, HEADROOM_SECONDS, Profile
from sandbox.kube import Json, Kube, KubeError
from sandbox.nodes.clock import Clock

TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"
DEFAULT_GRACE = 30
"""A pod's grace when it names none (Kubernetes API)."""


async def mark(kube: Kube, node: Json) -> None:
    """Keep new pods from a node that goes."""
    taints = _others(node)
    taint = {"key": TO_BE_DELETED, "value": str(int(time.time())), "effect": "NoSchedule"}
    await kube.merge("v1", "Node", node["metadata"]["name"], {"spec": {"taints": [*taints, taint]}})


async def unmark(kube: Kube, node: Json) -> None:
    others = _others(node)
    if len(others) != len(node["spec"].get("taints") or []):
        await kube.merge("v1", "Node", node["metadata"]["name"], {"spec": {"taints": others}})


def _others(node: Json) -> list[Json]:
    return [taint for taint in node["spec"].get("taints") or [] if taint["key"] != TO_BE_DELETED]


class Evictor:
    def __init__(self, kube: Kube, clock: Clock, profile: Profile) -> None:
        self._kube, self._clock, self._profile = kube, clock, profile

    async def drain(self, node: str, occupied: bool) -> str | None:
        """Evict the node's pods and wait until they are gone or their time is over. What refused it; else None."""
        pods = [pod for pod in await self._on(node) if not is_mirror(pod)]
        daemons = [pod for pod in pods if by_daemon_set(pod)]
        movable = [pod for pod in pods if not by_daemon_set(pod)]
        wanted = self._profile.evict_daemonsets_occupied if occupied else self._profile.evict_daemonsets_empty
        answers = await asyncio.gather(*(self._evict(pod) for pod in movable))
        if wanted:  # as well as it goes
            await asyncio.gather(*(self._once(pod) for pod in daemons))
        refused = [answer for answer in answers if answer is not None]
        if refused:
            return refused[0]
        await self._wait(node, {pod["metadata"]["uid"] for pod in movable})
        return None

    async def _wait(self, node: str, uids: set[str]) -> None:
        longest = self._profile.max_graceful_termination + HEADROOM_SECONDS
        deadline = time.monotonic() + self._clock.real(longest)
        while time.monotonic() < deadline:
            if not uids & {pod["metadata"]["uid"] for pod in await self._on(node)}:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _evict(self, pod: Json) -> str | None:
        meta = pod["metadata"]
        await record(self._kube, "cluster-autoscaler", pod, "Normal", "ScaleDown", "deleting pod for node scale down")
        until = time.monotonic() + self._clock.real(EVICTION_SECONDS)
        while True:
            answer = await self._once(pod)
            if answer is None:
                return None
            if time.monotonic() >= until:
                what = f"failed to evict pod {meta['namespace']}/{meta['name']} within allowed timeout"
                return f"{what} (last error: {answer})"
            await self._clock.sleep(EVICT_AGAIN_SECONDS)

    async def _once(self, pod: Json) -> str | None:
        """Why the API server refused the eviction; None when the pod goes."""
        meta, grace = pod["metadata"], pod["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE)
        try:
            await self._kube.evict(meta["name"], meta["namespace"], min(grace, self._profile.max_graceful_termination))
        except KubeError as error:
            return None if error.code == 404 else error.message
        return None

    async def _on(self, node: str) -> list[Json]:
        return await self._kube.list("v1", "Pod", fields=f"spec.nodeName={node}")
