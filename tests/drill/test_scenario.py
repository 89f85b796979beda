"""Scenario files: all of them are right, and what is wrong is refused with the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.drill import scenario
from sandbox.drill.scenario import Kind, Scenario, Up
from sandbox.plane.errors import PlaneError
from sandbox.settings import Settings

RIGHT = """
title: a title
load: {sessions: 2, mean: 90s, longest: 1h}
steps:
  - up: {global: {cluster: other}}
"""
REASONED = "expect: {friendly: {cut: some, because: it is known}}\n"


def read(folder: Path, text: str) -> Scenario:
    path = folder / "one.yaml"
    path.write_text(text)
    return scenario.read(path)


@pytest.mark.parametrize("name", scenario.everything())
def test_every_scenario_is_right(name: str) -> None:
    (found,) = scenario.chosen([name]).values()
    Settings.model_validate(found.settings)


def test_a_scenario_as_it_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, RIGHT)
    assert (found.load.mean, found.load.longest) == (90, 3600)
    assert found.steps == (Up(up={"global": {"cluster": "other"}}),)
    assert found.kinds == [Kind.FRIENDLY, Kind.HOSTILE]
    assert read(tmp_path, RIGHT + REASONED).expect.friendly.cut == "some"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RIGHT + "stpes: []\n", "stpes: Extra inputs are not permitted"),
        (RIGHT.replace("1h", "3600"), "load.longest: Input should be a valid number"),
        (RIGHT.replace("90s", "90 s"), "load.mean: "),
        (RIGHT.replace("sessions: 2", "sessions: '2'"), "load.sessions: Input should be a valid integer"),
        (RIGHT.replace("- up:", "- upp:"), "a step has one of the keys up, refused, destroy"),
        (RIGHT + "    says: nothing\n", "steps.0.up.says: Extra inputs are not permitted"),
        (RIGHT + "  - refused: {}\n", "steps.1.refused.says: Field required"),
        (RIGHT + "expect: {hostile: {cut: some}}\n", "hostile: cut: some needs its reason"),
        (RIGHT + "expect: {baseline: {cut: 0}}\n", "baseline: cut: 0 needs its reason"),
        (RIGHT + "expect: {hostile: {cut: 3}}\n", "expect.hostile.cut: Input should be 0 or 'some'"),
        ("title: only this\n", "load: Field required"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PlaneError) as refused:
        read(tmp_path, text)
    assert says in str(refused.value)


def test_a_name_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(PlaneError, match=r"no scenario nothing\. These exist: .*transcriber-image"):
        scenario.chosen(["nothing"])


def test_a_step_on_one_line() -> None:
    assert scenario.told(Up(up={"global": {"transcriber": {"image": {"tag": "1"}}}})) == (
        "up: global.transcriber.image.tag: 1"
    )
