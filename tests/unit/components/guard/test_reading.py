"""What is made of the objects the API server lists."""

from __future__ import annotations

from typing import Any

import pytest

from components.guard.reading import Group, SessionPod, group_of, pods_of


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
