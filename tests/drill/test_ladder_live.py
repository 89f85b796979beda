"""Two rungs put back on a plane: their scenarios cut, and cut nobody before and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.drill.ladder import rows
from sandbox.drill.ladder.climb import Climb, Shown, Stand, climb, wrong
from sandbox.drill.ladder.rows import Load, Row
from sandbox.drill.plane import Plane
from sandbox.toolchain import Tools
from tests.conftest import Loop

FACTOR = 60.0
WITHIN = 600.0
"""Seconds until a run is given up."""

pytestmark = pytest.mark.timeout(WITHIN + 60)

LADDER = rows.read()
SHORT = Load().model_copy(update={"mean": 600.0, "longest": 600.0})
"""Most sessions that are there when a run begins are still there when its last step is taken, on a busy machine too;
none is nearly as long as the clocks that hold it, and a run without a cut is over after ten seconds."""


class Runs:
    """One plane, and runs on it one after the other."""

    def __init__(self, stand: Stand, loop: Loop, folder: Path) -> None:
        self._stand, self._loop, self._folder = stand, loop, folder

    def run(self, row: Row, *, put_back: bool) -> Shown:
        climbing = climb(Climb(row, LADDER, put_back, seed=1), self._stand, self._folder, lambda _: None)
        found = self._loop.run(climbing, WITHIN)
        assert not found.error, found.error
        return found


@pytest.fixture(scope="module")
def runs(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder, loop = tmp_path_factory.mktemp("ladder"), Loop()
    plane = Plane(folder / "plane", tools, FACTOR, lambda _: None)
    try:
        loop.run(plane.open())
        yield Runs(Stand(plane), loop, folder)
    finally:
        loop.run(plane.close())
        loop.close()


@pytest.mark.parametrize("rung", ["ingress read timeout", "transcriber pod grace"])
def test_a_rung_put_back_is_red_and_taken_forward_again_it_is_green(runs: Runs, rung: str) -> None:
    """The first is a field of two objects, the second one of a template, whose pods are made anew for it."""
    (row,) = rows.of(LADDER, [rung])
    row = row.model_copy(update={"load": SHORT})
    put = runs.run(row, put_back=True)
    after = runs.run(row, put_back=False)
    assert wrong(row, put, after) == ""
    assert not after.cuts
