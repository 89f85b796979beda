"""What the last run of each row has shown, kept beside the rows: `seen.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import Field

from sandbox.drill.kinds import Part
from sandbox.drill.ladder.climb import Shown
from sandbox.drill.ladder.rows import Row
from sandbox.files import write_whole

FILE = Path(__file__).parent / "seen.yaml"
HEAD = "# Written by `python -m sandbox.drill.ladder --write`: what the last run of each row has shown.\n"


class Seen(Part):
    """Of one row."""

    alive: int = Field(description="sessions when the first step began, with the rung put back")
    cut: dict[str, int] = Field(description="how many of them and of those that came later were cut, by reason")
    gave_up: list[str] = Field(default_factory=list, description="containers whose process gave up")
    factor: float = Field(description="every clock and session length was divided by it")
    day: str = Field(description="of the run, in UTC")


def of(put: Shown, factor: float, day: str) -> Seen:
    """What is kept of a run."""
    return Seen(alive=put.alive, cut=dict(put.cuts), gave_up=list(put.gave_up), factor=factor, day=day)


def read(path: Path = FILE) -> dict[str, Seen]:
    """By rung; nothing where nothing was run yet."""
    found = (yaml.safe_load(path.read_text()) if path.exists() else None) or {}
    return {rung: Seen.model_validate(each) for rung, each in found.items()}


def add(new: Mapping[str, Seen], rows: tuple[Row, ...], path: Path = FILE) -> None:
    """Keep these too; what has no row any more goes."""
    found = read(path) | dict(new)
    kept = {row.rung: found[row.rung].model_dump(exclude_defaults=True) for row in rows if row.rung in found}
    write_whole(path, HEAD + yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=110))
