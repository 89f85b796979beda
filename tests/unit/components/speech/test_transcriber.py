"""Transcribers in other languages and with other settings than the contract's example."""

from __future__ import annotations

from typing import Any

from components.speech.model_costs import feature
from components.speech.transcriber_resources import REQUESTS, requests_of
from tests.unit.graph import Graph, Json, run_program

GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"


def containers(graph: Graph, name: str) -> dict[str, Json]:
    pod = graph.one(GROUP, name).inputs["spec"]["template"]["spec"]
    return {each["name"]: each for each in [*pod["containers"], *pod["initContainers"]]}


def variables(container: Json) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_an_underscore_stays_in_the_code_and_not_in_the_name(graphs: dict[str, Graph]) -> None:
    group = graphs["production"].one(GROUP, "rt-transcriber-cmn-en")
    assert group.inputs["metadata"]["labels"]["lang"] == "cmn_en"
    assert group.inputs["spec"]["selector"]["matchLabels"] == {"app": "rt-transcriber-cmn-en"}
    found = containers(graphs["production"], "rt-transcriber-cmn-en")
    assert found["rt-asr-transcriber"]["image"].endswith("/rt-asr-transcriber-cmn_en:13.5.0")
    assert variables(found["readiness-tracker"])["LANGUAGE_FEATURE"] == "cmn_en"
    assert '"model_costs": {"cmn_en": 1}' in variables(found["readiness-tracker"])["REGISTER_FEATURES"]


def test_every_language_has_a_group_with_the_three_variables_last(graphs: dict[str, Graph]) -> None:
    groups = [e for e in graphs["production"].of(GROUP) if e.object_name.startswith("rt-transcriber-")]
    assert len(groups) == 16
    for group in groups:
        for container in containers(graphs["production"], group.object_name).values():
            names = [each["name"] for each in container["env"]]
            assert names[-3:] == ["SM_DEPLOYMENT_NAME", "SM_NODE_NAME", "SM_SPEC_VERSION"]
            assert len(set(names)) == len(names)
            assert variables(container)["SM_DEPLOYMENT_NAME"] == group.object_name


def test_resources_are_the_vendors_by_language() -> None:
    assert len(REQUESTS) == 56
    assert requests_of("en") == ("600m", "5Gi")
    assert requests_of("yue") == ("600m", "2Gi")
    assert requests_of("sv") == ("500m", "3Gi")
    assert requests_of("en_ms") == requests_of("es-bilingual-en") == ("300m", "3.5Gi")


def test_a_domain_is_cut_off_where_capacity_is_looked_up() -> None:
    assert (feature("es-bilingual-en"), feature("cmn_en"), feature("en")) == ("es", "cmn_en", "en")


def test_the_capacity_check_follows_pre_warm_only_while_it_is_not_set() -> None:
    def variant(pre_warm: bool, check: bool | None) -> tuple[Any, Any]:
        def change(config: Json) -> None:
            config["sm-realtime:transcribers"] = {
                "readinessTracker": {"preWarm": {"enabled": pre_warm}},
                "workerProxy": {} if check is None else {"checkForCapacityOnStart": check},
            }

        found = containers(run_program("sandbox", change), "rt-transcriber-en")
        return (
            variables(found["worker-proxy"])["SM_CHECK_FOR_CAPACITY_ON_START"],
            variables(found["readiness-tracker"])["PRE_WARM_ENABLED"],
        )

    assert variant(True, None) == ("true", "true")
    assert variant(True, False) == ("false", "true")
    assert variant(False, None) == ("false", "false")
    assert variant(False, True) == ("true", "false")


def test_concurrency_is_told_to_both_who_need_it() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:transcribers"] = {"transcriber": {"maxConcurrentConnections": {"value": 5}}}
        config["sm-realtime:global"]["flow"] = {"flowUseLocalTranscriber": False}

    found = containers(run_program("sandbox", change), "rt-transcriber-en")
    transcriber = variables(found["rt-asr-transcriber"])
    assert transcriber["SM_MAX_CONCURRENT_CONNECTIONS"] == "5"
    assert '"capacity": 5' in variables(found["readiness-tracker"])["REGISTER_FEATURES"]
    assert "SM_DISABLE_API_VALIDATION" not in transcriber
