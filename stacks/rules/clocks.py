"""The one rule of clocks: a rung that is shorter than it must be, and that a key can lift, is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stacks.clocks import ladder
from stacks.problem import Problem
from stacks.schema import Settings


def clocks(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for rung in ladder(settings):
        if rung.problem is not None:
            yield rung.problem
