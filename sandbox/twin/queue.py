"""A work queue: each key is worked on by one worker at a time, comes back when it is added meanwhile, and waits
longer after each failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FIRST_WAIT, LONGEST_WAIT = 0.05, 10.0
"""Seconds before a failed key is tried again: the first wait, doubled each time up to the longest."""


class WorkQueue(Generic[K]):
    def __init__(self) -> None:
        self._ready: asyncio.Queue[K] = asyncio.Queue()
        self._waiting: set[K] = set()
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}

    def add(self, key: K) -> None:
        """Have the key worked on soon; once, however often it is added until then."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    def add_later(self, key: K, seconds: float) -> None:
        """Have the key worked on in that many seconds; the newest such wish replaces an earlier one."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self._due, key)

    def _due(self, key: K) -> None:
        del self._timers[key]
        self.add(key)

    async def get(self) -> K:
        key = await self._ready.get()
        self._waiting.discard(key)
        self._working.add(key)
        return key

    def done(self, key: K, failed: bool = False) -> float | None:
        """Hand a key back; after a failure the seconds until it is tried again."""
        self._working.discard(key)
        again = key in self._again
        self._again.discard(key)
        if failed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 20))
            self.add_later(key, wait)
            return wait
        self._failures.pop(key, None)
        if again:
            self.add(key)
        return None

    def close(self) -> None:
        """Cancel what waits for its time."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
