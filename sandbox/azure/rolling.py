"""The rolling upgrade of an agent pool, machine by machine.

AKS documentation upgrade-aks-node-pools-rolling (2026-05-29): surge machines first, then as many machines at a time as
there are buffers are cordoned and drained, wait their soak time and are reimaged, and are the next ones' buffers; what
was added is removed at the end. What becomes of a machine that cannot be drained: `undrainableNodeBehavior` of the
AKS REST API 2025-09-01. A stopped upgrade goes on with the next PUT: machines that run the pool's version are done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sandbox.azure.drain import Undrained, cordon, empty, incomplete, minutes
from sandbox.azure.errors import ArmError
from sandbox.azure.pools import Pools
from sandbox.azure.records import record
from sandbox.azure.store import Record
from sandbox.kube import Json
from sandbox.nodes.clock import Clock

DRAIN_MINUTES = 30
"""`drainTimeoutInMinutes` when it is not given (AKS documentation, as above)."""

MAX_SURGE = "10%"
"""`maxSurge` when it is not given (AKS REST API 2025-09-01)."""

QUARANTINE = "kubernetes.azure.com/upgrade-status"
"""Label of a machine that could not be drained; its value is `Quarantined`."""

COMPONENT = "upgrader"


class CanceledError(ArmError):
    """An upgrade that ended because no buffer is left; the pool is Canceled, not Failed."""


def share(amount: str, count: int) -> int:
    """`5` or `33%` of so many machines, rounded up (AKS documentation, as above)."""
    return -(-count * int(amount[:-1]) // 100) if amount.endswith("%") else int(amount)


def unfinished(pools: Pools, pool: Record) -> bool:
    """Whether an upgrade of the pool has something left to do."""
    of_an_upgrade = (one.get("surge") or one.get("quarantined") for one in pools.members(pool).values())
    return bool(pools.behind(pool)) or any(of_an_upgrade)


class Rolling:
    """One upgrade of one pool to the version and image in its record. With `force` no budget is asked."""

    def __init__(self, pools: Pools, pool: Record, clock: Clock, *, force: bool = False) -> None:
        self._pools, self._pool, self._clock, self._force = pools, pool, clock, force
        settings: dict[str, Any] = pool.state.get("upgradeSettings") or {}
        self._drain_seconds = 60.0 * (settings.get("drainTimeoutInMinutes") or DRAIN_MINUTES)
        self._soak_seconds = 60.0 * (settings.get("nodeSoakDurationInMinutes") or 0)
        self._cordon = settings.get("undrainableNodeBehavior") == "Cordon"
        self._max_surge = settings.get("maxSurge") or MAX_SURGE
        self._max_unavailable = settings.get("maxUnavailable") or "0"
        self._stuck: list[Undrained] = []

    async def run(self) -> None:
        """Return when every machine is upgraded. Raises `ArmError` for what stopped it; the rest stays as it is."""
        await self._leave_quarantine()
        waiting = self._waiting()
        surge = share(self._max_surge, int(self._pool.state["count"]))
        buffers = await self._buffers(min(surge, len(waiting)))
        surged = surge > 0
        width = buffers if surged else max(1, share(self._max_unavailable, len(waiting)))
        while waiting and width:
            batch, waiting = waiting[:width], waiting[width:]
            outcomes = await asyncio.gather(*(self._upgrade(index) for index in batch))
            blocked = [index for index, done in zip(batch, outcomes, strict=True) if not done]
            if blocked and not self._cordon:
                await self._remove_surge()
                raise self._failure()
            for index in blocked:
                await self._quarantine(index)
            width -= len(blocked)
        if waiting:
            raise CanceledError(
                200,
                "UpgradeFailed",
                "Cordoned nodes have used all surge nodes but there are more nodes to be upgraded. Please fix your "
                f"PDBs blocking node drain and kindly retry upgrade operation.{self._failure().message}",
            )
        await self._remove_surge()
        if self._stuck:
            raise self._failure()

    def _waiting(self) -> list[int]:
        members = self._pools.members(self._pool)
        return [index for index in self._pools.behind(self._pool) if not members[index].get("quarantined")]

    # --- one machine

    async def _upgrade(self, index: int) -> bool:
        """Drain, soak, reimage. Whether it is done; one that the autoscaler has taken meanwhile is."""
        if index not in self._pools.members(self._pool):
            return True
        if not await self._drained(index):
            return False
        if self._soak_seconds:
            soak = f"Soak duration {minutes(self._soak_seconds)} after draining node: {self._name(index)}"
            await self._event(index, "Upgrade", soak)
            await self._clock.sleep(self._soak_seconds)
        if index in self._pools.members(self._pool):
            await self._pools.reimage(self._pool, [index])
        return True

    async def _drained(self, index: int) -> bool:
        """Cordon and drain. A drain by force is over when its time is."""
        name = self._name(index)
        await self._event(index, "Drain", f"Draining node: [{name}]")
        stuck = await empty(self._pools.kube, name, self._drain_seconds, self._clock.factor, budgets=not self._force)
        if stuck is None or self._force:
            return True
        self._stuck.append(stuck)
        if not self._cordon:
            await cordon(self._pools.kube, name, on=False)
        return False

    async def _quarantine(self, index: int) -> None:
        """The machine stays cordoned with what is on it; a surge machine stays for it."""
        members = self._pools.members(self._pool)
        if index not in members:
            return
        members[index]["quarantined"] = True
        replacement = next((one for one in members.values() if one.get("surge")), None)
        if replacement is not None:
            del replacement["surge"]
        self._pools.save(self._pool)
        await self._pools.kube.merge(
            "v1", "Node", self._name(index), {"metadata": {"labels": {QUARANTINE: "Quarantined"}}}
        )

    async def _leave_quarantine(self) -> None:
        """Machines an earlier upgrade has left behind, and replaced: they go as soon as they are empty."""
        members = self._pools.members(self._pool)
        kept = [index for index, one in sorted(members.items()) if one.get("quarantined")]
        outcomes = await asyncio.gather(*(self._drained(index) for index in kept))
        gone = [index for index, done in zip(kept, outcomes, strict=True) if done]
        await self._pools.remove(self._pool, gone)

    # --- surge

    async def _buffers(self, wanted: int) -> int:
        """So many surge machines, those that a stopped upgrade has left among them; how many there are."""
        there = self._surge()
        if wanted > len(there):
            for index in await self._pools.grow(self._pool, wanted - len(there), surge=True):
                name, pool = self._name(index), self._pool.state["name"]
                await self._event(index, "Surge", f"Created a surge node [{name} {pool}] for agentpool {pool}")
        return len(self._surge()) if wanted else 0

    def _surge(self) -> list[int]:
        return [index for index, one in sorted(self._pools.members(self._pool).items()) if one.get("surge")]

    async def _remove_surge(self) -> None:
        """Drain what was added and take it away. What cannot be drained stays, and fails the upgrade."""
        surge = self._surge()
        outcomes = await asyncio.gather(*(self._drained(index) for index in surge))
        gone = [index for index, done in zip(surge, outcomes, strict=True) if done]
        await self._pools.remove(self._pool, gone)
        for index in self._surge():
            await cordon(self._pools.kube, self._name(index), on=False)

    # --- what is told

    def _failure(self) -> ArmError:
        """How the upgrade says it failed (Azure/AKS troubleshooting, error-code-poddrainfailure)."""
        return ArmError(200, "UpgradeFailed", " ".join(_told(one, self._drain_seconds) for one in self._stuck))

    async def _event(self, index: int, reason: str, message: str) -> None:
        node: Json | None = await self._pools.kube.find("v1", "Node", self._name(index))
        if node is not None:
            await record(self._pools.kube, COMPONENT, node, "Normal", reason, message)

    def _name(self, index: int) -> str:
        return self._pools.name(self._pool, index)


def _told(stuck: Undrained, seconds: float) -> str:
    if stuck.refused is None:
        return f"Drain node {stuck.node} failed: {incomplete(stuck, seconds)}."
    pod, message = stuck.refused
    return (
        f"Drain node {stuck.node} failed when evicting pod {pod} failed with Too Many Requests error. This is often "
        "caused by a restrictive Pod Disruption Budget (PDB) policy. See http://aka.ms/aks/debugdrainfailures. "
        f"Original error: {message}"
    )


def most(pools: Sequence[Record]) -> int:
    """The most machines the pools may have together, surge of their upgrades included."""
    total = 0
    for pool in pools:
        highest = int(pool.state["maxCount"] if pool.state["enableAutoScaling"] else pool.state["count"])
        total += highest + share(pool.state["upgradeSettings"].get("maxSurge") or MAX_SURGE, highest)
    return total
