"""Secrets of the control plane: made with what was configured, or only named."""

from __future__ import annotations

import base64
import copy
import functools
import hashlib
import json
import re

import pytest

from components.cluster.control_plane_credentials import CD_CACHE_MARK, DATABASE_MARK, REDIS_MARK, mark
from stacks.redis_url import RedisUrlError, redis_url
from tests.unit.graph import Graph, Json, run_program

SECRET = "kubernetes:core/v1:Secret"
URL = "rediss://:made-up@redis.example.org:10000/0"
MARKS = {"redisUrl": REDIS_MARK, "cdCacheUrl": CD_CACHE_MARK, "databaseUrl": DATABASE_MARK}
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


ADDRESSES = {
    "redisUrl": URL,
    "cdCacheUrl": "rediss://:made-up@cache.example.org:10000/1",
    "databaseUrl": "postgres://user:made-up@database.example.org/sessions",
}
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
ALL_FOUR = {
    "resource-manager",
    "resource-manager-metrics",
    "resource-manager-reconciliation",
    "sessiongroups-controller",
}


@functools.cache
def reading(key: str | None = None) -> Graph:
    """A control plane that reads all three addresses; one of them with another password."""

    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = EXTERNAL | {
            "cdCache": {"enabled": True},
            "reconciliation": {"repopulation": {"enabled": True}},
            "secrets": {"redis": {"create": True}, "database": {"create": True}},
        }
        given = {each: text.replace("made-up", "another") if each == key else text for each, text in ADDRESSES.items()}
        config |= {f"sm-realtime:{each}": text for each, text in given.items()}

    return run_program("sandbox", change)


@pytest.mark.parametrize(
    ("key", "secret", "who"),
    [
        ("redisUrl", "resource-manager-redis", ALL_FOUR),
        ("cdCacheUrl", "resource-manager-redis", {"resource-manager"}),
        ("databaseUrl", "resource-manager-database", {"resource-manager-reconciliation"}),
    ],
)
def test_another_address_is_another_version_of_those_that_read_it_and_of_nobody_else(
    key: str, secret: str, who: set[str]
) -> None:
    before = {(each.type, each.object_name): each.inputs for each in reading().kubernetes}
    after = {(each.type, each.object_name): each.inputs for each in reading(key).kubernetes}
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {(SECRET, secret), *((DEPLOYMENT, name) for name in who)}
    for name in who:
        one, other = copy.deepcopy(before[DEPLOYMENT, name]), copy.deepcopy(after[DEPLOYMENT, name])
        marks = [each["spec"]["template"]["metadata"]["annotations"].pop(MARKS[key]) for each in (one, other)]
        assert one == other
        assert all(re.fullmatch("[0-9a-f]{6}", each) for each in marks)


def test_a_mark_is_in_clear_and_no_address_is() -> None:
    for each in reading().of(DEPLOYMENT):
        assert not each.secret_paths
        assert "made-up" not in json.dumps(each.inputs)


def test_a_mark_is_no_hash_that_is_quickly_tried() -> None:
    """A list of passwords is not found from it: each try costs memory and time, and many fit."""
    seen = mark("one", URL)
    assert seen == mark("one", URL) != mark("two", URL)
    for fast in (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512):
        for text in (URL, f"one\0{URL}", f"one{URL}"):
            assert not fast(text.encode()).hexdigest().startswith(seen)
    assert 2 ** (4 * len(seen)) == 2**24


def test_pods_carry_no_mark_of_a_secret_that_exists() -> None:
    for each in external().of(DEPLOYMENT):
        assert not MARKS.values() & each.inputs["spec"]["template"]["metadata"].get("annotations", {}).keys()
