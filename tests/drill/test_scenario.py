"""Scenario files: all of them are right, and what is wrong is refused with the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.drill import scenario
from sandbox.drill.engine import begun_with
from sandbox.drill.kinds import Apply, Azure, Beside, Kill, Kubectl, Refused, Set, Shift, Up, told
from sandbox.drill.ladder import rows
from sandbox.drill.overlay import laid_over
from sandbox.drill.run import Job
from sandbox.drill.scenario import End, Kind, Scenario
from sandbox.home import CHECKOUT
from sandbox.plane.errors import PlaneError
from sandbox.settings import Settings
from stacks import load
from tests.unit.graph import MADE_UP_SECRETS

RIGHT = """
title: a title
load: {sessions: 2, mean: 90s, longest: 1h}
end: [{get: pods, path: .items, prints: ""}]
steps:
  - up: {global: {cluster: other}}
"""
REASONED = "expect: {friendly: {cut: some, because: it is known}}\n"


def read(folder: Path, text: str) -> Scenario:
    path = folder / "one.yaml"
    path.write_text(text)
    return scenario.read(path)


SECRETS = {**MADE_UP_SECRETS, "huggingFaceToken": "made-up-token"}
"""What stands for the decrypted secrets of the sandbox's stack file and of the scenarios."""


def refusals(document: dict[str, Any]) -> list[str]:
    """What the configuration's loader says to a stack file."""
    config, flagged = dict[str, str](), list[str]()
    for key, value in document["config"].items():
        if isinstance(value, dict) and set(value) == {"secure"}:
            config[key] = SECRETS[key.partition(":")[2]]
            flagged.append(key)
        else:
            config[key] = value if isinstance(value, str) else json.dumps(value)
    return [str(each) for each in load.read(config, flagged)[1]]


@pytest.mark.parametrize("name", scenario.everything())
def test_every_scenario_is_right(name: str) -> None:
    (found,) = scenario.chosen([name]).values()
    Settings.model_validate(found.settings)
    if found.put_back:
        rows.of(rows.read(), [found.put_back])
    for steps in (found.steps, found.baseline):
        document = begun_with(*Job(name, found, Kind.FRIENDLY, 1).start)
        assert refusals(document) == []
        for step in steps:
            match step:
                case Up(up=overlay) | Kill(kill=overlay) | Apply(apply=overlay):
                    document = laid_over(document, overlay)
                    assert refusals(document) == [], told(step)
                case Beside(beside=overlay):
                    assert refusals(laid_over(document, overlay)) == [], told(step)
                case Set():
                    Settings.model_validate(Settings().model_dump(by_alias=True) | found.settings | step.set)
                case Kubectl(kubectl=[*_, "-f", file]):
                    assert (CHECKOUT / file).is_file()
                case _:
                    pass


def test_a_scenario_that_the_loader_refuses_is_not_right() -> None:
    document = begun_with({"global": {"transcriber": {"image": {"tga": "13.5.1"}}}})
    assert any("unknown-key" in each for each in refusals(document))


def test_a_scenario_as_it_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, RIGHT)
    assert (found.load.mean, found.load.longest) == (90, 3600)
    assert found.steps == (Up(up={"global": {"cluster": "other"}}),)
    assert found.kinds == [Kind.FRIENDLY, Kind.HOSTILE]
    assert read(tmp_path, RIGHT + REASONED).expect.friendly.cut == "some"


def test_a_baseline_is_of_other_steps_or_of_the_same_with_a_rung_put_back(tmp_path: Path) -> None:
    other = read(tmp_path, RIGHT + "baseline: [{wait: settled}]\n")
    assert other.steps_of(Kind.BASELINE) == other.baseline
    assert other.steps_of(Kind.HOSTILE) == other.steps
    back = read(tmp_path, RIGHT + "put_back: maintenance window\n")
    assert Kind.BASELINE in back.kinds
    assert back.steps_of(Kind.BASELINE) == back.steps


@pytest.mark.parametrize(
    ("written", "read_as"), [("no room", ("no room",)), ("[no room, no way]", ("no room", "no way"))]
)
def test_a_refusal_says_a_text_or_one_of_several(written: str, read_as: tuple[str, ...], tmp_path: Path) -> None:
    refused = read(tmp_path, RIGHT + f"  - refused: {{}}\n    says: {written}\n").steps[-1]
    assert isinstance(refused, Refused)
    assert refused.says == read_as


BESIDE = "  - beside: {azure: {resourceGroup: other, clusterName: other}}\n"
SHIFT = "  - clients: {to: beside, within: 5m}\n"
DELETE = "  - azure: {delete_cluster: old}\n"


def test_a_move_to_another_cluster(tmp_path: Path) -> None:
    *_, beside, shift, at_once, delete = read(
        tmp_path, RIGHT + BESIDE + SHIFT + "  - clients: {to: beside}\n" + DELETE
    ).steps
    assert isinstance(beside, Beside)
    assert beside.beside == {"azure": {"resourceGroup": "other", "clusterName": "other"}}
    assert isinstance(shift, Shift)
    assert shift.clients.within == 300
    assert isinstance(at_once, Shift)
    assert at_once.clients.within == 0
    assert isinstance(delete, Azure)
    assert delete.azure.delete_cluster == "old"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RIGHT + "  - beside: {}\n", "steps.1.beside.beside: "),
        (RIGHT + BESIDE + "  - clients: {within: 5m}\n", "steps.2.clients.clients.to: Field required"),
        (RIGHT + BESIDE + "  - clients: {to: old}\n", "steps.2.clients.clients.to: Input should be 'beside'"),
        (RIGHT + BESIDE + "  - clients: {to: beside, within: 5}\n", "steps.2.clients.clients.within: "),
        (RIGHT + BESIDE + "  - clients: {to: beside, with: 5m}\n", "steps.2.clients.clients.with: Extra inputs"),
        (RIGHT + BESIDE + "  - azure: {delete_cluster: new}\n", "delete_cluster: Input should be 'old'"),
        (RIGHT + BESIDE + "  - azure: {delete_cluster: old, node_image: comes}\n", "one of delete_pool, node_image, "),
        (RIGHT + SHIFT, "steps: clients: only after beside"),
        (RIGHT + DELETE, "steps: azure: only after beside"),
        (RIGHT + BESIDE + BESIDE, "steps: beside: there is a second cluster already"),
        (RIGHT + BESIDE + DELETE + DELETE, "steps: azure: the old cluster is deleted already"),
        (RIGHT + BESIDE + "  - up: {}\n", "steps: up: not after beside, nobody knows which"),
        (RIGHT + BESIDE + "  - azure: {node_image: comes}\n", "steps: azure: not after beside"),
        (RIGHT + "baseline:\n" + SHIFT, "baseline: clients: only after beside"),
        (RIGHT + "  - apply: {}\n", "steps: apply: the naive way is a baseline's"),
        (RIGHT + "  - refused: {}\n    says: []\n", "steps.1.refused.says: "),
        (RIGHT + "  - refused: {}\n    says: ['']\n", "steps.1.refused.says.0: "),
        (RIGHT + "stpes: []\n", "stpes: Extra inputs are not permitted"),
        (RIGHT.replace("1h", "3600"), "load.longest: Input should be a valid number"),
        (RIGHT.replace("90s", "90 s"), "load.mean: "),
        (RIGHT.replace("sessions: 2", "sessions: '2'"), "load.sessions: Input should be a valid integer"),
        (RIGHT.replace("- up:", "- upp:"), "a step has one of the keys up, refused, destroy"),
        (RIGHT + "    says: nothing\n", "steps.0.up.says: Extra inputs are not permitted"),
        (RIGHT + "  - refused: {}\n", "steps.1.refused.says: Field required"),
        (RIGHT + "  - azure: {delete_pool: services, node_image: comes}\n", "one of delete_pool, node_image, upgrade_"),
        (RIGHT.replace('prints: ""', "print: x"), "end.0.print: Extra inputs"),
        (RIGHT.replace('prints: ""', ""), "end.0: Value error, one of prints, holds"),
        (RIGHT.replace('[{get: pods, path: .items, prints: ""}]', "[]"), "end: Tuple should have at least 1 item"),
        (RIGHT + "  - azure: {}\n", "one of delete_pool, node_image, upgrade_"),
        (RIGHT + "  - refused: {}\n    says: no\n    refresh: true\n", "steps.1.refused.refresh: Extra inputs"),
        (RIGHT + "expect: {hostile: {cut: some}}\n", "hostile: cut: some needs its reason"),
        (RIGHT + "expect: {baseline: {cut: 0}}\n", "baseline: cut: 0 needs its reason"),
        (RIGHT + "expect: {friendly: {cut: 0, done: without load}}\n", "done: without load needs its reason"),
        (RIGHT + "expect: {hostile: {cut: 0, done: without load}}\n", "only of the friendly run"),
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
    assert told(Up(up={"global": {"transcriber": {"image": {"tag": "1"}}}})) == ("up: global.transcriber.image.tag: 1")


@pytest.mark.parametrize(
    ("end", "printed", "amiss"),
    [
        ({"prints": "a b"}, "a  b\n", ""),
        ({"prints": ""}, "", ""),
        ({"prints": ""}, "a", "pods .items is 'a' in the end, and should be ''"),
        ({"prints": "a"}, "a b", "pods .items is 'a b' in the end, and should be 'a'"),
        ({"holds": ":2"}, "image:2", ""),
        ({"holds": ":2"}, "image:1", "pods .items is 'image:1' in the end, and should hold ':2'"),
    ],
)
def test_an_end_is_reached_or_says_what_is_there(end: dict[str, str], printed: str, amiss: str) -> None:
    assert End.model_validate({"get": "pods", "path": ".items", **end}).amiss(printed) == amiss
