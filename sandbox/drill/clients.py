"""The clients of a run: on one cluster, and once another one stands beside it, on both.

A client is on one of them at a time. It asks for the name again between two sessions, once the record that it keeps
has run out: so it never leaves a session to be elsewhere.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self

from sandbox.drill.wait import until
from sandbox.kube import Kube
from sandbox.nodes.clock import Clock
from sandbox.sessions.clients import Demand
from sandbox.sessions.journal import Journal
from sandbox.sessions.traffic import Traffic


def moves(clients: int, within: float, seed: int) -> list[float]:
    """When each client's record runs out, in order: seconds from the change of the name, at most `within`. Pure."""
    dice = random.Random(f"{seed}/name")
    return sorted(dice.uniform(0, within) for _ in range(clients))


class Clients:
    """So many clients are held as whoever drives asks for, on however many clusters."""

    def __init__(self, demand: Demand, clock: Clock, journal: Journal) -> None:
        self._demand, self._clock, self.journal = demand, clock, journal
        self._players: list[tuple[Kube, Traffic]] = []
        self.exits = AsyncExitStack()
        """What is ended and closed once they have left."""
        self._wanted = self._moved = 0
        self._deleted = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.exits.aclose()

    async def come_to(self, kube: Kube, namespace: str | None = None) -> None:
        """This cluster is there too, and known from now on. Raises `KubeError` when it refuses to be looked at.

        `namespace`: as of `Traffic`. Each cluster's clients have a seed of their own.
        """
        demand = replace(self._demand, seed=self._demand.seed + len(self._players))
        traffic = Traffic(kube, self._clock, demand, self.journal, namespace)
        running = await self.exits.enter_async_context(_played(traffic))
        synced = asyncio.create_task(traffic.synced.wait())
        await asyncio.wait((running, synced), return_when=asyncio.FIRST_COMPLETED)
        synced.cancel()
        if running.done():
            await running
        traffic.left = self._spread
        self._players.append((kube, traffic))

    # --- what there is

    @property
    def alive(self) -> int:
        """Sessions that run."""
        return sum(traffic.alive for _, traffic in self._players)

    @property
    def clusters(self) -> Sequence[Kube]:
        """Those that were not deleted, the oldest first."""
        return [kube for kube, _ in self._standing]

    @property
    def _standing(self) -> Sequence[tuple[Kube, Traffic]]:
        return self._players[1:] if self._deleted else self._players

    # --- for whoever drives

    def hold(self, clients: int) -> None:
        """Have so many; those above the number leave when their present session is over."""
        self._wanted = clients
        self._spread()

    def move(self, within: float) -> None:
        """The name leads to the second cluster; each client knows it within so many seconds."""
        if not within:
            self._moved = self._wanted
            self._spread()
            return
        moving = asyncio.create_task(self._move(moves(self._wanted, within, self._demand.seed)))
        self.exits.push_async_callback(_ended, moving)

    async def _move(self, times: Sequence[float]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for count, after in enumerate(times, 1):
            await asyncio.sleep(began + after - loop.time())
            self._moved = count
            self._spread()

    def cluster_deleted(self) -> None:
        """The oldest cluster is no more: every session on it is cut."""
        self._deleted = True
        self._players[0][1].cluster_deleted()

    async def sessions_over(self, within: float) -> bool:
        """Whether each session that runs now on the oldest cluster, or is just coming there, ended in so many seconds.

        Who comes later is not waited for.
        """
        traffic = self._standing[0][1]
        running = traffic.sessions
        return await until(lambda: not running & traffic.sessions and not traffic.leaving, within)

    def _spread(self) -> None:
        """Each client is where it is to be, or in its last session elsewhere."""
        (_, old), *others = self._players
        staying = max(0, self._wanted - self._moved)
        old.hold(staying)
        for _, new in others:
            new.hold(max(0, self._wanted - max(staying, old.clients)))


@asynccontextmanager
async def _played(traffic: Traffic) -> AsyncIterator[asyncio.Task[None]]:
    """The player at work. Raises what it has ended with."""
    running = asyncio.create_task(traffic.run())
    try:
        yield running
    finally:
        await _ended(running)


async def _ended(task: asyncio.Task[None]) -> None:
    """Raises what it has ended with, if it was not this."""
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled() and (error := task.exception()):
        raise error
