"""What the summary and the wait say about pods, SessionGroups and nodes."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from sandbox import standing
from sandbox.twin.template import spec_hash

Json = dict[str, Any]


def pod(name: str = "p", ready: bool = False, deleted: bool = False, **status: Any) -> Json:
    meta: Json = {"namespace": "ns", "name": name} | ({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {})
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {"metadata": meta, "status": {"phase": "Pending", "conditions": conditions} | status}


def test_only_pods_that_should_be_ready_are_counted() -> None:
    pods = [pod("on"), pod("leaving", deleted=True), pod("done", phase="Succeeded"), pod("failed", phase="Failed")]
    assert [p["metadata"]["name"] for p in standing.counted(pods)] == ["on", "failed"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ErrImagePull", "message": "401"}}}]},
            "c waiting (ErrImagePull: 401)",
        ),
        (
            {"initContainerStatuses": [{"name": "i", "state": {"terminated": {"reason": "Completed"}}}]},
            "phase Pending",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]},
            "not scheduled: 0/3 nodes are available",
        ),
        ({"reason": "Evicted", "message": "low on memory"}, "Evicted; low on memory"),
        (
            {"conditions": [{"type": "Ready", "status": "False", "message": "containers with unready status: [c]"}]},
            "containers with unready status: [c]",
        ),
    ],
)
def test_a_pods_status_says_why_it_is_not_ready(status: Json, said: str) -> None:
    assert standing.reason(pod(**status)) == said


@pytest.mark.parametrize(("has", "wants", "short"), [(0, 2, True), (1, 2, True), (2, 2, False), (3, 2, False)])
def test_a_group_with_too_few_pods_is_named(has: int, wants: int, short: bool) -> None:
    group = {"metadata": {"namespace": "ns", "name": "g"}, "spec": {"replicas": wants}, "status": {"replicas": has}}
    told = standing.short_groups([group])
    assert told == ([f"SessionGroup ns/g: {has} of {wants} pods exist"] if short else [])


def test_a_group_without_status_has_no_pods() -> None:
    group = {"metadata": {"namespace": "ns", "name": "g"}, "spec": {"replicas": 1}}
    assert standing.short_groups([group]) == ["SessionGroup ns/g: 0 of 1 pods exist"]


def node(pool: str | None, generation: str, ready: bool) -> Json:
    labels = {"agentpool": generation, "node.kubernetes.io/instance-type": "Standard_D4s_v5"}
    if pool is not None:
        labels |= {"sm-realtime/pool": pool, "sm-realtime/generation": generation}
    state = "True" if ready else "Unknown"
    return {"metadata": {"labels": labels}, "status": {"conditions": [{"type": "Ready", "status": state}]}}


def test_nodes_are_counted_by_pool_and_generation() -> None:
    nodes = [node("gpu", "gpu01", True), node("gpu", "gpu01", False), node("gpu", "gpu02", True)]
    text = io.StringIO()
    Console(file=text, width=120).print(standing.node_table([*nodes, node(None, "system", True)]))
    assert [line.split() for line in text.getvalue().splitlines()[1:]] == [
        ["gpu", "gpu01", "Standard_D4s_v5", "1/2"],
        ["gpu", "gpu02", "Standard_D4s_v5", "1/1"],
        ["system", "system", "Standard_D4s_v5", "1/1"],
    ]


def group_at(version: int, taken_up: Json) -> Json:
    """A group whose controller has taken up this template; its present one is empty of labels."""
    meta = {"namespace": "ns", "name": "g", "uid": "u"}
    status = {"replicas": 1, "specVersion": version, "specHash": spec_hash(taken_up, "g")}
    return {"metadata": meta, "spec": {"replicas": 1, "template": {"spec": {"containers": []}}}, "status": status}


def of_group(version: int, held: int = 0) -> Json:
    made = pod()
    made["metadata"] |= {
        "labels": {"speechmatics.com/spec-version": str(version)},
        "annotations": {"sandbox.sm-realtime/sessions": str(held)},
        "ownerReferences": [{"uid": "u"}],
    }
    return made


def test_a_roll_that_has_not_begun_is_not_over() -> None:
    group = group_at(1, {"spec": {"containers": [{"name": "other"}]}})
    assert standing.rolling([group], [of_group(1)]) == [
        "SessionGroup ns/g: its controller has not taken up the newest template"
    ]


def test_a_roll_is_over_when_no_idle_older_pod_is_left() -> None:
    group = group_at(2, {"spec": {"containers": []}})
    assert standing.rolling([group], [of_group(1), of_group(2)]) == ["Pod ns/p: idle and of version 1; 2 replaces it"]
    assert standing.rolling([group], [of_group(2)]) == []


def test_an_older_pod_with_sessions_is_where_it_should_be() -> None:
    assert standing.rolling([group_at(2, {"spec": {"containers": []}})], [of_group(1, held=1), of_group(2)]) == []
