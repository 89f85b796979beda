"""The proxy's Secrets: made, fetched or there already; never deleted under pods that read them."""

from __future__ import annotations

from typing import Any

import pytest

from components.speech.proxy_secrets import all_secrets, wanted_secrets
from stacks.schema.proxy import ProxySettings
from stacks.schema.proxy_secrets import PROXY_SECRET_KEYS
from tests.unit.graph import Graph, Json, run_program

SECRET = "kubernetes:core/v1:Secret"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"

EVERYTHING: Json = {
    "events": {"enabled": True},
    "storage": {"enabled": True},
    "livekit": {"enabled": True},
    "agentAPI": {"useLocal": False, "useRemote": True, "remoteURL": "https://agents.example.org"},
    "proxyCache": {"enabled": True, "redis": {"external": True}},
}


def with_proxy(proxy: Json, **secrets: str) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:proxy"] = proxy
        config |= {f"sm-realtime:{key}": value for key, value in secrets.items()}

    return run_program("sandbox", change)


def test_every_flat_key_belongs_to_one_key_of_one_secret() -> None:
    flat = [each for secret in all_secrets(ProxySettings()) for each in secret.keys.values()]
    assert sorted(flat) == sorted(PROXY_SECRET_KEYS)


@pytest.mark.parametrize(
    ("given", "uses"),
    [
        ({}, []),
        ({"events": {"enabled": True}}, ["events"]),
        ({"database": {"createSecret": True}}, ["database"]),
        ({"proxyCache": {"enabled": True}}, ["database"]),
        ({"proxyCache": {"redis": {"external": True}}}, []),
        ({"agentAPI": {"useRemote": True}}, []),
        (EVERYTHING, ["events", "storage", "database", "redis", "livekit", "agent-api"]),
        ({**EVERYTHING, "enabled": False}, []),
    ],
)
def test_a_secret_is_wanted_where_something_reads_it(given: Json, uses: list[str]) -> None:
    settings = ProxySettings.model_validate(given)
    assert [secret.use for secret in wanted_secrets(settings)] == uses


def read_by(value: Any) -> set[tuple[str, str]]:
    """Names and keys of Secrets that a pod's variables come from."""
    if isinstance(value, dict):
        own = {(value["secretKeyRef"]["name"], value["secretKeyRef"]["key"])} if "secretKeyRef" in value else set()
        return own.union(*(read_by(each) for each in value.values()))
    return set().union(*(read_by(each) for each in value)) if isinstance(value, list) else set()


def test_the_pods_read_exactly_what_the_secrets_have() -> None:
    """With everything from Secrets that exist, and the table of keys by which they are looked up."""
    graph = with_proxy(EVERYTHING)
    wanted = wanted_secrets(ProxySettings.model_validate(EVERYTHING))
    pods = [each.inputs["spec"]["template"] for each in graph.of(DEPLOYMENT)]
    assert read_by(pods) == {(secret.name, key) for secret in wanted for key in secret.keys}
    assert not [each for each in graph.of(SECRET) if each.object_name.startswith("proxy-")]


def test_one_made_here_is_secret_and_stays_when_the_program_drops_it() -> None:
    graph = with_proxy({"livekit": {"enabled": True}}, livekitUrl="a", livekitApiKey="b", livekitApiSecret="c")
    made = graph.one(SECRET, "proxy-livekit")
    assert made.retain_on_delete
    assert "data" in made.secret_paths
    assert made.urn in graph.one(DEPLOYMENT, "proxy-a").dependencies


def test_no_content_shows_on_the_pods() -> None:
    """A password can be guessed at a hash, and a changed pod of the active side would end its sessions."""
    first, second = (
        with_proxy({"livekit": {"enabled": True}}, livekitUrl="a", livekitApiKey="b", livekitApiSecret=secret)
        for secret in ("c", "d")
    )
    assert first.one(SECRET, "proxy-livekit").inputs != second.one(SECRET, "proxy-livekit").inputs
    assert first.one(DEPLOYMENT, "proxy-a").inputs == second.one(DEPLOYMENT, "proxy-a").inputs
