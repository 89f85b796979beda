"""Who is connected now: sessions by number and by pod, and how much of each pod they take."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.sessions.clocks import Clocks
from sandbox.sessions.model import Cut, Hop, Session


@dataclass(frozen=True)
class Live:
    """A session, the clocks it began with, and what its client waits for beside its own end."""

    session: Session
    clocks: Clocks
    cut: asyncio.Future[Cut]


class Crowd:
    def __init__(self) -> None:
        self._live: dict[int, Live] = {}
        self._on: defaultdict[str, set[int]] = defaultdict(set)
        self.load: Counter[str] = Counter()
        """By uid of a pod, what of its capacity is taken, those included who are just coming."""

    def __len__(self) -> int:
        return len(self._live)

    def get(self, number: int) -> Live | None:
        return self._live.get(number)

    def numbers(self) -> list[int]:
        return list(self._live)

    def on(self, uid: str) -> Iterable[int]:
        """Sessions whose path leads over that pod."""
        return self._on.get(uid, ())

    def reserve(self, path: Iterable[Hop]) -> None:
        for hop in path:
            self.load[hop.uid] += hop.cost

    def release(self, path: Iterable[Hop]) -> None:
        for hop in path:
            self.load[hop.uid] -= hop.cost
            if not self.load[hop.uid]:
                del self.load[hop.uid]

    def enter(self, live: Live) -> None:
        """Its places are reserved already."""
        self._live[live.session.id] = live
        for hop in live.session.path:
            self._on[hop.uid].add(live.session.id)

    def leave(self, number: int) -> None:
        """It ends, and its places are free."""
        session = self._live.pop(number).session
        for hop in session.path:
            self._on[hop.uid].discard(number)
            if not self._on[hop.uid]:
                del self._on[hop.uid]
        self.release(session.path)
