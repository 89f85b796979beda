"""No option of transcribers, inference servers and placement replaces or deletes anything, names and parts aside."""

from __future__ import annotations

import pytest

from tests.unit.contract.compare import lay_over
from tests.unit.graph import Graph, Json, run_program
from tests.unit.knobs import losses
from tests.unit.stacks.test_pools import on_further_pools


def with_values_of(variant: str) -> Graph:
    """The options of a contract file over what stands, its names, languages, pools and what it switches off aside."""

    def change(config: Json) -> None:
        pools = config["sm-realtime:pools"]
        lay_over(variant, config)
        further = config["sm-realtime:pools"].get("further", {})
        config["sm-realtime:pools"] = {**pools, "further": further}
        config["sm-realtime:global"]["transcriber"] = {"languages": ["en"]}
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {
            **config.get("sm-realtime:inferenceServerEnhancedRecipe1", {}), "enabled": True,
        }  # fmt: skip
        pools["inference"][0]["maxCount"] = 10
        transcriber = config["sm-realtime:transcribers"].get("transcriber", {})
        transcriber.pop("nameOverride", None)
        # versions of transcribers and servers go together
        transcriber.get("image", {}).pop("tag", None)
        config.get("sm-realtime:inferenceServerEnhancedRecipe2", {}).pop("tritonServer", None)
        overrides = transcriber.get("languages", {}).get("overrides", {})
        for languages in overrides.values():
            languages.pop("de", None)

    return run_program("sandbox", change)


@pytest.mark.parametrize("variant", ["transcription_languages", "transcription_containers", "inference_options"])
def test_options_are_updates_in_place(variant: str, sandbox: Graph) -> None:
    assert [str(each) for each in losses(sandbox, with_values_of(variant))] == []


def test_a_further_pool_is_made_and_chosen_beside_what_stands(sandbox: Graph) -> None:
    assert [str(each) for each in losses(sandbox, run_program("sandbox", on_further_pools))] == []


def test_a_service_without_an_address_is_another_service(sandbox: Graph) -> None:
    """The one key of inference servers that is for a fresh create: its description says that it is immutable."""

    def change(config: Json) -> None:
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"tritonServer": {"service": {"headless": True}}}

    assert [str(each) for each in losses(sandbox, run_program("sandbox", change))] == [
        "Service/inference-recipe1-service replaced for spec.clusterIP"
    ]
