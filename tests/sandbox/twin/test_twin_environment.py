"""The controller's variables: each has its row, and what is not played is said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sandbox.twin.environment import BY_THE_NODE, DEFAULTS, NAMESPACE, unplayed
from stacks.variables import SET
from tests.unit.contract.compare import contract

PAGE = Path(__file__).parents[3] / "docs/reference/twin.md"
KNOWN = {NAMESPACE, *DEFAULTS, *BY_THE_NODE}


def container(**given: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value} for name, value in given.items()]}


def test_every_variable_that_the_program_sets_is_known_and_has_a_row() -> None:
    assert SET["sessiongroups-controller"] == KNOWN
    table = PAGE.read_text().partition("## Variables of the controller")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    assert set(re.findall(r"`([A-Z][A-Z_]+)`", " ".join(rows))) == KNOWN


def test_what_the_chart_sets_by_itself_is_not_remarked_upon() -> None:
    (deployment,) = [
        each
        for each in contract("control_plane")
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "sessiongroups-controller"
    ]
    (made,) = deployment["spec"]["template"]["spec"]["containers"]
    assert {each["name"] for each in made["env"]} >= set(DEFAULTS)
    assert unplayed(made) == ()


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_another_value_of_what_is_not_played_is_said(name: str) -> None:
    (said,) = unplayed(container(**{name: "7"}))
    assert f"{name}=7 is not played" in said
    secret = {"env": [{"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}
    assert len(unplayed(secret)) == 1, "nobody knows its value"
    assert unplayed(container(**{name: DEFAULTS[name]})) == ()


def test_of_two_of_one_name_the_last_one_counts() -> None:
    name = "SM_ENABLE_DEFRAG_SCALE_DOWN"
    both = {"env": [{"name": name, "value": "false"}, {"name": name, "value": "true"}]}
    assert len(unplayed(both)) == 1
    assert unplayed({"env": both["env"][::-1]}) == ()


def test_what_is_not_known_is_said() -> None:
    (said,) = unplayed(container(SM_SOMETHING="s3cret", TRANSCRIBER_NAMESPACE="n", REDIS_CONN_URL="r:6379"))
    assert "SM_SOMETHING" in said
    assert "s3cret" not in said
    (said,) = unplayed({"envFrom": [{"configMapRef": {"name": "more"}}]})
    assert "configMapRef" in said
