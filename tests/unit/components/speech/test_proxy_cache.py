"""The proxy's cache beyond the contract: other ports, a Redis outside, its place."""

from __future__ import annotations

from typing import Any

from tests.unit.graph import Graph, Json, run_program

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"


def cached(**cache: Any) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:proxy"] = {"fullnameOverride": "front", "proxyCache": {"enabled": True, **cache}}

    return run_program("sandbox", change)


def test_another_port_reaches_everything_that_speaks_to_the_redis() -> None:
    graph = cached(redis={"containerPort": 6380}, service={"port": 6390}, replicas=3)
    deployment = graph.one(DEPLOYMENT, "front-cache")
    redis, reader = deployment.inputs["spec"]["template"]["spec"]["containers"]
    assert redis["args"] == ["--save", "", "--port", "6380"]
    assert redis["ports"] == [{"containerPort": 6380, "protocol": "TCP"}]
    assert {"name": "REDIS_CONN_STRING", "value": "0.0.0.0:6380"} in reader["env"]
    service = graph.one(SERVICE, "front-cache").inputs["spec"]
    assert service["ports"] == [{"port": 6390, "targetPort": 6380}]
    assert service["selector"] == deployment.inputs["spec"]["selector"]["matchLabels"]
    env = graph.one(DEPLOYMENT, "front-a").inputs["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "REDIS_CONN_STRING", "value": "front-cache:6390"} in env


def test_sessions_begin_after_the_cache_is_there() -> None:
    graph = cached()
    assert graph.one(SERVICE, "front-cache").urn in graph.one(DEPLOYMENT, "front-a").dependencies


def test_with_a_redis_outside_there_is_none_of_ours_and_no_service() -> None:
    graph = cached(redis={"external": True})
    (reader,) = graph.one(DEPLOYMENT, "front-cache").inputs["spec"]["template"]["spec"]["containers"]
    assert reader["name"] == "proxy-service-cache"
    assert "front-cache" not in {each.object_name for each in graph.of(SERVICE)}


def test_it_is_placed_by_its_own_settings_on_the_services_pool() -> None:
    graph = cached(nodeSelector={"kubernetes.io/arch": "amd64"}, tolerations=[{"key": "x", "operator": "Exists"}])
    pod = graph.one(DEPLOYMENT, "front-cache").inputs["spec"]["template"]["spec"]
    assert pod["nodeSelector"]["kubernetes.io/arch"] == "amd64"
    assert pod["nodeSelector"]["sm-realtime/pool"] == "services"
    assert pod["tolerations"][0] == {"key": "x", "operator": "Exists"}
    assert (
        "kubernetes.io/arch" not in graph.one(DEPLOYMENT, "front-a").inputs["spec"]["template"]["spec"]["nodeSelector"]
    )
