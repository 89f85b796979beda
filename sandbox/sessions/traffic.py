"""Clients of the platform: they come, are placed, leave when they are done, and notice when they are cut.

So many are held as whoever drives asks for. What each asks for is in `sandbox.sessions.clients`.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import heapq
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence

from sandbox.hosted.store import first_refusal
from sandbox.kube import Kube
from sandbox.nodes.clock import Clock
from sandbox.sessions.clients import Client, Demand
from sandbox.sessions.clocks import clocks
from sandbox.sessions.counts import Counts
from sandbox.sessions.crowd import Crowd, Live
from sandbox.sessions.cuts import cut, next_deadline
from sandbox.sessions.informers import Informers
from sandbox.sessions.journal import Began, Finished, Journal, Left, TurnedAway, WasCut
from sandbox.sessions.model import Cut, Hop, Kind, Refused, Role, Session
from sandbox.sessions.placement import place
from sandbox.twin.model import SESSIONS

DELETED = "its cluster was deleted"

TRIES = 3
"""How often a client that is coming is placed elsewhere, when a pod stops at that moment."""


class Traffic:
    """All clients of one cluster."""

    def __init__(
        self, kube: Kube, clock: Clock, demand: Demand, journal: Journal, namespace: str | None = None
    ) -> None:
        """`namespace`: the sessions run over pods of this one only; None: of any."""
        self._clock, self._demand, self._journal = clock, demand, journal
        self._informers = Informers(kube, namespace, self._changed, lambda: clock.factor)
        self._counts = Counts(kube)
        self._crowd = Crowd()
        self._wanted = 0
        self._clients: dict[int, asyncio.Task[None]] = {}
        self._suspects: set[int] = set()
        self._woken = asyncio.Event()
        self._deadlines: list[tuple[float, int]] = []
        self._failed: asyncio.Future[None] | None = None
        self._deleted = asyncio.Event()
        self._playing: list[asyncio.Task[None]] = []
        self.left: Callable[[], None] = lambda: None
        """Called whenever a client has left."""
        self.synced = asyncio.Event()
        """Set once the cluster is known: clients come from then on."""

    # --- for whoever drives

    @property
    def alive(self) -> int:
        """Sessions that run."""
        return len(self._crowd)

    @property
    def sessions(self) -> set[int]:
        """The numbers of the sessions that run."""
        return set(self._crowd.numbers())

    @property
    def clients(self) -> int:
        """Those who have come and not left, in a session or between two."""
        return len(self._clients)

    @property
    def leaving(self) -> int:
        """Those of them who leave when their present session is over."""
        return sum(number >= self._wanted for number in self._clients)

    @property
    def writes(self) -> Sequence[float]:
        """When pods were written."""
        return self._counts.writes

    def hold(self, sessions: int) -> None:
        """Have so many clients; those above the number leave when their present session is over."""
        self._wanted = sessions
        if self.synced.is_set():
            self._fill()

    def cluster_deleted(self) -> None:
        """The cluster is no more: every session on it is cut, and who comes is turned away."""
        self._deleted.set()
        self._counts.abandon()
        for task in self._playing:
            task.cancel()
        for live in [each for number in self._crowd.numbers() if (each := self._crowd.get(number))]:
            self._was_cut(live, live.session.path[0], DELETED)

    async def written(self) -> None:
        """Returns when every pod's annotation is as it should be."""
        await self._counts.settled()

    async def run(self) -> None:
        """Play for ever; cancelled, all clients leave, and the pods are told.

        Raises `KubeError` when the server refuses a list or a watch.
        """
        self._failed = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._playing.append(tasks.create_task(self._informers.follow()))
                await self._informers.synced()
                self._forget_strangers()
                self.synced.set()
                self._fill()
                self._playing.append(tasks.create_task(self._judge()))
                await self._failed
        except BaseExceptionGroup as errors:
            refused = first_refusal(errors)
            if refused is None:
                raise
            raise refused from None
        finally:
            await self._leave()

    # --- clients

    def _fill(self) -> None:
        for number in range(self._wanted):
            if number not in self._clients:
                task = asyncio.create_task(self._client(number))
                self._clients[number] = task
                task.add_done_callback(self._client_left)

    def _client_left(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if (error := task.exception()) and self._failed and not self._failed.done():
            self._failed.set_exception(error)
        self.left()

    async def _client(self, number: int) -> None:
        client = Client(self._demand, number)
        await asyncio.sleep(client.comes_after)
        while number < self._wanted:
            kind, language, length = client.next()
            while number < self._wanted and not await self._session(kind, language, length):
                await self._clock.sleep(client.patience())
            if number < self._wanted:
                await self._clock.sleep(client.pause())
        del self._clients[number]

    async def _session(self, kind: Kind, language: str, length: float) -> bool:
        """One session from beginning to end; False when it found no place or did not come to its end."""
        live = await self._connect(kind, language, self._clock.real(length))
        if live is None:
            return False
        await asyncio.wait({live.cut}, timeout=live.session.length)
        if live.cut.done():
            return False
        self._end(live.session)
        self._journal.write(Finished(time.time(), live.session.id))
        return True

    async def _connect(self, kind: Kind, language: str, length: float) -> Live | None:
        """A session that has begun; None when there is no place for it."""
        avoided: set[str] = set()
        for _ in range(TRIES):
            if self._deleted.is_set():
                self._journal.write(TurnedAway(time.time(), kind, language, DELETED, self._journal.step))
                return None
            view = self._informers.view
            if avoided:
                view = dataclasses.replace(view, pods={k: v for k, v in view.pods.items() if k not in avoided})
            path = place(view, self._crowd.load, kind, language, self._clock.current.rows)
            if isinstance(path, Refused):
                self._journal.write(TurnedAway(time.time(), kind, language, path.reason, self._journal.step))
                return None
            self._crowd.reserve(path)
            try:
                took = await asyncio.gather(*(self._counts.change(hop, +1) for hop in path))
            except asyncio.CancelledError:
                self._give_back(path)
                raise
            live = self._begin(kind, language, length, path)
            if all(took) and not self._deleted.is_set() and self._cut(live) is None:
                self._crowd.enter(live)
                self._journal.write(Began(live.session.began, live.session))
                self._look_again(live)
                return live
            self._give_back(path)
            avoided |= {hop.uid for hop, taken in zip(path, took, strict=True) if not taken}
        reason = f"{TRIES} times a pod stopped while the session began"
        self._journal.write(TurnedAway(time.time(), kind, language, reason, self._journal.step))
        return None

    def _begin(self, kind: Kind, language: str, length: float, path: tuple[Hop, ...]) -> Live:
        session = Session(next(self._journal.numbers), kind, language, time.time(), length, path)
        now = clocks(self._informers.view, self._informers.config_maps, self._clock.factor)
        met = now.met_by(kind, self._clock.current.rows)
        return Live(session, met, asyncio.get_running_loop().create_future())

    def _end(self, session: Session) -> None:
        self._crowd.leave(session.id)
        for hop in session.path:
            self._counts.change(hop, -1)

    def _give_back(self, path: tuple[Hop, ...]) -> None:
        self._crowd.release(path)
        for hop in path:
            self._counts.change(hop, -1)

    async def _leave(self) -> None:
        """All clients leave."""
        tasks = list(self._clients.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._clients.clear()
        left = [live.session for number in self._crowd.numbers() if (live := self._crowd.get(number))]
        for session in left:
            self._end(session)
        if left:
            self._journal.write(Left(time.time(), len(left)))
        await self._counts.settled()

    def _forget_strangers(self) -> None:
        """What an earlier player has left on the pods is over."""
        for obj in self._informers.stores["Pod"].all():
            meta = obj["metadata"]
            pod = self._informers.view.pods[meta["uid"]]
            if pod.role is not None and (meta.get("annotations") or {}).get(SESSIONS, "0") != "0":
                self._counts.change(Hop(pod.role, pod.namespace, pod.name, pod.uid), 0)

    # --- cuts

    def _changed(self, uid: str | None) -> None:
        """A pod looks different (None: any of them may)."""
        pod = self._informers.view.pods.get(uid) or self._informers.view.gone.get(uid) if uid else None
        beside = pod is not None and pod.role in (Role.REDIS, Role.RESOURCE_MANAGER)
        self._suspects.update(self._crowd.numbers() if uid is None or beside else self._crowd.on(uid))
        if self._suspects:
            self._woken.set()

    async def _judge(self) -> None:
        """Look at the sessions that something has happened to, for ever."""
        while True:
            await self._wait()
            now = time.time()
            while self._deadlines and self._deadlines[0][0] <= now:
                self._suspects.add(heapq.heappop(self._deadlines)[1])
            suspects, self._suspects = self._suspects, set()
            for number in sorted(suspects):
                live = self._crowd.get(number)
                if live is None:
                    continue
                found = self._cut(live)
                if found is None:
                    self._look_again(live)
                else:
                    self._was_cut(live, *found)

    async def _wait(self) -> None:
        """Until something has changed or a clock runs out."""
        until = self._deadlines[0][0] - time.time() if self._deadlines else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(until):
                await self._woken.wait()
        self._woken.clear()

    def _reloaded(self, session: Session) -> float | None:
        """When the worker that the session came to was told to stop."""
        reloads = self._informers.reloads
        index = bisect_right(reloads, session.began)
        return reloads[index] if index < len(reloads) else None

    def _cut(self, live: Live) -> tuple[Hop, str] | None:
        rows, factor = self._clock.current.rows, self._clock.factor
        reloaded = self._reloaded(live.session)
        return cut(live.session, self._informers.view, rows, live.clocks, time.time(), reloaded, factor)

    def _look_again(self, live: Live) -> None:
        """When the first clock on its path runs out."""
        session = live.session
        due = next_deadline(session, self._informers.view, live.clocks, self._reloaded(session), self._clock.factor)
        if due < session.ends:
            heapq.heappush(self._deadlines, (due, session.id))
            self._woken.set()

    def _was_cut(self, live: Live, hop: Hop, reason: str) -> None:
        found = Cut(live.session, hop, reason, self._journal.step, time.time())
        self._end(live.session)
        self._journal.write(WasCut(found.at, found))
        live.cut.set_result(found)
