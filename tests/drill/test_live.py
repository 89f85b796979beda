"""A short drill of each kind on a plane: by the program's way nobody is cut, by the naive way somebody is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.drill.plane import Plane
from sandbox.drill.result import Ending, Result
from sandbox.drill.run import Job, run
from sandbox.drill.scenario import Kind, Scenario, chosen
from sandbox.drill.verdict import red
from sandbox.sessions.model import Role
from sandbox.toolchain import Tools
from tests.conftest import Loop

FACTOR = 60.0
WITHIN = 600.0
"""Seconds until a run is given up."""

pytestmark = pytest.mark.timeout(WITHIN + 60)


def short(name: str) -> Scenario:
    """A scenario of the drill, with few sessions of up to ten minutes, which outlast a busy machine's steps."""
    (found,) = chosen([name]).values()
    load = {"sessions": 6, "mean": 600.0, "longest": 600.0}
    return found.model_copy(update={"load": found.load.model_copy(update=load)})


class Drill:
    """One plane, and runs on it one after the other."""

    def __init__(self, plane: Plane, loop: Loop, folder: Path) -> None:
        self._plane, self._loop, self._folder = plane, loop, folder
        self.said: list[str] = []

    def run(self, name: str, kind: Kind) -> Result:
        job = Job(name, short(name), kind, seed=1)
        result = self._loop.run(run(job, self._plane, self._folder, self.said.append), WITHIN)
        assert not result.error, result.error
        assert red(job.scenario.expect, result) == ""
        return result


@pytest.fixture(scope="module")
def drill(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder, loop, said = tmp_path_factory.mktemp("drill"), Loop(), list[str]()
    plane = Plane(folder / "plane", tools, FACTOR, said.append)
    try:
        loop.run(plane.open())
        yield Drill(plane, loop, folder)
    finally:
        loop.run(plane.close())
        loop.close()


def test_an_image_rolls_under_load_and_nobody_is_cut(drill: Drill) -> None:
    found = drill.run("transcriber-image", Kind.FRIENDLY)
    assert found.ending is Ending.UNDER_LOAD
    assert not found.counts.cuts
    assert found.counts.started > 0
    assert found.counts.finished > 0


@pytest.mark.parametrize(
    "name",
    [
        "killed-update",
        "language-removed",
        "destroy",
        "group-deleted",
        "node-image",
        "server-name",
    ],
)
def test_a_step_of_each_other_kind_ends_as_its_scenario_says(drill: Drill, name: str) -> None:
    """The engine killed, an update, a destroy and kubectl refused, Azure's own step, another setting of a stand-in."""
    assert not drill.run(name, Kind.FRIENDLY).counts.cuts


def test_what_the_hostile_rows_cut_is_written_down_with_the_row(drill: Drill) -> None:
    cuts = drill.run("redis-restart", Kind.HOSTILE).counts.cuts
    assert {cut.reason for cut in cuts} == {"without Redis"}


def test_the_naive_way_cuts_on_the_pods_it_ends(drill: Drill) -> None:
    cuts = drill.run("transcriber-image", Kind.BASELINE).counts.cuts
    assert {cut.hop.role for cut in cuts} <= {Role.TRANSCRIBER, Role.INFERENCE}
    assert all(cut.reason.startswith("pod gone: ") for cut in cuts)
    assert {cut.step for cut in cuts} <= {"apply: global.transcriber.image.tag: 13.5.1", "waiting for the rest"}


def test_the_naive_way_leaves_a_rung_as_it_comes(drill: Drill) -> None:
    """The same steps, the rung put back."""
    cuts = drill.run("node-image", Kind.BASELINE).counts.cuts
    assert {cut.step for cut in cuts} <= {"azure: node_image: comes", "waiting for the rest"}
