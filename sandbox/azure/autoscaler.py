"""The cluster autoscaler, scaling out: machines for pods that no node can take. Scaling in: `scale_in`.

Reasons and wording of events: kubernetes/autoscaler, cluster-autoscaler (`TriggeredScaleUp`, `NotTriggerScaleUp`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from sandbox.azure import ids, nodes, sizes
from sandbox.azure.fitting import Host, can_run, host_of
from sandbox.azure.pools import Pools, next_zone
from sandbox.azure.quantity import Amounts, amounts
from sandbox.azure.records import record
from sandbox.azure.store import Record
from sandbox.azure.watching import Informer, reconcile_forever
from sandbox.kube import Json, Kube

GPU = "nvidia.com/gpu"
SETTLE_SECONDS = 0.5
"""How long changes are gathered before a pass (the real one looks every ten seconds)."""


@dataclass(frozen=True)
class Growth:
    """So many machines more for a pool, and the pods that asked for them."""

    pool: Record
    count: int
    pods: tuple[Json, ...]


@dataclass(frozen=True)
class Plan:
    growth: list[Growth]
    hopeless: list[tuple[Json, str]]
    """Pods that no new machine would help, and why."""


class Autoscaler:
    """The autoscaler of one cluster."""

    def __init__(
        self, kube: Kube, pools: Pools, all_pools: Callable[[], list[Record]], kinds: Mapping[str, Informer]
    ) -> None:
        self._kube, self._pools, self._all_pools = kube, pools, all_pools
        self._pods, self._nodes = kinds["Pod"], kinds["Node"]
        self.last_add = float("-inf")
        """When it last added machines: monotonic seconds."""
        self._told: set[tuple[str, str]] = set()

    async def run(self) -> None:
        await reconcile_forever("cluster-autoscaler", [self._pods, self._nodes], self._reconcile, SETTLE_SECONDS)

    async def _reconcile(self) -> None:
        pods = self._pods.all()
        pending = [pod for pod in pods if is_unschedulable(pod)]
        if not pending:
            return
        scaled = [pool for pool in self._all_pools() if is_scaled(pool)]
        templates = {pool.id: self._template(pool) for pool in scaled}
        hosts = [host_of(node, _on(pods, node), _expected_gpus(node)) for node in self._nodes.all()]
        found = plan(pending, hosts, scaled, templates)
        for growth in found.growth:
            before = int(growth.pool.state["count"])
            highest = growth.pool.state["maxCount"]
            for pod in growth.pods:
                message = (
                    f"pod triggered scale-up: [{{{nodes.scale_set(self._pools.cluster, ids.name(growth.pool.id))} "
                    f"{before}->{before + growth.count} (max: {highest})}}]"
                )
                await record(self._kube, "cluster-autoscaler", pod, "Normal", "TriggeredScaleUp", message)
            self.last_add = time.monotonic()
            await self._pools.grow(growth.pool, growth.count)
        for pod, reason in found.hopeless:
            told = pod["metadata"]["uid"], reason
            if told not in self._told:
                self._told.add(told)
                message = f"pod didn't trigger scale-up: {reason}"
                await record(self._kube, "cluster-autoscaler", pod, "Normal", "NotTriggerScaleUp", message)

    def _template(self, pool: Record) -> Host:
        """The next machine of a pool, GPUs included although only its device plugin will report them."""
        zone = next_zone(pool.state.get("availabilityZones") or [], self._pools.members(pool).values())
        cluster, name = self._pools.cluster, ids.name(pool.id)
        wanted = nodes.node(cluster, name, pool.state, int(pool.hidden.get("next", 0)), zone, "")
        size = sizes.of(pool.state)
        return host_of(wanted, [], {GPU: Fraction(size.gpus)} if size.gpus else {})


def is_scaled(pool: Record) -> bool:
    ready = pool.state["provisioningState"] == "Succeeded"
    return ready and bool(pool.state["enableAutoScaling"]) and pool.state["count"] < pool.state["maxCount"]


def is_unschedulable(pod: Json) -> bool:
    """Whether the scheduler has looked at the pod and found no node."""
    if pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(
        c["type"] == "PodScheduled" and c["status"] == "False" and c.get("reason") == "Unschedulable"
        for c in conditions
    )


def plan(pending: list[Json], hosts: list[Host], scaled: list[Record], templates: Mapping[str, Host]) -> Plan:
    """Which pools grow by how much. Pods that fit on a node that is there or coming wait for it."""
    hosts = [Host(h.labels, h.taints, h.allocatable, h.unschedulable, list(h.pods)) for h in hosts]
    new: dict[str, list[Host]] = {pool.id: [] for pool in scaled}
    for_pool: dict[str, list[Json]] = {pool.id: [] for pool in scaled}
    hopeless = []
    for pod in sorted(pending, key=lambda p: (p["metadata"]["namespace"], p["metadata"]["name"])):
        if _place(pod, hosts):
            continue
        reasons: dict[str, int] = {}
        for pool in scaled:
            reason = _place_in_pool(pod, pool, templates[pool.id], hosts, new[pool.id])
            if reason is None:
                for_pool[pool.id].append(pod)
                break
            reasons[reason] = reasons.get(reason, 0) + 1
        else:
            text = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            hopeless.append((pod, text or "no node group can grow"))
    growth = [Growth(pool, len(new[pool.id]), tuple(for_pool[pool.id])) for pool in scaled if new[pool.id]]
    return Plan(growth, hopeless)


def _place(pod: Json, hosts: list[Host]) -> bool:
    for host in hosts:
        if can_run(pod, host, [other for other in hosts if other is not host]) is None:
            host.pods.append(pod)
            return True
    return False


def _place_in_pool(pod: Json, pool: Record, template: Host, hosts: list[Host], new: list[Host]) -> str | None:
    """Put the pod on one more machine of the pool. Why not, when it cannot be."""
    number = len(new)
    labels = template.labels | {"kubernetes.io/hostname": f"{pool.id}-{number}"}
    machine = Host(labels, template.taints, template.allocatable)
    reason = can_run(pod, machine, hosts)
    if reason is None and pool.state["count"] + number >= pool.state["maxCount"]:
        reason = "max node group size reached"
    if reason is None:
        machine.pods.append(pod)
        new.append(machine)
        hosts.append(machine)
    return reason


def _on(pods: list[Json], node: Json) -> list[Json]:
    name = node["metadata"]["name"]
    over = ("Succeeded", "Failed")
    return [
        pod
        for pod in pods
        if pod["spec"].get("nodeName") == name and (pod.get("status") or {}).get("phase") not in over
    ]


def _expected_gpus(node: Json) -> Amounts:
    count = (node["metadata"].get("annotations") or {}).get(nodes.GPUS)
    return amounts({GPU: count}) if count else {}
