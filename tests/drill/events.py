"""Journals written by hand."""

from __future__ import annotations

from sandbox.sessions.journal import Began, Event, Finished, Step, TurnedAway, WasCut
from sandbox.sessions.model import Cut, Hop, Kind, Role, Session

OLD, NEW = (Hop(Role.TRANSCRIBER, "speechmatics", f"rt-{name}", name) for name in ("old", "new"))


def session(number: int, began: float, length: float, hop: Hop = OLD) -> Session:
    return Session(number, Kind.TRANSCRIPTION, "en", began, length, (hop,))


ONE, TWO, THREE = session(1, 100, 50), session(2, 101, 20), session(3, 112, 5, NEW)

EVENTS: list[Event] = [
    Began(100, ONE),
    Began(101, TWO),
    Step(110, "up: image"),
    TurnedAway(111, Kind.TRANSCRIPTION, "en", "no room", "up: image"),
    Began(112, THREE),
    WasCut(115, Cut(ONE, OLD, "node lost", "up: image", 115)),
    Finished(117, 3),
    Finished(121, 2),
]
"""Two sessions when the step begins, at 110; the longer of them would have lived until 150, and is cut."""
