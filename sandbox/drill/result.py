"""What a journal says about a run. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.drill.scenario import Kind
from sandbox.sessions.journal import Began, Event, Finished, Left, Step, TurnedAway, WasCut
from sandbox.sessions.model import Cut, Session


class Ending(StrEnum):
    """When everything the steps began was done."""

    UNDER_LOAD = "under load"
    AFTER = "once no client came any more"
    NEVER = "never"


@dataclass(frozen=True)
class Counts:
    """Sessions, and seconds of this machine's clock."""

    alive: int = 0
    """When the first step began."""
    started: int = 0
    """From then on, as the others."""
    finished: int = 0
    cuts: Sequence[Cut] = ()
    turned_away: Counter[str] = field(default_factory=Counter)
    """Clients that found no place, by reason; each tries again."""
    shortest: float = 0.0
    """How long the longest session still had to live when the first step began."""


@dataclass(frozen=True)
class Result:
    """One run."""

    scenario: str
    kind: Kind
    counts: Counts = Counts()
    seconds: float = 0.0
    """From the first step until everything was done, or the waiting was over."""
    engine: float = 0.0
    """How much of it the engine ran."""
    ending: Ending = Ending.NEVER
    left: Sequence[str] = ()
    """What was not done under load."""
    amiss: Sequence[str] = ()
    """What is not as the scenario's end says."""
    error: str = ""
    """Why the run could not be carried out."""


def counts(events: Sequence[Event]) -> Counts:
    """Of a run's events: the first step divides what was before from what is counted."""
    first = next((index for index, event in enumerate(events) if isinstance(event, Step)), len(events))
    alive: dict[int, Session] = {}
    for event in events[:first]:
        match event:
            case Began():
                alive[event.session.id] = event.session
            case Finished():
                alive.pop(event.session, None)
            case WasCut():
                alive.pop(event.cut.session.id, None)
            case _:
                pass
    if first == len(events):
        return Counts(alive=len(alive))
    began, after = events[first].at, events[first:]
    return Counts(
        alive=len(alive),
        started=sum(isinstance(event, Began) for event in after),
        finished=sum(isinstance(event, Finished) for event in after),
        cuts=[event.cut for event in after if isinstance(event, WasCut)],
        turned_away=Counter(event.reason for event in after if isinstance(event, TurnedAway)),
        shortest=max((session.ends - began for session in alive.values()), default=0.0),
    )


def left_alive(events: Sequence[Event]) -> int:
    """Sessions that were still running when the player was ended."""
    return sum(event.sessions for event in events if isinstance(event, Left))


def by_reason(cuts: Sequence[Cut]) -> list[tuple[str, int]]:
    """What cut, by role and reason, most first."""
    return Counter(f"{cut.hop.role}: {cut.reason} ({cut.step})" for cut in cuts).most_common()
