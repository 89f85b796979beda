"""The inference server beyond the contract's example: features and the stop script."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from components.speech.pre_stop import TRITON_PRE_STOP
from tests.unit.graph import Graph, Json, run_program

GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"


def features(graph: Graph) -> Json:
    pod = graph.one(GROUP, "inference-server-enhanced-recipe1").inputs["spec"]["template"]["spec"]
    (sidecar,) = [each for each in pod["containers"] if each["name"] == "inference-sidecar"]
    (value,) = [each["value"] for each in sidecar["env"] if each["name"] == "REGISTER_FEATURES"]
    parsed: Json = json.loads(value)
    assert value == json.dumps(parsed, sort_keys=True, separators=(",", ":"))
    return parsed


def test_costs_capacity_and_extra_models_are_the_configurations() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {
            "inferenceSidecar": {
                "registerFeatures": {
                    "capacity": 500,
                    "modelCosts": {"lm_en": 11, "ensemble": 22},
                    "additionalModelCosts": {"en:extra": 1},
                }
            }
        }

    found = features(run_program("sandbox", change))
    assert found["capacity"] == 500
    assert found["model_costs"]["en:lm_en_enhanced"] == 11
    assert found["model_costs"]["cy:ensemble_cy_enhanced"] == 22
    assert found["model_costs"]["en:ensemble_en_enhanced"] == 16
    assert found["model_costs"]["en:extra"] == 1


def test_one_gpu_for_each_pod(graph: Graph) -> None:
    pod = graph.one(GROUP, "inference-server-enhanced-recipe1").inputs["spec"]["template"]["spec"]
    limits = [each["resources"].get("limits", {}) for each in pod["containers"]]
    assert [each["nvidia.com/gpu"] for each in limits if "nvidia.com/gpu" in each] == ["1"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_the_stop_script_is_one_bash_understands() -> None:
    checked = subprocess.run(["bash", "-n", "-c", TRITON_PRE_STOP], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_off_is_off() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"enabled": False}
        config["sm-realtime:transcribers"] = {"enabled": False}

    graph = run_program("sandbox", change)
    assert graph.of(GROUP) == []
    assert graph.one("kubernetes:core/v1:ConfigMap", "realtime").inputs["data"]["pod_selector_list"] == ""
