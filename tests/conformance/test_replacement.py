"""In which order an update replaces an object, and that it takes over none that exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.conformance.harness import Cluster, Engine, Outcome, configuration, provider

Json = dict[str, Any]


@dataclass(frozen=True)
class Update:
    """One update of two immutable maps, and the state on both sides of it."""

    outcome: Outcome
    before: dict[str, Json]
    after: dict[str, Json]


@pytest.fixture(scope="module")
def update(engine: Engine, cluster: Cluster) -> Update:
    def program(text: str) -> None:
        opts = provider("immutable", cluster.kubeconfig, cluster_identifier="one")
        configuration("by-hand", opts, {"a": text}, name="by-hand")
        configuration("automatic", opts, {"a": text})

    stack = engine.stack("replacement")
    stack.up(lambda: program("1"))
    before = stack.resources()
    outcome = stack.up(lambda: program("2"))
    return Update(outcome, before, stack.resources())


def test_named_by_hand_the_old_object_goes_first(update: Update) -> None:
    ops = update.outcome.ops("by-hand")
    assert ops.index("delete-replaced") < ops.index("create-replacement")
    assert update.before["by-hand"]["id"] == update.after["by-hand"]["id"] == "default/by-hand"
    uids = [state["by-hand"]["outputs"]["metadata"]["uid"] for state in (update.before, update.after)]
    assert uids[0] != uids[1]


def test_named_by_the_provider_the_new_object_comes_first(update: Update, cluster: Cluster) -> None:
    ops = update.outcome.ops("automatic")
    assert ops.index("create-replacement") < ops.index("delete-replaced")
    old, new = (state["automatic"]["id"].removeprefix("default/") for state in (update.before, update.after))
    assert old != new
    assert {old[:10], new[:10]} == {"automatic-"}
    assert cluster.get("v1", "ConfigMap", new, "default")["data"] == {"a": "2"}
    assert cluster.run(lambda kube: kube.find("v1", "ConfigMap", old, "default")) is None


def test_an_object_that_exists_is_not_taken_over(engine: Engine, cluster: Cluster) -> None:
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "default"}}
    cluster.run(lambda kube: kube.create({**theirs, "data": {"a": "theirs"}}))

    def program() -> None:
        configuration("theirs", provider("p", cluster.kubeconfig), {"a": "ours"}, name="theirs")

    stack = engine.stack("existing")
    outcome = stack.up(program, fails=True)
    assert "already exists" in outcome.error
    assert cluster.get("v1", "ConfigMap", "theirs", "default")["data"] == {"a": "theirs"}
    assert "theirs" not in stack.resources()
