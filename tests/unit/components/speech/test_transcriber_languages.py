"""What each language's transcribers are: layers over layers, from fresh copies."""

from __future__ import annotations

import json
from typing import Any

from components.speech.transcriber_languages import given_wins, resources, speech, speeches
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.transcribers import TranscriberSettings

Json = dict[str, Any]


def transcribers(**sections: Json) -> TranscriberSettings:
    return TranscriberSettings.model_validate_json(json.dumps(sections))


def overridden(**overrides: Json) -> TranscriberSettings:
    return transcribers(transcriber={"languages": {"overrides": overrides}})


def speaking(*languages: str) -> GlobalSettings:
    return GlobalSettings.model_validate_json(json.dumps({"transcriber": {"languages": languages}}))


def test_nothing_of_a_language_reaches_the_next() -> None:
    """The chart's merge writes into a shared map: what the first language sets, every later one has."""
    given = overridden(sessionGroupsScaling={"en": {"enabled": True, "scaleOnPodsLeft": 2, "maxReplicas": 9}})
    english, german = speeches(given, speaking("en", "de"))
    assert (english.scaled, english.scaling["scaleOnPodsLeft"], english.scaling["maxReplicas"]) == (True, 2, 9)
    alone = speeches(transcribers(), speaking("de"))[0]
    assert german == alone
    assert "scaleOnPodsLeft" not in german.scaling


def test_0_and_false_of_a_later_layer_win_and_what_is_not_set_is_left() -> None:
    given = transcribers(
        sessionGroups={"scaling": {"enabled": True, "minReplicas": 2}},
        transcriber={
            "languages": {
                "overrides": {
                    "sessionGroupsScaling": {"en": {"enabled": False, "minReplicas": 0, "scaleOnCapacityLeft": 0}}
                }
            }
        },
    )
    found = speech(given, GlobalSettings(), "en")
    assert found.scaling == {
        "enabled": False,
        "minReplicas": 0,
        "maxReplicas": 4,
        "scaleDownDelay": "1m0s",
        "scaleOnCapacityLeft": 0,
        "maxPodsScaledDownAtOnce": 10,
    }
    assert found.replicas == 0
    assert speech(given, GlobalSettings(), "de").scaled


def test_a_concurrency_of_0_is_as_not_set() -> None:
    given = overridden(maxConcurrentConnections={"en": 0, "de": 5})
    assert speech(given, GlobalSettings(), "en").concurrency == 2
    assert speech(given, GlobalSettings(), "de").concurrency == 5


def test_an_override_of_resources_is_laid_over_the_vendors_numbers() -> None:
    processor, general = {"requests": {"cpu": "300m"}}, {"requests": {"cpu": "1"}}
    assert resources("sv", {"requests": {"cpu": "200m"}}, processor, general) == {
        "requests": {"cpu": "200m", "memory": "3Gi"}
    }
    assert resources("tl", {"limits": {"cpu": "2"}}, processor, general) == {"limits": {"cpu": "2"}}
    assert resources("tl", None, processor, general) == processor
    assert resources("tl", None, {}, general) == general


def test_a_language_on_the_cpu_is_one_wherever_else_it_stands() -> None:
    given = transcribers(transcriber={"languages": {"cpuLanguages": ["sv"], "gpuLanguages": ["ga", "en"]}})
    found = speeches(given, speaking("en", "sv", "de"))
    assert [(each.language, each.on_cpu) for each in found] == [
        ("sv", True), ("ga", False), ("en", False), ("de", False),
    ]  # fmt: skip
    assert speeches(given.model_copy(update={"enabled": False}), speaking("en")) == ()


def test_of_one_name_the_last_variable_counts_and_stands_once() -> None:
    program = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    given = [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}, {"name": "C", "value": "5"}]
    assert given_wins(program, given) == [
        {"name": "A", "value": "1"}, {"name": "B", "value": "3"}, {"name": "C", "value": "5"},
    ]  # fmt: skip
