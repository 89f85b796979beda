"""What the vendor's batch platform is told of an inference server's capacity (contract: transcription 11.10)."""

from __future__ import annotations

import json

from components.speech.images import server_tag
from components.speech.model_costs import Recipe, registered
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.inference_server import ServerSettings

LABEL = "speechmatics.io/gpu-flow-control"
KEY = "flow_control_config"

QUEUES = {
    Recipe.ENHANCED_1: ("k8sBufferEight", "GPU Recipe-1 language Enhanced"),
    Recipe.ENHANCED_2: ("k8sBufferNineteen", "GPU Recipe-2 language Enhanced"),
    Recipe.ENHANCED_3: ("k8sBufferTwenty", "GPU Recipe-3 language Enhanced"),
    Recipe.ENHANCED_4: ("k8sBufferTwentyOne", "GPU Recipe-4 language Enhanced"),
    Recipe.STANDARD_ALL: ("k8sBufferSeven", "GPU all Standard"),
    Recipe.CUSTOM: ("dummy", "custom queue"),
}
"""Recipe → name and description of its queue."""


def flow_control(settings: ServerSettings, global_: GlobalSettings) -> str:
    """The text of the ConfigMap: compact JSON, keys sorted by byte value."""
    queue, description = QUEUES[Recipe(settings.triton_server.recipe)]
    inference = {
        "capacity": settings.inference_sidecar.register_features.capacity,
        "model_costs": registered(settings),
        "version": server_tag(settings, global_),
    }
    payload = {"description": description, "inference_config": inference, "queue_stage_name": queue}
    return json.dumps(payload, sort_keys=True, separators=(",", ":"))
