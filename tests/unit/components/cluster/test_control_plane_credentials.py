"""Secrets of the control plane: made with what was configured, or only named."""

from __future__ import annotations

import base64

import pytest

from stacks.redis_url import RedisUrlError, redis_url
from tests.unit.graph import Graph, Json, run_program

SECRET = "kubernetes:core/v1:Secret"
URL = "rediss://:made-up@redis.example.org:10000/0"
EXTERNAL: Json = {"externalRedis": {"enabled": True}, "redis": {"enabled": False}}


def external(**more: Json) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = EXTERNAL | more
        if "secrets" in more:
            config["sm-realtime:redisUrl"] = URL

    return run_program("sandbox", change)


@pytest.mark.parametrize("given", [URL, f"{URL}\n", base64.b64encode(URL.encode()).decode()])
def test_an_address_is_taken_as_it_is_or_in_base64(given: str) -> None:
    assert redis_url(given) == URL


@pytest.mark.parametrize(
    "given", ["", "http://redis.example.org", "not an address", "bm8gYWRkcmVzcw==", "redis.example.org"]
)
def test_what_is_no_address_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(RedisUrlError) as error:
        redis_url(given)
    assert not given or given not in str(error.value)


def test_the_secret_holds_the_address_as_a_secret_and_comes_before_who_reads_it() -> None:
    graph = external(secrets={"redis": {"create": True}})
    secret = graph.one(SECRET, "resource-manager-redis")
    assert base64.b64decode(secret.inputs["data"]["redis_url"]).decode() == URL
    assert "data" in secret.secret_paths
    for deployment in graph.of("kubernetes:apps/v1:Deployment"):
        if deployment.object_name.startswith("resource-manager"):
            assert secret.urn in deployment.dependencies, deployment.object_name


def test_a_secret_that_exists_is_only_named() -> None:
    graph = external()
    assert not [each for each in graph.of(SECRET) if each.object_name == "resource-manager-redis"]
