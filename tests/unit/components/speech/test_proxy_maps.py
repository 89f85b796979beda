"""The proxy's maps beyond the contract's two examples: switches one by one, absent and false apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.speech.proxy_maps import DEFAULT_AGENT, agent_files, computed_config
from stacks.schema.proxy import ProxySettings
from tests.unit.graph import Graph, Json, run_program

MAP = "kubernetes:core/v1:ConfigMap"
AGENT = "0b0e4a5e-93a1-4f0e-8a41-5d2c6d1f7a10"


def settings(**proxy: Any) -> ProxySettings:
    return ProxySettings.model_validate_json(json.dumps(proxy))


def data(**config: Any) -> dict[str, str]:
    return computed_config(settings(proxy={"config": config}))


@pytest.mark.parametrize(
    ("config", "key", "value"),
    [
        ({}, "SM_ON_PREM", "true"),
        ({"isOnPrem": False}, "SM_ON_PREM", None),
        ({}, "WEB_SOCKET_SCHEME", "ws"),
        ({"useInsecureWebsockets": False}, "WEB_SOCKET_SCHEME", None),
        ({"auth": {"enabled": False, "url": "https://auth.example.org"}}, "SM_AUTH_SERVICE_URL", None),
        ({"auth": {"enabled": True, "url": "https://auth.example.org"}}, "AUTHORIZE_CLIENT_IN_PROXY", None),
        ({"quotaCaching": {"queryRetryCount": 5}}, "SM_CONN_USAGE_QUERY_RETRY_COUNT", None),
        ({"quotaCaching": {"enabled": True, "queryRetryCount": 0}}, "SM_CONN_USAGE_QUERY_RETRY_COUNT", "0"),
        ({}, "SM_FLOW_TEMPLATE_INFO_JSON", None),
        ({"flowTemplateInfo": {}}, "SM_FLOW_TEMPLATE_INFO_JSON", "{}"),
        ({"deadlines": {"zombie": {"deadline_duration": "2h"}}}, "SM_ZOMBIE_DEADLINE_CONFIG_JSON",
         '{"deadline_duration":"-1s"}'),
        ({"deadlines": {"enabled": True, "zombie": {"deadline_duration": "2h"}}}, "SM_ZOMBIE_DEADLINE_CONFIG_JSON",
         '{"deadline_duration":"2h","log_only":true,"warning_count":3,"warning_interval":"5m"}'),
    ],
)  # fmt: skip
def test_a_key_is_there_or_not(config: Json, key: str, value: str | None) -> None:
    assert data(**config).get(key) == value


@pytest.mark.parametrize(
    "given", ['{"a": {"language": "en", "agent_id": "1"}}', "a:\n  language: en\n  agent_id: '1'\n"]
)
def test_templates_may_be_text_or_a_map(given: str) -> None:
    written_out = data(flowTemplateInfo={"a": {"language": "en", "agent_id": "1"}})
    assert data(flowTemplateInfo=given) == written_out
    assert written_out["SM_FLOW_TEMPLATE_INFO_JSON"] == '{"a":{"agent_id":"1","language":"en"}}'


def test_files_of_agents_are_looked_for_only_when_agents_are_loaded() -> None:
    assert computed_config(settings())["SM_AGENT_LOCAL_PATH"] == "/config/agents"
    assert "SM_AGENT_LOCAL_PATH" not in computed_config(settings(agentAPI={"enabled": False}))


def test_an_agents_file_ends_in_json_however_it_is_named() -> None:
    files = agent_files({f"{AGENT}_latest": {"agent_id": AGENT}, f"{AGENT}_v2.json": {"agent_id": AGENT}})
    assert list(files) == [f"{AGENT}_latest.json", f"{AGENT}_v2.json"]
    assert files[f"{AGENT}_latest.json"] == f'{{\n  "agent_id": "{AGENT}"\n}}'


def test_agents_given_replace_the_default_one() -> None:
    assert list(agent_files(None)) == [f"{DEFAULT_AGENT['agent_id']}_latest.json"]
    assert list(agent_files({f"{AGENT}_latest": {}})) == [f"{AGENT}_latest.json"]


def test_the_default_agent_is_polite_and_american() -> None:
    prompt = DEFAULT_AGENT["instructions"]["prompt"]
    for words in ("Jean", "United States", "courteous", "mood", "natural"):
        assert words in prompt


def test_added_values_are_passed_on() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:proxy"] = {"proxy": {"config": {"additionalConfig": {"SM_EXTRA": "on"}}}}

    assert run_program("sandbox", change).one(MAP, "proxy-config").inputs["data"]["SM_EXTRA"] == "on"


def test_what_clients_are_told_does_not_follow_the_languages(graphs: dict[str, Graph]) -> None:
    told = [graphs[stack].one(MAP, "discovery-api-features").inputs["data"] for stack in ("sandbox", "production")]
    assert told[0] == told[1]
