"""The ladder of clocks: a session lives only as long as the shortest one on its path.

Pure: settings in, rungs out. Each number is read from the function of the component that puts it into its object.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.clocks.outage import calendar_clocks, outage_clocks, turn_clocks
from stacks.clocks.rung import Against as Against
from stacks.clocks.rung import By as By
from stacks.clocks.rung import Code as Code
from stacks.clocks.rung import Place as Place
from stacks.clocks.rung import Rung as Rung
from stacks.clocks.rung import spoken as spoken
from stacks.clocks.session import session_clocks
from stacks.clocks.silence import silence_clocks
from stacks.schema import Settings

PARTS = (session_clocks, silence_clocks, turn_clocks, outage_clocks, calendar_clocks)


def ladder(settings: Settings) -> tuple[Rung, ...]:
    """Every rung, the shortest first, those without a length last; settings need only be right field by field."""
    found = [rung for part in PARTS for rung in part(settings)]
    return tuple(sorted(found, key=lambda rung: (rung.seconds is None, rung.seconds or 0)))


def shortest(rungs: Sequence[Rung], against: Against) -> Rung | None:
    """The first that runs out of those against the same; None where none of them ends anything."""
    found = [each for each in rungs if each.against is against and each.seconds is not None and each.cuts]
    return min(found, key=lambda each: each.seconds or 0, default=None)
