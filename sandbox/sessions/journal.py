"""What happened, in order: one JSON object a line. Times are seconds since the epoch."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self, TextIO

from pydantic import Field, TypeAdapter

from sandbox.sessions.model import Cut, Kind, Session


@dataclass(frozen=True)
class Began:
    """A client was connected; every pod of its path says so."""

    at: float
    session: Session
    event: Literal["began"] = "began"


@dataclass(frozen=True)
class Finished:
    """A session was ended by its client."""

    at: float
    session: int
    event: Literal["finished"] = "finished"


@dataclass(frozen=True)
class WasCut:
    """A session was ended by something else."""

    at: float
    cut: Cut
    event: Literal["cut"] = "cut"


@dataclass(frozen=True)
class TurnedAway:
    """A client found no place."""

    at: float
    kind: Kind
    language: str
    reason: str
    step: str
    event: Literal["turned away"] = "turned away"


@dataclass(frozen=True)
class Step:
    """Whoever drives began something else."""

    at: float
    step: str
    event: Literal["step"] = "step"


@dataclass(frozen=True)
class Left:
    """The player was ended: so many clients left with it."""

    at: float
    sessions: int
    event: Literal["left"] = "left"


Event = Began | Finished | WasCut | TurnedAway | Step | Left

_LINE: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


class Journal:
    """Events as they come; in memory, and in a file where there is one."""

    def __init__(self, path: Path | None = None) -> None:
        self.events: list[Event] = []
        self.numbers = itertools.count(1)
        """Of the sessions: whoever writes here takes the next one, so that each number is one session's."""
        self._step = ""
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", buffering=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, event: Event) -> None:
        self.events.append(event)
        if self._file is not None:
            self._file.write(_LINE.dump_json(event).decode() + "\n")

    @property
    def step(self) -> str:
        """What whoever drives is doing: it is written down once, and with each cut."""
        return self._step

    @step.setter
    def step(self, text: str) -> None:
        self._step = text
        self.write(Step(time.time(), text))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def cuts(self) -> list[Cut]:
        return [event.cut for event in self.events if isinstance(event, WasCut)]


def read(path: Path) -> Iterator[Event]:
    """The events of a file. A last line without its end was being written when its writer was killed: left out."""
    with path.open() as lines:
        for line in lines:
            if line.endswith("\n"):
                yield _LINE.validate_json(line)
