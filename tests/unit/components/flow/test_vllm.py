"""vLLM beyond the contract: a new pod beside the old one, with a GPU, a volume and time."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from components.flow.vllm import dtype, leave_seconds, resources
from stacks.schema.flow import FlowSettings
from stacks.schema.flow.vllm import VllmConfig, VllmSettings
from tests.unit.graph import Change, Graph, Json
from tests.unit.variants import talking

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
Changed = Callable[[Change | None], Graph]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"limits": {"nvidia.com/gpu": "1"}}),
        ({"config": {"numGPUs": 2}}, {"limits": {"nvidia.com/gpu": "2"}}),
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"memory": "8Gi"}}},
            {"requests": {"cpu": "2"}, "limits": {"memory": "8Gi", "nvidia.com/gpu": "1"}},
        ),
    ],
)
def test_it_asks_for_the_gpus_it_is_shown(given: Json, wanted: Json) -> None:
    assert resources(VllmSettings.model_validate_json(json.dumps(given))) == wanted


@pytest.mark.parametrize(
    ("given", "t4", "newer"),
    [("auto", "half", "auto"), ("half", "half", "half"), ("float32", "float32", "float32")],
)
def test_the_models_own_type_is_half_where_the_gpus_have_no_bfloat16(given: str, t4: str, newer: str) -> None:
    config = VllmConfig(dtype=given)
    assert dtype(config, bfloat16=False) == t4
    assert dtype(config, bfloat16=True) == newer


def test_its_defaults_run_on_the_default_pool(changed: Changed) -> None:
    container = changed(talking).one(DEPLOYMENT, "llm").inputs["spec"]["template"]["spec"]["containers"][0]
    assert "--dtype=half" in container["args"]


def test_a_pod_that_is_told_to_go_finishes_the_longest_turn(changed: Changed) -> None:
    slow = FlowSettings.model_validate_json('{"llmProxy": {"backendTimeoutSec": 60}}')
    assert leave_seconds(slow) == 65
    spec = changed(talking).one(DEPLOYMENT, "llm").inputs["spec"]
    pod = spec["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_up_waits_as_long_as_a_model_may_load(changed: Changed) -> None:
    deployment = changed(talking).one(DEPLOYMENT, "llm")
    assert deployment.inputs["spec"]["progressDeadlineSeconds"] == 1800
    assert deployment.timeouts == {"create": "1950s", "update": "1950s"}


def test_its_volume_is_for_several_nodes_and_protected(changed: Changed) -> None:
    claim = changed(talking).one("kubernetes:core/v1:PersistentVolumeClaim", "llm-cache-pvc")
    assert claim.inputs["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claim.protect


def test_its_token_arrives_as_a_secret_and_nothing_of_it_is_in_the_template(changed: Changed) -> None:
    """What another token changes is in tests/unit/stacks/test_rotation.py."""
    graph = changed(talking)
    assert "data" in graph.one("kubernetes:core/v1:Secret", "vllm-secret").secret_paths
    deployment = graph.one(DEPLOYMENT, "llm")
    assert deployment.secret_paths == frozenset()
    assert "sm-realtime/secret-hash" not in deployment.inputs["spec"]["template"]["metadata"]["annotations"]
