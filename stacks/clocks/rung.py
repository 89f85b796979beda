"""What a rung of the ladder of clocks is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stacks.problem import Problem


class Against(StrEnum):
    """What a clock runs against."""

    SESSION = "a session"
    """Its length, from the moment a pod, a node or a worker is told to stop or the session begins."""
    SILENCE = "a silence"
    """The time in which nothing is said on a connection."""
    TURN = "a turn"
    """One answer of a language model."""
    OUTAGE = "a fail-over"
    """The time without a Redis that takes writes."""
    CALENDAR = "no session"
    """Not a length at all: when somebody may begin something."""


class By(StrEnum):
    """Who can make a rung longer."""

    PROGRAM = "the program"
    USER = "a key"
    NOBODY = "nobody"


class Code(StrEnum):
    """Reason codes of rungs that are too short."""

    SESSION = "shorter-than-a-session"
    SILENCE = "shorter-than-the-silence"
    TURN = "shorter-than-a-turn"
    LEASE = "longer-than-the-lease"
    RESTART = "shorter-than-a-restart"
    FAIL_OVER = "shorter-than-a-fail-over"


@dataclass(frozen=True)
class Place:
    """A field of an object."""

    kind: str
    name: str
    """Its name in the cluster, or in Azure."""
    field: tuple[str, ...]
    """The way to it, an item of a list by its `name`."""

    @property
    def text(self) -> str:
        return f"{self.kind}/{self.name} {'.'.join(self.field)}"


@dataclass(frozen=True)
class Least:
    """What a rung must be."""

    seconds: float
    why: str
    """Ends the sentence that says who cuts: `86400 s are promised`."""
    above: bool = False
    """Whether the same is too short already."""

    def holds(self, seconds: float) -> bool:
        return seconds > self.seconds if self.above else seconds >= self.seconds


@dataclass(frozen=True)
class Mend:
    """What a refusal of a rung says: where, with which code, and what mends it."""

    path: str
    code: Code
    command: str


@dataclass(frozen=True)
class Rung:
    """One clock."""

    name: str
    seconds: float | None
    """None: no limit that the program knows of; a guard says why."""
    against: Against
    least: Least | None
    """None: nothing that the program knows of has to last as long."""
    cut: str
    """What happens when it runs out, up to the one who does it: `a stopping pod of the proxy is killed by`."""
    who: str
    """Who does it."""
    by: By
    places: tuple[Place, ...] = ()
    key: str | None = None
    """Path of the configuration that sets it."""
    guard: str = ""
    """What keeps the session all the same, or what there is to know."""
    mend: Mend | None = None
    cuts: bool = True
    """False for what only says how long something lasts."""

    @property
    def short(self) -> bool:
        """Whether it runs out before it may."""
        return self.seconds is not None and self.least is not None and not self.least.holds(self.seconds)

    @property
    def problem(self) -> Problem | None:
        """The refusal of a rung that is too short and can be lifted."""
        if not self.short or self.mend is None or self.seconds is None or self.least is None:
            return None
        reason = f"{self.cut} {self.who} after {number(self.seconds)} s; {self.least.why}"
        return Problem(self.mend.path, self.mend.code.value, reason, self.mend.command)


def number(seconds: float) -> str:
    """Seconds without a fraction that says nothing."""
    return str(int(seconds)) if seconds == int(seconds) else f"{seconds:.3f}".rstrip("0")


def spoken(seconds: float | None) -> str:
    """A length as people say it: `24 h`, `30 min`, `86430 s`."""
    if seconds is None:
        return "no limit"
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length and seconds % length == 0:
            return f"{int(seconds / length)} {unit}"
    return f"{number(seconds)} s"
