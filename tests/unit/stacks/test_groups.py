"""What the session groups hold, against the costs of the contract (transcription 12)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks.groups import OVERRIDES, Group, capacity, flow, inference, session_groups, transcribers
from stacks.schema import Settings
from tests.unit.graph import CHECKOUT
from tests.yaml_file import read_yaml

RECIPE_1 = "inferenceServerEnhancedRecipe1"


def settings(languages: list[str], scaled: bool = False, **sections: Any) -> Settings:
    base = read_yaml(CHECKOUT / "tests" / "cases" / "base.yaml")
    shared = {"transcriber": {"languages": languages}, "sessionGroups": {"scaling": {"enabled": scaled}}}
    return Settings.model_validate_json(json.dumps(base | {"global": shared} | sections))


def test_every_group_knows_where_its_number_of_pods_stands() -> None:
    found = {each.name: each.setting for each in session_groups(settings(["en", "cmn_en"]))}
    assert found == {
        "inference-server-enhanced-recipe1": f"{RECIPE_1}.sessionGroups.replicas",
        "rt-transcriber-en": f"{OVERRIDES}.en.minReplicas",
        "rt-transcriber-cmn-en": f"{OVERRIDES}.cmn_en.minReplicas",
    }


@pytest.mark.parametrize("name", ["inference-server-enhanced-recipe1", "rt-transcriber-en", "rt-transcriber-cmn-en"])
def test_that_key_is_the_number_of_this_group_and_of_no_other(name: str) -> None:
    before = {each.name: each for each in session_groups(settings(["en", "cmn_en"]))}
    section: Any = 7
    for part in reversed(before[name].setting.split(".")):
        section = {part: section}
    after = {each.name: each.pods for each in session_groups(settings(["en", "cmn_en"], **section))}
    assert after == {other: 7 if other == name else each.pods for other, each in before.items()}


@pytest.mark.parametrize(("scaled", "pods"), [(False, 3), (True, 9)])
def test_a_group_holds_what_its_most_pods_hold(scaled: bool, pods: int) -> None:
    groups = {"replicas": 3, "scaling": {"maxReplicas": 9}}
    found = settings(
        ["en"], scaled, transcribers={"sessionGroups": groups}, inferenceServerEnhancedRecipe1={"sessionGroups": groups}
    )
    assert (transcribers(found)["en"].pods, transcribers(found)["en"].sessions) == (pods, pods * 2)
    assert (inference(found)[RECIPE_1].pods, inference(found)[RECIPE_1].sessions) == (pods, pods * 20)


def test_a_group_is_scaled_where_all_are_or_its_own_switch_is_on() -> None:
    on = {"enabled": True}
    one = {"overrides": {"sessionGroupsScaling": {"cy": on}}}
    apart = settings(["en", "cy"], transcribers={"transcriber": {"languages": one}})
    assert {each.name for each in session_groups(apart) if each.scaled} == {"rt-transcriber-cy"}
    server = settings(["en"], inferenceServerEnhancedRecipe1={"sessionGroups": {"scaling": on}}, flow=on)
    assert {each.name for each in session_groups(server) if each.scaled} == {"inference-server-enhanced-recipe1"}
    everything = settings(["en"], scaled=True, flow=on)
    assert {each.scaled for each in session_groups(everything)} == {True}


@pytest.mark.parametrize(("languages", "sessions"), [(["cy"], 24), (["en"], 20), (["cy", "en"], 20), (["es"], 0)])
def test_a_server_holds_what_its_dearest_deployed_language_allows(languages: list[str], sessions: int) -> None:
    """A session in Welsh costs 20 of 480, one in English 16 + 8; recipe 1 has no Spanish."""
    assert inference(settings(languages))[RECIPE_1].sessions == sessions


@pytest.mark.parametrize(
    ("languages", "replicas", "sessions"),
    [
        (["en"], 1, 2),  # the transcriber is the narrow place
        (["en"], 50, 20),  # the server is
        (["en", "cy"], 6, 20),  # 24 in transcribers, one server for both
        (["en", "es"], 50, 20 + 18),  # a server each; Spanish costs 17 + 9
        (["en", "es"], 5, 20),  # ten each
    ],
)
def test_the_platform_holds_what_transcribers_and_servers_both_hold(
    languages: list[str], replicas: int, sessions: int
) -> None:
    found = settings(
        languages,
        transcribers={"sessionGroups": {"replicas": replicas}},
        inferenceServerEnhancedRecipe2={"enabled": True},
    )
    assert capacity(found) == sessions


def test_a_language_of_two_servers_counts_once() -> None:
    found = settings(
        ["en"], transcribers={"sessionGroups": {"replicas": 3}}, inferenceServerStandardAll={"enabled": True}
    )
    assert capacity(found) == 6


def test_what_is_switched_off_holds_nothing() -> None:
    assert capacity(settings(["en"], transcribers={"enabled": False})) == 0


def test_flow_has_groups_of_its_own_that_are_no_transcription() -> None:
    talking = {"enabled": True, "sessionGroups": {"replicas": 3}, "maxConcurrentConnections": {"value": 2}}
    voices = {
        "serviceName": "voices",
        "sessionGroups": {"scaling": {"enabled": True, "maxReplicas": 5}},
        "inferenceSidecar": {"registerFeatures": {"capacity": 4, "modelCosts": {"frenchFemale": 2}}},
    }
    found = settings(["en"], flow={**talking, "tts": voices})
    assert flow(found) == {
        "flow": Group("flow-service", "flow.sessionGroups.replicas", 3, 6),
        "flow.tts": Group("voices", "flow.tts.sessionGroups.replicas", 5, 10, scaled=True),
    }
    assert {"flow-service", "voices"} < {each.name for each in session_groups(found)}
    assert capacity(found) == capacity(settings(["en"]))
    assert list(flow(settings(["en"], flow={**talking, "tts": {"enabled": False}}))) == ["flow"]
    assert not flow(settings(["en"]))
