"""Where the images of the data plane come from."""

from __future__ import annotations

import json
from typing import Any

from components.speech.images import registries, server_tag, transcriber_tag, triton_image
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.inference_server import Recipe1Settings, Recipe2Settings
from stacks.schema.transcribers import TranscriberSettings

GLOBAL = GlobalSettings()
VENDOR = GLOBAL.transcriber.image.registry


def server(section: Any) -> Recipe1Settings:
    return Recipe1Settings.model_validate_json(json.dumps(section))


def test_registries_of_what_is_on() -> None:
    transcribers = TranscriberSettings.model_validate_json(
        json.dumps({"workerProxy": {"image": {"registry": "mirror.example"}}})
    )
    one = server({"tritonServer": {"image": {"registry": "own.example"}}})
    off = Recipe2Settings.model_validate_json(json.dumps({"tritonServer": {"image": {"registry": "off.example"}}}))
    assert registries(transcribers, [one, off], GLOBAL) == (VENDOR, "mirror.example", "own.example")
    assert registries(transcribers.model_copy(update={"enabled": False}), [off], GLOBAL) == ()


def test_a_tag_of_its_own_keeps_the_recipes_repository() -> None:
    one = server({"tritonServer": {"image": {"tag": "13.6.0"}}})
    assert triton_image(one, GLOBAL) == f"{VENDOR}/sm-gpu-inference-server-enhanced-recipe1:13.6.0"
    two = Recipe2Settings.model_validate_json(json.dumps({"tritonServer": {"image": {"registry": "own.example"}}}))
    assert triton_image(two, GLOBAL) == "own.example/sm-gpu-inference-server-enhanced-recipe2:13.5.0"
    assert (server_tag(one, GLOBAL), transcriber_tag(TranscriberSettings(), GLOBAL)) == ("13.6.0", "13.5.0")
