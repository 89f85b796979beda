"""What is told of a server's capacity in batch: one text for each recipe."""

from __future__ import annotations

import json

import pytest

from components.speech.batch_flow import QUEUES, flow_control
from components.speech.model_costs import Recipe
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.inference_server import (
    CustomSettings,
    Recipe1Settings,
    Recipe2Settings,
    Recipe3Settings,
    Recipe4Settings,
    ServerSettings,
    StandardSettings,
)


@pytest.mark.parametrize(
    ("server", "queue", "description", "capacity"),
    [
        (Recipe1Settings(), "k8sBufferEight", "GPU Recipe-1 language Enhanced", 480),
        (Recipe2Settings(), "k8sBufferNineteen", "GPU Recipe-2 language Enhanced", 480),
        (Recipe3Settings(), "k8sBufferTwenty", "GPU Recipe-3 language Enhanced", 480),
        (Recipe4Settings(), "k8sBufferTwentyOne", "GPU Recipe-4 language Enhanced", 480),
        (StandardSettings(), "k8sBufferSeven", "GPU all Standard", 2400),
        (CustomSettings(), "dummy", "custom queue", 480),
    ],
)
def test_each_recipe_has_its_queue(server: ServerSettings, queue: str, description: str, capacity: int) -> None:
    text = flow_control(server, GlobalSettings())
    found = json.loads(text)
    assert (found["queue_stage_name"], found["description"]) == (queue, description)
    assert found["inference_config"]["capacity"] == capacity
    assert found["inference_config"]["version"] == "13.5.0"
    assert text == json.dumps(found, sort_keys=True, separators=(",", ":"))


def test_every_recipe_is_in_the_table() -> None:
    assert QUEUES.keys() == set(Recipe)
