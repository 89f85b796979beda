"""The inference server beyond the contract's example."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.graph import Change, Graph, Json, run_program
from tests.unit.variants import all_recipes, scaled

GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"
SERVER = "sm-realtime:speech:InferenceServer"


def variables(graph: Graph, container: str, group: str = "inference-server-enhanced-recipe1") -> dict[str, Any]:
    pod = graph.one(GROUP, group).inputs["spec"]["template"]["spec"]
    (found,) = [each for each in pod["containers"] if each["name"] == container]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in found["env"]}


def features(graph: Graph, group: str = "inference-server-enhanced-recipe1") -> Json:
    value = variables(graph, "inference-sidecar", group)["REGISTER_FEATURES"]
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


def test_off_is_off() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"enabled": False}
        config["sm-realtime:transcribers"] = {"enabled": False}

    graph = run_program("sandbox", change)
    assert graph.of(GROUP) == []
    assert graph.one("kubernetes:core/v1:ConfigMap", "realtime").inputs["data"]["pod_selector_list"] == ""


def test_every_server_has_its_own_names_image_and_recipe(changed: Callable[[Change | None], Graph]) -> None:
    graph = changed(all_recipes)
    # logical names are in users' states
    assert sorted(each.name for each in graph.of(SERVER)) == [
        "inference-recipe1", "inference-recipe2", "inference-recipe3", "inference-recipe4", "inference-standard-all",
    ]  # fmt: skip
    for recipe in ("standard-all", "enhanced-recipe1", "enhanced-recipe2", "enhanced-recipe3", "enhanced-recipe4"):
        template = graph.one(GROUP, f"inference-server-{recipe}").inputs["spec"]["template"]
        triton = next(each for each in template["spec"]["containers"] if each["name"] == "triton-server")
        assert triton["image"].endswith(f"/sm-gpu-inference-server-{recipe}:13.5.0")
        assert triton["resources"] == {"limits": {"nvidia.com/gpu": "1"}}
        assert template["metadata"]["annotations"]["tags.datadoghq.com/triton-server.recipe"] == recipe
        point = "standard" if recipe == "standard-all" else "enhanced"
        assert variables(graph, "triton-server", f"inference-server-{recipe}")["SM_OPERATING_POINT"] == point


def test_a_custom_server_at_both_points_registers_its_map() -> None:
    costs = {"*:body_enhanced": 0, "tl:ensemble_tl_enhanced": 25}

    def change(config: Json) -> None:
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"enabled": False}
        config["sm-realtime:global"]["transcriber"] = {"languages": ["tl"]}
        config["sm-realtime:inferenceServerCustom"] = {
            "enabled": True,
            "tritonServer": {"operatingPoint": None, "image": {"repository": "other/tagalog"}},
            "inferenceSidecar": {"registerFeatures": {"capacity": 100, "customModelCosts": costs}},
        }

    graph = run_program("sandbox", change)
    assert [each.name for each in graph.of(SERVER)] == ["inference-custom"]
    assert features(graph, "inference-server-custom") == {"capacity": 100, "model_costs": costs, "version": "13.5.0"}
    assert "SM_OPERATING_POINT" not in variables(graph, "triton-server", "inference-server-custom")
    assert graph.one("kubernetes:core/v1:ConfigMap", "realtime").inputs["data"]["pod_selector_list"] == (
        "rt-transcriber,inference-server-custom"
    )


def of_a_recipe(recipe: str, image: str) -> Change:
    """The custom server with a recipe of the vendor's, beside the block of recipe 1."""

    def change(config: Json) -> None:
        config["sm-realtime:inferenceServerCustom"] = {
            "enabled": True,
            "tritonServer": {"recipe": recipe, "image": {"repository": image}},
        }
        config["sm-realtime:pools"]["inference"][0]["maxCount"] = 12

    return change


def test_the_custom_server_may_have_a_recipe_that_another_server_has_too() -> None:
    """Each is there by itself: names of its own in Kubernetes and in the state, and both are found."""
    graph = run_program("sandbox", of_a_recipe("enhanced-recipe1", "sm-gpu-inference-server-enhanced-recipe1"))
    assert sorted(each.name for each in graph.of(SERVER)) == ["inference-custom", "inference-recipe1"]
    own, block = "inference-server-custom", "inference-server-enhanced-recipe1"
    assert features(graph, own) == features(graph, block)
    for name in (own, block):
        template = graph.one(GROUP, name).inputs["spec"]["template"]
        assert template["metadata"]["labels"]["app.kubernetes.io/name"] == name
        service = graph.one("kubernetes:core/v1:Service", name)
        assert service.inputs["spec"]["selector"]["app.kubernetes.io/name"] == name


def test_another_recipe_of_the_custom_server_is_no_other_object() -> None:
    """Its sessions stay: what changes is in the pods' template, which the controller rolls while idle."""
    one = run_program("sandbox", of_a_recipe("enhanced-recipe1", "own/models"))
    two = run_program("sandbox", of_a_recipe("enhanced-recipe2", "own/models"))
    assert {each.urn for each in one.resources} == {each.urn for each in two.resources}
    name = "inference-server-custom"
    first, second = one.one(GROUP, name), two.one(GROUP, name)
    assert first.name == second.name
    assert "bg:ensemble_bg_enhanced" in features(two, name)["model_costs"]
    assert "bg:ensemble_bg_enhanced" not in features(one, name)["model_costs"]
    annotation = "tags.datadoghq.com/triton-server.recipe"
    assert second.inputs["metadata"]["annotations"][annotation] == "enhanced-recipe2"
    assert second.inputs["spec"]["template"]["metadata"]["annotations"][annotation] == "enhanced-recipe2"


@pytest.mark.parametrize(
    ("url", "address"),
    [("http://manager.example:8090", "http://manager.example:8090"), (None, "http://manager:8070")],
    ids=["given", "its Service"],
)
def test_a_sidecar_that_does_not_read_the_map_has_the_address_itself(url: str | None, address: str) -> None:
    def change(config: Json) -> None:
        config["sm-realtime:global"]["resourceManager"] = {} if url is None else {"url": url}
        config["sm-realtime:resourceManager"] = {"fullnameOverride": "manager", "service": {"port": 8070}}
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {
            "inferenceSidecar": {"resourceManager": {"configMap": {"enabled": False}}}
        }

    assert variables(run_program("sandbox", change), "inference-sidecar")["SM_TOKEN_STORE_URL"] == address


def test_replicas_are_the_programs_until_scaling_is_on(
    sandbox: Graph, changed: Callable[[Change | None], Graph]
) -> None:
    name = "inference-server-enhanced-recipe1"
    assert sandbox.one(GROUP, name).ignore_changes == ()
    group = changed(scaled).one(GROUP, name)
    assert group.ignore_changes == ("spec.replicas",)
    assert group.inputs["spec"]["scaling"]["enabled"] is True
    assert group.inputs["spec"]["replicas"] == 1, "the first number, when the group is made"
