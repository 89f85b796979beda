"""The page of the runs, `docs/reference/drill-runs.md`: made from what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.drill.report import COLUMNS
from sandbox.drill.scenario import Scenario
from sandbox.drill.seen import Kept, Seen
from sandbox.home import CHECKOUT

FILE = CHECKOUT / "docs" / "reference" / "drill-runs.md"

HEAD = """\
# What every scenario of the drill has shown

Made by `python -m sandbox.drill --write`; do not edit. Columns and runs are explained in [drill.md](drill.md).
"""

CUT = """
## What cut sessions

| scenario | run | sessions, the pod, why, and at which step |
|---|---|---|
"""

LEFT = """
## Work that is left

| scenario | what the program cannot do yet, or why its own steps cut sessions |
|---|---|
"""


def text(scenarios: Mapping[str, Scenario], kept: Kept) -> str:
    """The file as it should be."""
    seen = [each for name in scenarios for each in kept.get(name, {}).values()]
    columns = (*COLUMNS, "seen")
    head = [_line(columns), _line("---" for _ in columns)]
    rows = [_line((f"`{name}`", *each.row[1:], _when(each))) for each in seen for name in each.row[:1]]
    cut = [_line((f"`{each.row[0]}`", each.row[1], line)) for each in seen for line in each.cut]
    left = [_line((f"`{name}`", why)) for name, each in scenarios.items() for why in _left(each)]
    return f"{HEAD}\n{''.join(head + rows)}{CUT}{''.join(cut)}{LEFT}{''.join(left)}"


def _left(scenario: Scenario) -> Iterator[str]:
    expect = scenario.expect
    yield from (each for each in (expect.missing, expect.friendly.because, expect.hostile.because) if each)


def _when(seen: Seen) -> str:
    return f"{seen.day}, factor {seen.factor:g}, seed {seen.seed}"


def _line(cells: tuple[str, ...] | Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
