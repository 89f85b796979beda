"""The modes of Redis on a plane of its own: with Sentinel, then outside the cluster, where a real Redis answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Json, Platform, started
from tests.redis.nodes import programs, served

PASSWORD = "the-password-of-redis"
CONTROL_PLANE = {
    "resource-manager",
    "resource-manager-metrics",
    "resource-manager-reconciliation",
    "sessiongroups-controller",
}


def with_sentinel(config: Json) -> None:
    """The smallest platform: the control plane, its Redis with Sentinel, the proxy."""
    config["sm-realtime:transcribers"] = {"enabled": False}
    config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"enabled": False}
    config["sm-realtime:resourceManager"] = {"redis": {"sentinel": {"enabled": True}}}


def outside(config: Json) -> None:
    config["sm-realtime:resourceManager"] = {
        "externalRedis": {"enabled": True},
        "redis": {"enabled": False},
        "secrets": {"redis": {"create": True}},
    }


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(tmp_path_factory.mktemp("redis")) as plane:
        yield plane


def ready(pod: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def standing(plane: Platform) -> dict[str, Json]:
    """Every pod of the platform by name, each of them Ready; nothing is pending and a second preview is empty."""
    pods = {p["metadata"]["name"]: p for p in plane.objects("pods") if not p["metadata"].get("deletionTimestamp")}
    assert [name for name, pod in pods.items() if not ready(pod)] == []
    assert plane.pending() == []
    plane.pulumi("preview", "--expect-no-changes")
    for name in CONTROL_PLANE:
        assert [pod for pod in pods if pod.startswith(name)], name
    return pods


def test_redis_with_sentinel_stands_on_three_machines(plane: Platform) -> None:
    plane.configure(with_sentinel)
    plane.pulumi("up", "--yes", "--skip-preview")
    pods = standing(plane)
    nodes = [pods[f"realtime-redis-node-{number}"]["spec"]["nodeName"] for number in range(3)]
    assert len(set(nodes)) == 3
    (budget,) = (b for b in plane.objects("poddisruptionbudgets") if b["metadata"]["name"] == "realtime-redis-node")
    assert budget["status"]["disruptionsAllowed"] == 1


def test_another_mode_is_refused_while_redis_is_protected(plane: Platform) -> None:
    file = plane.checkout / "stacks" / "Pulumi.sandbox.yaml"
    before = file.read_text()
    plane.configure(outside)
    plane.pulumi("config", "set", "--secret", "redisUrl", f"redis://:{PASSWORD}@redis.example.org:6379")
    said = plane.pulumi("preview", fails=True)
    assert "redis-nodes" in said
    assert "protect" in said
    assert PASSWORD not in said
    file.write_text(before)


def test_a_redis_outside_the_cluster_is_used(plane: Platform, tmp_path: Path) -> None:
    tools = programs(tmp_path / "programs")
    with served(tools, tmp_path, PASSWORD) as port:
        plane.sandbox("set", "outside", f"redis.example.org:6379=127.0.0.1:{port}")
        plane.pulumi("config", "set", "--path", "protection.enabled", "false")
        plane.pulumi("up", "--yes", "--skip-preview")
        plane.configure(outside)
        plane.pulumi("config", "set", "--secret", "redisUrl", f"redis://:{PASSWORD}@redis.example.org:6379")
        said = plane.pulumi("up", "--yes", "--skip-preview")
        pods = standing(plane)
        assert not [name for name in pods if "redis" in name]
        for text in (said, json.dumps(plane.state())):
            assert PASSWORD not in text
