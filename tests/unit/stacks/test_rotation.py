"""A new content of each flat secret key, and exactly what it changes (docs/how-to/secrets.md, Rotation)."""

from __future__ import annotations

import functools
import json

import pytest

from stacks.schema import FLOW_SECRETS, SECRET_KEYS
from stacks.schema.proxy_secrets import PROXY_SECRET_KEYS
from tests.unit.graph import Graph, Json, run_program
from tests.unit.variants import talking

LICENSED = {
    "SessionGroup/rt-transcriber-en",
    "SessionGroup/inference-server-enhanced-recipe1",
    "SessionGroup/flow-service",
    "SessionGroup/tts",
}
"""Pods with a license: those of the vendor's that hold sessions, which their controller rolls while they are idle."""

PROXYS = {
    "proxy-events": ("proxyEventsEndpoint", "proxyEventsConnString"),
    "proxy-storage": ("proxyStorageAccountName", "proxyStorageAccountKey"),
    "proxy-database": ("proxyDatabaseConnString",),
    "proxy-redis": ("proxyRedisConnString",),
    "proxy-livekit": ("livekitUrl", "livekitApiKey", "livekitApiSecret"),
    "proxy-agent-api": ("agentApiPassword",),
}
"""Secret → its keys; a pod of the active side would end its sessions, so none is told."""

RESTARTED = {
    "redisUrl": {
        "Deployment/resource-manager",
        "Deployment/resource-manager-metrics",
        "Deployment/resource-manager-reconciliation",
        "Deployment/sessiongroups-controller",
    },
    "cdCacheUrl": {"Deployment/resource-manager"},
    "databaseUrl": {"Deployment/resource-manager-reconciliation"},
}
"""Addresses of the control plane: on its services is no session."""

CHANGES: dict[str, set[str]] = {
    "licenseJson": {"Secret/speechmatics-license", *LICENSED},
    "registryPassword": {"Secret/speechmatics-registry"},
    **{key: {f"Secret/{secret}"} for secret, keys in PROXYS.items() for key in keys},
    "redisUrl": {"Secret/resource-manager-redis", *RESTARTED["redisUrl"]},
    "cdCacheUrl": {"Secret/resource-manager-redis", *RESTARTED["cdCacheUrl"]},
    "databaseUrl": {"Secret/resource-manager-database", *RESTARTED["databaseUrl"]},
    # needed to fetch the model only: the Deployment of vLLM knows no idle pod
    "huggingFaceToken": {"Secret/vllm-secret"},
    **{key: {"Secret/flow-service", "SessionGroup/flow-service"} for key, _ in FLOW_SECRETS.values()},
}

FIRST = {
    "licenseJson": '{"made": "up"}',
    "redisUrl": "rediss://:made-up@redis.example.org:10000/0",
    "cdCacheUrl": "rediss://:made-up@cache.example.org:10000/0",
    "databaseUrl": "postgres://speech:made-up@database.example.org/speech",
}


def another(content: str) -> str:
    return json.dumps({"made": "another"}) if content.startswith("{") else content.replace("made-up", "another")


def everything_made_here(config: Json, rotated: str | None = None) -> None:
    """Every Secret made of the configuration; one key with another content."""
    talking(config)
    config["sm-realtime:global"]["licensing"] = {"createSecret": True}
    config["sm-realtime:pullSecret"] = {"createSecret": True, "username": "speech"}
    config["sm-realtime:resourceManager"] = {
        "externalRedis": {"enabled": True},
        "redis": {"enabled": False},
        "cdCache": {"enabled": True},
        "reconciliation": {"repopulation": {"enabled": True}},
        "secrets": {"redis": {"create": True}, "database": {"create": True}},
    }
    config["sm-realtime:proxy"] = {
        "events": {"enabled": True},
        "storage": {"enabled": True},
        "database": {"createSecret": True},
        "proxyCache": {"enabled": True, "redis": {"external": True}},
        "livekit": {"enabled": True},
        "agentAPI": {"useLocal": False, "useRemote": True, "remoteURL": "https://agents.example.org"},
    }
    for key in SECRET_KEYS:
        content = FIRST.get(key, f"made-up-{key}")
        config[f"sm-realtime:{key}"] = another(content) if key == rotated else content


@pytest.fixture(scope="module")
def before() -> Graph:
    return run_program("sandbox", everything_made_here)


def objects(graph: Graph) -> dict[str, Json]:
    """Every resource's inputs, by kind and name in the cluster, or by type and name."""
    return {
        f"{each.type.rpartition(':')[2]}/{each.object_name}" if "metadata" in each.inputs else each.urn: each.inputs
        for each in graph.resources
    }


def test_the_keys_are_all_and_have_one_secret_each() -> None:
    assert CHANGES.keys() == SECRET_KEYS.keys()
    assert sorted(PROXY_SECRET_KEYS) == sorted(key for keys in PROXYS.values() for key in keys)


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_another_content_changes_its_secret_and_who_reads_it_safely(key: str, before: Graph) -> None:
    old, new = objects(before), objects(run_program("sandbox", functools.partial(everything_made_here, rotated=key)))
    assert old.keys() == new.keys()
    assert {name for name in old if old[name] != new[name]} == CHANGES[key]
