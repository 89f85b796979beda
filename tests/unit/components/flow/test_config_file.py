"""The file of flow-service beyond the contract's examples: what is left out, and what reads back."""

from __future__ import annotations

import json
from typing import Any

import yaml

from components.flow.config_file import text, tree
from stacks.schema.flow import FlowSettings

Json = dict[str, Any]


def rendered(*, here: bool = True, **sections: Json) -> Json:
    settings = FlowSettings.model_validate_json(json.dumps(sections))
    document = tree(settings, transcribes_here=here, llm_url="http://proxy:1", tts_url="http://tts:2/generate/")
    found: Json = yaml.safe_load(text(document))
    return found


def test_nothing_is_offered_that_is_off() -> None:
    found = rendered(llmProxy={"enabled": False}, config={"tts": {"sm": {"enabled": False}}})
    assert set(found["services"]) == {"ce"}


def test_its_own_switch_keeps_speech_to_text_here_as_well() -> None:
    elsewhere: Json = {"asr": {"endpoint": "wss://asr.example.org"}}
    assert "asr" in rendered(here=False, config=elsewhere)["services"]
    assert "asr" not in rendered(here=True, config=elsewhere)["services"]
    local: Json = {"asr": {"flowUseLocalTranscriber": True, "endpoint": "wss://asr.example.org"}}
    assert "asr" not in rendered(here=False, config=local)["services"]


def test_flow_waits_longer_than_the_llm_proxy_does() -> None:
    found = rendered(llmProxy={"backendTimeoutSec": 30})
    assert found["services"]["llm"]["ProxyLLM"]["defaults"]["config"]["llm_timeout"] == 32


def test_an_azure_model_without_a_limit_has_no_empty_block() -> None:
    found = rendered(config={"llm": {"azure": {"enabled": True}}})
    assert found["services"]["llm"]["Azure"] == {"defaults": {"config": {"api": {"api_version": "2024-02-15-preview"}}}}


def test_text_of_any_script_reads_back() -> None:
    preset = {"greeting": {"description": "नमस्ते: {x} # no comment"}}
    found = rendered(config={"tts": {"sm": {"additionalPresets": [preset]}}})
    assert found["services"]["tts"]["SpeechmaticsTTS"]["presets"] == [preset]
