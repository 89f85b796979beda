"""Time as the stand-in sees it: every second of an object divided by the plane's time factor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime

from sandbox import settings
from sandbox.home import Home
from sandbox.plane.errors import PlaneError

_log = logging.getLogger(__name__)


class Clock:
    """Simulated durations on the real clock. The factor is read again whenever the settings file changes."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._read: tuple[float, settings.Settings] = (-1.0, settings.Settings())

    @property
    def factor(self) -> float:
        return self.current.time_factor

    @property
    def current(self) -> settings.Settings:
        """The plane's settings as they are now."""
        path = self._home.settings
        changed = path.stat().st_mtime if path.exists() else 0.0
        if changed != self._read[0]:
            try:
                self._read = (changed, settings.read(self._home))
            except PlaneError as error:  # half written, or wrong: the last one counts
                _log.warning("%s: %s", path, error)
        return self._read[1]

    def real(self, seconds: float) -> float:
        """How many real seconds a simulated duration lasts."""
        return seconds / self.factor

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.real(seconds))


class Signal:
    """Wakes everybody who waits at that moment."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, timeout: float | None = None) -> None:
        """Until the next `fire`, or for at most `timeout` real seconds."""
        with contextlib.suppress(TimeoutError):
            # not wait_for: that of Python 3.11 forgets a cancellation which comes together with the event
            async with asyncio.timeout(timeout):
                await self._event.wait()


class Backoff:
    """A kubelet's waiting times: the first, then twice as long each time, up to a longest. Simulated seconds."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self.current = 0.0

    def next(self) -> float:
        self.current = min(self.current * 2, self._longest) if self.current else self._first
        return self.current

    def reset(self) -> None:
        self.current = 0.0


def stamp(moment: float | None = None) -> str:
    """An API timestamp (whole seconds, UTC) of an epoch second; now by default."""
    return datetime.fromtimestamp(time.time() if moment is None else moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(text: str) -> float:
    """The epoch second of an API timestamp."""
    return datetime.fromisoformat(text).timestamp()


def spoken(seconds: float) -> str:
    """A duration as Go prints it (`10s`, `2m40s`)."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"
