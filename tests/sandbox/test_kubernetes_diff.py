"""Differences between a live object and new inputs, and the order of a replacement."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sandbox.kubernetes.diff import Mutability, ObjectDiff, compare, diff
from sandbox.kubernetes.paths import render
from sandbox.kubernetes.quantity import amount, same_amount
from sandbox.kubernetes.state import Recorded

Json = dict[str, Any]
INPUTS: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a", "namespace": "n"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "a"}},
        "template": {
            "spec": {"hostNetwork": False, "containers": [{"name": "c", "resources": {"limits": {"cpu": 1}}}]}
        },
    },
}
LIVE: Json = {
    **INPUTS,
    "metadata": {**INPUTS["metadata"], "uid": "u", "annotations": {"set-by": "a controller"}},
    "spec": {
        **INPUTS["spec"],
        "progressDeadlineSeconds": 600,
        "template": {"spec": {"containers": [{"name": "c", "image": "", "resources": {"limits": {"cpu": "1"}}}]}},
    },
    "status": {"replicas": 1},
}


def against(change: Json, live: Json = LIVE, ignore: tuple[str, ...] = (), **more: Any) -> ObjectDiff:
    inputs = {**copy.deepcopy(INPUTS), **change}
    recorded = Recorded(INPUTS, live, "m", "apps/v1")
    mutable = Mutability(config_maps=True, secrets=True)
    return diff(recorded, inputs, namespaced=True, mutability=mutable, ignore=ignore, **more)


def spec(**change: Any) -> Json:
    return {"spec": {**INPUTS["spec"], **change}}


def test_what_the_server_adds_rewrites_or_drops_is_no_difference() -> None:
    assert against({}) == ObjectDiff({}, False)


def test_changes_are_named_by_path_and_kind() -> None:
    changed = against(spec(replicas=2, paused=True, template={"spec": {"containers": []}})).changes
    assert {path: change.protocol_name for path, change in changed.items()} == {
        "spec.replicas": "UPDATE",
        "spec.paused": "ADD",
        "spec.template.spec.hostNetwork": "DELETE",
        "spec.template.spec.containers[0]": "DELETE",
    }


def test_drift_of_the_live_object_in_a_field_of_ours_shows() -> None:
    drifted = {**LIVE, "spec": {**LIVE["spec"], "replicas": 7, "progressDeadlineSeconds": 1}}
    assert list(against({}, drifted).changes) == ["spec.replicas"]


def test_ignored_paths_and_those_below_them_do_not_show() -> None:
    change = spec(replicas=2, selector={"matchLabels": {"app": "b"}})
    assert list(against(change, ignore=("spec.selector",)).changes) == ["spec.replicas"]
    assert against(change, ignore=("spec",)) == ObjectDiff({}, False)


def test_a_replacement_of_an_object_named_by_hand_deletes_first() -> None:
    found = against(spec(selector={"matchLabels": {"app": "b"}}))
    assert found.replaces == ["spec.selector.matchLabels.app"]
    assert found.delete_before_replace


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "b", "namespace": "n"},
        {"name": "a", "namespace": "other"},
        {"name": "a", "namespace": "n", "annotations": {"pulumi.com/autonamed": "true"}},
    ],
    ids=["another-name", "another-namespace", "named-by-the-provider"],
)
def test_a_replacement_that_can_be_created_beside_the_old_one_is(metadata: Json) -> None:
    found = against({"metadata": metadata, **spec(selector={"matchLabels": {"app": "b"}})})
    assert "spec.selector.matchLabels.app" in found.replaces
    assert not found.delete_before_replace


def test_no_namespace_and_the_default_one_are_the_same() -> None:
    inputs: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    live = {**inputs, "metadata": {"name": "a", "namespace": "default"}}
    found = diff(
        Recorded(inputs, live, "m", "v1"), inputs, namespaced=True, mutability=Mutability(False, False), ignore=()
    )
    assert found == ObjectDiff({}, False)


def test_a_secret_given_as_text_compares_with_what_the_server_keeps() -> None:
    inputs: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"k": "one"}}
    live: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "b25l"}}
    recorded, none = Recorded(inputs, live, "m", "v1"), Mutability(False, False)
    assert diff(recorded, inputs, namespaced=True, mutability=none, ignore=()).changes == {}
    changed = diff(recorded, {**inputs, "stringData": {"k": "two"}}, namespaced=True, mutability=none, ignore=())
    assert changed.replaces == ["data.k"]


@pytest.mark.parametrize(
    ("path", "value", "replaces"),
    [
        ({"spec": {"selector": {"a": "b"}}}, None, ["spec"]),
        ({"spec": {"other": 1}}, None, []),
    ],
)
def test_a_change_above_a_force_new_path_counts_when_it_contains_it(
    path: Json, value: Any, replaces: list[str]
) -> None:
    changes = compare({}, path, ["spec.selector"])
    assert [render(p) for p, change in changes.items() if change.replaces] == replaces


def test_true_and_one_are_different() -> None:
    assert list(compare({"a": 1}, {"a": True})) == [("a",)]


def test_quantities_are_compared_by_amount_in_built_in_kinds_only() -> None:
    old, new = {"limits": {"cpu": "500m"}}, {"limits": {"cpu": "0.5"}}
    assert compare(old, new) == {}
    assert list(compare(old, new, built_in=False)) == [("limits", "cpu")]
    assert list(compare({"args": {"cpu": "500m"}}, {"args": {"cpu": "0.5"}})) == [("args", "cpu")]


@pytest.mark.parametrize(
    ("one", "other"),
    [("1Gi", "1024Mi"), ("0.5", "500m"), ("1e3", "1k"), (2, "2"), ("1.5Gi", "1536Mi"), ("100u", "0.1m")],
)
def test_equal_amounts(one: Any, other: Any) -> None:
    assert same_amount(one, other)


@pytest.mark.parametrize("text", ["", "1Xi", "a", "1 Gi", True, "1i"])
def test_what_is_no_quantity(text: Any) -> None:
    assert amount(text) is None
