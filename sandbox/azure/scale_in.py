"""The cluster autoscaler, scaling in: nodes unneeded for long enough are drained and taken away.

kubernetes/autoscaler: FAQ ("How does scale-down work?"), core/scaledown. A node is unneeded while it is used less than
its threshold, nothing on it has a veto, and all its pods fit elsewhere. Empty nodes go in bulk, others one at a time.
Timers live in the process, as the real one's do; taints that an earlier process has left are removed at the start.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Callable, Mapping

from sandbox.azure import scaler_profile
from sandbox.azure.drainability import SCALE_DOWN_DISABLED, occupied, underused, veto
from sandbox.azure.eviction import Evictor, mark, unmark
from sandbox.azure.fitting import Host, can_run, host_of
from sandbox.azure.pools import Pools, is_ready
from sandbox.azure.records import record
from sandbox.azure.scaler_profile import Profile
from sandbox.azure.store import Record
from sandbox.azure.watching import Informer
from sandbox.kube import Json, Kube, KubeError
from sandbox.nodes.clock import Clock, epoch

COMPONENT = "cluster-autoscaler"
LEAST_SECONDS = 0.2
"""The shortest pause between two looks, however time is scaled. Seconds of this machine."""

_log = logging.getLogger(__name__)


class ScaleIn:
    """The scale-in of one cluster. `last_add` says when machines were last added (monotonic seconds)."""

    def __init__(
        self,
        kube: Kube,
        pools: Pools,
        cluster: Record,
        all_pools: Callable[[], list[Record]],
        kinds: Mapping[str, Informer],
        clock: Clock,
        last_add: Callable[[], float],
    ) -> None:
        self._kube, self._pools, self._cluster, self._all_pools = kube, pools, cluster, all_pools
        self._informers = kinds["Node"], kinds["Pod"], kinds["PodDisruptionBudget"]
        self._clock, self._last_add = clock, last_add
        self._unneeded: dict[str, float] = {}
        self._going: dict[str, asyncio.Task[None]] = {}
        self._last_delete = self._last_failure = float("-inf")

    async def run(self) -> None:
        nodes, *_ = self._informers
        for informer in self._informers:
            await informer.synced.wait()
        try:
            for node in nodes.all():
                await unmark(self._kube, node)
            while True:
                profile = scaler_profile.profile(self._cluster.state)
                try:
                    self.look(profile)
                except Exception:
                    _log.exception("scale-in failed; trying again")
                await asyncio.sleep(max(LEAST_SECONDS, self._clock.real(profile.scan_interval)))
        finally:
            for task in self._going.values():
                task.cancel()
            await asyncio.gather(*self._going.values(), return_exceptions=True)

    def look(self, profile: Profile) -> None:
        """One pass: keep the timers, start what is due."""
        nodes, pods, budgets = (informer.all() for informer in self._informers)
        on: dict[str, list[Json]] = {node["metadata"]["name"]: [] for node in nodes}
        for pod in pods:
            if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
                on.get(pod["spec"].get("nodeName", ""), []).append(pod)
        hosts = {node["metadata"]["name"]: host_of(node, on[node["metadata"]["name"]], {}) for node in nodes}
        for name in self._going:
            hosts.pop(name, None)
        machines = self._machines()
        now, unneeded = time.monotonic(), {}
        for node in sorted(nodes, key=lambda one: str(one["metadata"]["name"])):
            name = node["metadata"]["name"]
            there = [pod for pod in on[name] if not self._long_terminating(pod)]
            if (
                name in machines
                and name not in self._going
                and (node["metadata"].get("annotations") or {}).get(SCALE_DOWN_DISABLED) != "true"
                and underused(node, there, profile)
                and not any(veto(pod, profile, budgets) for pod in there)
                and movable(name, there, hosts)
            ):
                unneeded[name] = self._unneeded.get(name, now)
        self._unneeded = unneeded
        if not self._cooling(profile, now):
            self._start(profile, {n["metadata"]["name"]: n for n in nodes}, on, machines, now)

    def _machines(self) -> dict[str, tuple[Record, int]]:
        """The machines of pools that are scaled, by node."""
        found: dict[str, tuple[Record, int]] = {}
        for pool in self._all_pools():
            if pool.state["enableAutoScaling"] and pool.state["provisioningState"] == "Succeeded":
                found |= {self._pools.name(pool, index): (pool, index) for index in self._pools.members(pool)}
        return found

    def _cooling(self, profile: Profile, now: float) -> bool:
        real = self._clock.real
        return (
            now < self._last_add() + real(profile.delay_after_add)
            or now < self._last_delete + real(profile.delay_after_delete)
            or now < self._last_failure + real(profile.delay_after_failure)
        )

    def _start(
        self,
        profile: Profile,
        nodes: Mapping[str, Json],
        on: Mapping[str, list[Json]],
        machines: Mapping[str, tuple[Record, int]],
        now: float,
    ) -> None:
        """Start the deletion of all empty nodes that are due, else of one that is not empty."""
        leaving: dict[str, int] = {}
        for name in self._going:
            if name in machines:
                pool, _ = machines[name]
                leaving[pool.id] = leaving.get(pool.id, 0) + 1
        due = []
        for name, since in self._unneeded.items():
            wait = profile.unneeded if is_ready(nodes[name]) else profile.unready
            pool, _ = machines[name]
            room = int(pool.state["count"]) - leaving.get(pool.id, 0) > int(pool.state["minCount"])
            if now - since >= self._clock.real(wait) and room:
                due.append(name)
        empty = [name for name in due if not occupied(on[name])]
        chosen = empty[: profile.max_empty_bulk_delete]
        if not chosen and not self._going:
            chosen = due[:1]
        for name in chosen:
            pool, index = machines[name]
            if int(pool.state["count"]) - leaving.get(pool.id, 0) > int(pool.state["minCount"]):
                leaving[pool.id] = leaving.get(pool.id, 0) + 1
                del self._unneeded[name]
                self._going[name] = asyncio.create_task(self._take(profile, nodes[name], pool, index, on[name]))
                self._going[name].add_done_callback(functools.partial(self._gone, name))

    def _gone(self, name: str, _: asyncio.Task[None]) -> None:
        self._going.pop(name, None)

    async def _take(self, profile: Profile, node: Json, pool: Record, index: int, pods: list[Json]) -> None:
        """Drain a node and take its machine away, or let it be when a pod cannot be evicted."""
        try:
            await mark(self._kube, node)
            await record(
                self._kube, COMPONENT, node, "Normal", "ScaleDown", "marked the node as toBeDeleted/unschedulable"
            )
            refused = await Evictor(self._kube, self._clock, profile).drain(node["metadata"]["name"], occupied(pods))
            if refused is None and pool.state["provisioningState"] == "Succeeded":
                await self._pools.remove(pool, [index])
                self._last_delete = time.monotonic()
                return
            self._last_failure = time.monotonic()
            await unmark(self._kube, await self._kube.get("v1", "Node", node["metadata"]["name"]))
            await record(
                self._kube, COMPONENT, node, "Warning", "ScaleDownFailed", f"failed to drain the node: {refused}"
            )
        except KubeError as error:
            _log.warning("scale-in of %s: %s", node["metadata"]["name"], error)
            self._last_failure = time.monotonic()
            with contextlib.suppress(KubeError):  # gone, or out of reach: the next start removes the mark
                await unmark(self._kube, node)

    def _long_terminating(self, pod: Json) -> bool:
        """A pod that should have stopped long ago counts no more (utils/drain, `IsPodLongTerminating`)."""
        asked = pod["metadata"].get("deletionTimestamp")
        if asked is None:
            return False
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        return time.time() > epoch(asked) - grace + self._clock.real(grace + scaler_profile.HEADROOM_SECONDS)


def movable(name: str, pods: list[Json], hosts: Mapping[str, Host]) -> bool:
    """Whether all pods of a node that would have to move fit on the others, one after another."""
    others = [
        Host(h.labels, h.taints, h.allocatable, h.unschedulable, list(h.pods)) for n, h in hosts.items() if n != name
    ]
    for pod in pods:
        if not occupied([pod]):
            continue
        for host in others:
            if can_run(pod, host, [other for other in others if other is not host]) is None:
                host.pods.append(pod)
                break
        else:
            return False
    return True
