"""What the last run of each scenario's three has shown, kept beside the scenarios: `seen.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from pydantic import Field

from sandbox.drill.kinds import Part
from sandbox.drill.report import causes, row
from sandbox.drill.result import Result
from sandbox.drill.scenario import Scenario
from sandbox.files import write_whole

FILE = Path(__file__).parent / "seen.yaml"
HEAD = "# Written by `python -m sandbox.drill --write`: what the last run of each kind has shown.\n"

Kept = dict[str, dict[str, "Seen"]]
"""By scenario and kind of run."""


class Seen(Part):
    """Of one run."""

    row: tuple[str, ...] = Field(description="as the drill's table shows it, scenario and run first")
    cut: tuple[str, ...] = Field(default=(), description="what cut sessions, most first")
    factor: float = Field(description="every clock and session length was divided by it")
    seed: int = Field(description="of what clients asked for")
    day: str = Field(description="of the run, in UTC")


def of(result: Result, scenario: Scenario, factor: float, seed: int, day: str) -> Seen:
    """What is kept of a run."""
    cut = tuple(line.partition(": ")[2] for line in causes([result]))
    return Seen(row=row(result, scenario.expect), cut=cut, factor=factor, seed=seed, day=day)


def read(path: Path = FILE) -> Kept:
    """Nothing where nothing was run yet."""
    found = (yaml.safe_load(path.read_text()) if path.exists() else None) or {}
    return {
        name: {kind: Seen.model_validate(each, strict=False) for kind, each in runs.items()}
        for name, runs in found.items()
    }


def add(new: Iterable[Seen], scenarios: Mapping[str, Scenario], path: Path = FILE) -> Kept:
    """Keep these too; what has no scenario any more goes. All that is kept then."""
    found = read(path)
    for each in new:
        name, kind, *_ = each.row
        found.setdefault(name, {})[kind] = each
    kept: Kept = {
        name: {kind.value: found[name][kind.value] for kind in each.kinds if kind.value in found.get(name, {})}
        for name, each in scenarios.items()
    }
    written = {
        name: {kind: each.model_dump(mode="json", exclude_defaults=True) for kind, each in runs.items()}
        for name, runs in kept.items()
        if runs
    }
    write_whole(path, HEAD + yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=110))
    return kept
