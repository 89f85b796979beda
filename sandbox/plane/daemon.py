"""Start, stop and find the supervisor from a command: what `python -m sandbox start` and `stop` do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from sandbox.cache import locked
from sandbox.files import check_room
from sandbox.home import CHECKOUT, Home
from sandbox.plane import record
from sandbox.plane.errors import PlaneError
from sandbox.plane.record import Record
from sandbox.toolchain import Tools

START_WITHIN = 180.0
"""Seconds; a start takes 3 s, and 6 s more for each managed cluster that exists."""

LEAST_ROOM = 2**20
"""Bytes without which a supervisor could not even write down why it ends."""

STOP_WITHIN = 60.0
"""Seconds the supervisor gets to end its children; it takes 3 s."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Started:
    """How a start went."""

    fresh: bool
    """False when the plane ran already."""
    cleaned: int
    """How many processes of a crashed run had to be ended first."""


@contextmanager
def _alone(home: Home, say: Say) -> Iterator[None]:
    """One start or stop at a time for one state folder."""
    with locked(home.root / "lock", lambda: say("Another command is starting or stopping this plane; waiting")):
        yield


class State(StrEnum):
    """Whether a plane runs, in the words a person is told."""

    UP = "is up"
    STARTING = "is starting"
    DOWN = "does not run"


def state(home: Home) -> State:
    found = Record(home.plane)
    if found.supervisor is None or found.supervisor.process() is None:
        return State.DOWN
    return State.UP if found.providers else State.STARTING


def start(home: Home, tools: Tools, say: Say) -> Started:
    """Start the plane and wait until it is ready; clean up after a crashed run first. Raises `PlaneError`."""
    with _alone(home, say):
        found = Record(home.plane)
        supervisor = found.supervisor
        if supervisor is not None and (process := supervisor.process()) is not None:
            fresh = not found.providers
            _wait(home, lambda: not record.has_ended(process))
            return Started(fresh, 0)
        cleaned = record.clean(found)
        home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_room(home.root, LEAST_ROOM)
        log = home.log("supervisor")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            # Left running on purpose: nobody waits for it.
            daemon = subprocess.Popen(
                [sys.executable, "-m", "sandbox.plane.supervisor", "--tools", str(tools.bin)],
                cwd=CHECKOUT,
                env=os.environ | {"SM_SANDBOX_HOME": str(home.root)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        _wait(home, lambda: daemon.poll() is None)
        return Started(True, cleaned)


def _wait(home: Home, alive: Callable[[], bool]) -> None:
    """Until the plane is ready. Raises `PlaneError` when the supervisor ends first or time runs out."""
    deadline = time.monotonic() + START_WITHIN
    while not Record(home.plane).providers:
        if not alive():
            reason = Record(home.plane).failed or "Its supervisor ended."
            raise PlaneError(
                f"The plane could not be started. {reason}\nThe whole log: {home.log('supervisor')}\n"
                "Its state is kept; `make down` removes it."
            )
        if time.monotonic() > deadline:
            raise PlaneError(
                f"The plane was not ready within {START_WITHIN:.0f} s; it goes on in the background.\n"
                f"Its log: {home.log('supervisor')}\n"
                "What runs shows `python -m sandbox status`; `python -m sandbox stop` ends it."
            )
        time.sleep(0.05)


def stop(home: Home, say: Say) -> bool:
    """End the supervisor and everything it started; whether anything ran. Raises `PlaneError` when something stays."""
    if not home.root.exists():
        return False
    with _alone(home, say):
        found = Record(home.plane)
        supervisor = found.supervisor
        process = supervisor.process() if supervisor is not None else None
        if process is not None and not record.end(process, STOP_WITHIN):
            say(f"The supervisor did not end within {STOP_WITHIN:.0f} s and was killed.")
        left = record.clean(found)
        return process is not None or left > 0
