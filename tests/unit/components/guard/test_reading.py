"""What is made of the objects the API server lists."""

from __future__ import annotations

from typing import Any

import pytest

from components.guard.reading import Group, SessionPod, group_of, never_ran, pods_of


def listed(status: Any) -> dict[str, Any]:
    item: dict[str, Any] = {"metadata": {"namespace": "ns", "name": "g"}}
    return item if status is None else item | {"status": status}


@pytest.mark.parametrize(
    ("status", "usage", "active"),
    [
        ({"usage": 0, "activeSessions": 0}, 0, 0),
        ({"usage": 24, "activeSessions": 1}, 24, 1),
        ({"usage": 1}, 1, None),
        ({}, None, None),
        (None, None, None),
        ({"usage": "0", "activeSessions": False}, None, None),
    ],
)
def test_group(status: Any, usage: int | None, active: int | None) -> None:
    assert group_of(listed(status)) == Group("ns", "g", usage, active)


@pytest.mark.parametrize(
    ("spec", "replicas", "scaled"),
    [
        ({"replicas": 3, "scaling": {"enabled": True}}, 3, True),
        ({"replicas": 0, "scaling": {"enabled": False}}, 0, False),
        ({"replicas": "3", "scaling": {"enabled": "true"}}, None, None),
        ({"scaling": None}, None, None),
        (None, None, None),
    ],
)
def test_whose_the_number_of_pods_is(spec: Any, replicas: int | None, scaled: bool | None) -> None:
    group = group_of({**listed({"usage": 0, "activeSessions": 0}), "spec": spec})
    assert (group.replicas, group.scaled) == (replicas, scaled)


def pod(name: str, node: str | None, phase: str = "Running") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "ns", "name": name, "deletionTimestamp": "2026-11-23T00:00:00Z"},
        "spec": {"nodeName": node},
        "status": {"phase": phase},
    }


def test_pods_are_given_the_pool_of_their_node_and_stopping_ones_count() -> None:
    nodes: list[dict[str, Any]] = [
        {"metadata": {"name": "n1", "labels": {"agentpool": "trans01aaaaa"}}},
        {"metadata": {"name": "n2"}},
    ]
    pods = [pod("a", "n1"), pod("b", "n2"), pod("c", "gone"), pod("d", None), pod("e", "n1", "Succeeded")]
    assert pods_of(pods, nodes) == (
        SessionPod("ns", "a", "trans01aaaaa"),
        SessionPod("ns", "b", "?"),
        SessionPod("ns", "c", "?"),
        SessionPod("ns", "d", ""),
    )


def owned(kind: str, name: str, *, uid: str = "other", phase: str = "Running", controller: bool = True) -> Any:
    owner = {"kind": kind, "name": name, "uid": uid, "controller": controller}
    return {"metadata": {"namespace": "ns", "name": "p", "ownerReferences": [owner]}, "status": {"phase": phase}}


ALONE: dict[str, Any] = {"metadata": {"namespace": "ns", "name": "p"}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    "pods",
    [
        [],
        [owned("ReplicaSet", "resource-manager-7d9f"), owned("StatefulSet", "realtime-redis-master")],
        [owned("SessionGroup", "another")],
        [owned("SessionGroup", "g", phase="Failed")],
    ],
    ids=["none", "of others", "of another group", "ended"],
)
def test_a_group_that_never_ran_and_has_no_pod_holds_nothing(pods: list[dict[str, Any]]) -> None:
    assert not group_of(listed(None), pods).live


@pytest.mark.parametrize(
    "pods",
    [
        None,
        [owned("SessionGroup", "g")],
        [owned("SessionGroup", "renamed", uid="own")],
        [ALONE],
        [owned("ReplicaSet", "x", controller=False)],
        [owned("Something", "x")],
        [owned("ReplicaSet", "x"), ALONE],
        [owned("SessionGroup", "g", phase="Pending")],
    ],
    ids=["not read", "its own", "its own by id", "nobody's", "no controller", "unknown", "one of two", "pending"],
)
def test_a_group_that_never_ran_is_live_while_a_pod_may_be_its_own(pods: list[dict[str, Any]] | None) -> None:
    item = listed(None)
    item["metadata"]["uid"] = "own"
    group = group_of(item, pods)
    assert group == Group("ns", "g", None, None)
    assert group.live
    assert group.silent


def test_a_status_that_says_too_little_is_not_the_same_as_none() -> None:
    assert not never_ran(listed({"usage": 0}))
    assert group_of(listed({"usage": 0}), []).live
    assert group_of(listed({"usage": 2, "activeSessions": 1}), []).live
