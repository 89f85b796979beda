"""The recipes' tables against the counts and sums the contract states."""

from __future__ import annotations

import json

import pytest

from components.speech.model_costs import (
    LANGUAGES,
    Recipe,
    model_costs,
    operating_point,
    recipes_of,
    registered,
    served,
    session_cost,
)
from stacks.schema.inference_server import CustomSettings, Recipe1Settings, Recipe2Settings, StandardSettings
from tests.seed_languages import SEED_RECIPES

GENERAL = {"am": 0, "body": 0, "diar": 0, "ensemble": 20, "audioEventDetection": 3}
SPECIAL: dict[Recipe, dict[str, int]] = {
    Recipe.STANDARD_ALL: {"ensemble_en": 16},
    Recipe.ENHANCED_1: {"ensemble_en": 16, "lm_en": 8},
    Recipe.ENHANCED_2: {"ensemble_es": 17, "lm_es": 9},
    Recipe.ENHANCED_3: {"ensemble_de": 17, "lm_de": 9},
    Recipe.ENHANCED_4: {"ensemble_fr": 17, "lm_fr": 9},
}


@pytest.mark.parametrize(
    ("recipe", "languages", "entries"),
    [
        (Recipe.STANDARD_ALL, 58, 119),
        (Recipe.ENHANCED_1, 16, 36),
        (Recipe.ENHANCED_2, 14, 32),
        (Recipe.ENHANCED_3, 14, 32),
        (Recipe.ENHANCED_4, 14, 32),
    ],
)
def test_sizes_of_the_tables(recipe: Recipe, languages: int, entries: int) -> None:
    assert len(set(LANGUAGES[recipe])) == len(LANGUAGES[recipe]) == languages
    found = model_costs(recipe, GENERAL | SPECIAL[recipe], {})
    assert len(found) == entries
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    ("recipe", "language", "cost"),
    [
        (Recipe.ENHANCED_1, "en", 24),
        (Recipe.ENHANCED_1, "cmn_en", 20),
        (Recipe.ENHANCED_2, "es", 26),
        (Recipe.ENHANCED_3, "de", 26),
        (Recipe.ENHANCED_4, "fr", 26),
        (Recipe.ENHANCED_4, "ar", 20),
        (Recipe.STANDARD_ALL, "en", 16),
        (Recipe.STANDARD_ALL, "fr", 20),
    ],
)
def test_cost_of_a_session(recipe: Recipe, language: str, cost: int) -> None:
    costs = model_costs(recipe, GENERAL | SPECIAL[recipe], {})
    assert session_cost(costs, language, operating_point(recipe)) == cost


def test_recipes_of_a_language() -> None:
    assert recipes_of("en") == [Recipe.STANDARD_ALL, Recipe.ENHANCED_1]
    assert recipes_of("es-bilingual-en") == [Recipe.STANDARD_ALL, Recipe.ENHANCED_2]
    assert recipes_of("tl") == []


def test_the_recipes_serve_the_seeds_languages_and_the_newer_ones() -> None:
    """The seed's README lists, with what the vendor's model tables add to recipe 1."""
    seed = {Recipe(f"enhanced-recipe{number}"): languages for number, languages in SEED_RECIPES.items()}
    newer = {Recipe.ENHANCED_1: {"cmn_en", "en_ms", "en_ta"}}
    for recipe, languages in seed.items():
        assert set(LANGUAGES[recipe]) == set(languages) | newer.get(recipe, set())
    assert set(LANGUAGES[Recipe.STANDARD_ALL]) == {each for recipe in seed for each in LANGUAGES[recipe]}


def test_a_server_registers_what_its_own_costs_say() -> None:
    costs = {"ensemble_es": 5, "lm_es": 6, "ensemble": 7, "am": 1, "body": 2, "diar": 3, "audioEventDetection": 4}
    features = {"modelCosts": costs, "additionalModelCosts": {"tl:ensemble_tl_enhanced": 8}}
    text = json.dumps({"inferenceSidecar": {"registerFeatures": features}})
    server = Recipe2Settings.model_validate_json(text)
    found = registered(server)
    assert list(found) == sorted(found)
    assert len(found) == 33
    assert found["es:am_es_enhanced"] == 1
    assert (found["*:body_enhanced"], found["*:diar_enhanced"], found["*:audio_event_detection"]) == (2, 3, 4)
    assert (found["es:ensemble_es_enhanced"], found["es:lm_es_enhanced"], found["bg:ensemble_bg_enhanced"]) == (5, 6, 7)
    assert found["tl:ensemble_tl_enhanced"] == 8


def custom(point: str | None, *keys: str) -> CustomSettings:
    features = {"customModelCosts": dict.fromkeys(keys, 1)}
    server = {"tritonServer": {"operatingPoint": point}, "inferenceSidecar": {"registerFeatures": features}}
    return CustomSettings.model_validate_json(json.dumps(server))


def test_a_custom_server_registers_its_map_and_nothing_else() -> None:
    assert registered(custom(None, "tl:b", "*:a", "tl:a")) == {"*:a": 1, "tl:a": 1, "tl:b": 1}
    assert list(registered(custom(None, "tl:b", "*:a"))) == ["*:a", "tl:b"]
    assert registered(CustomSettings()) == {}
    with pytest.raises(ValueError, match="custom recipe"):
        operating_point(Recipe.CUSTOM)


def naming(repository: str | None, point: str | None, *languages: str, **costs: int) -> CustomSettings:
    """A custom server with languages by name."""
    image = {"image": {"repository": repository}} if repository else {}
    server = {
        "tritonServer": {"operatingPoint": point, "languages": languages, **image},
        "inferenceSidecar": {"registerFeatures": {"customModelCosts": costs}},
    }
    return CustomSettings.model_validate_json(json.dumps(server))


SHARED = {"*:audio_event_detection": 3, "*:body_enhanced": 0, "*:diar_enhanced": 0}
"""Of all languages alike (contract: transcription 12)."""


def test_a_custom_server_registers_the_languages_it_names_at_the_vendors_costs() -> None:
    """Those of recipes 1 and 3; the map comes first, and a language of no recipe adds nothing."""
    found = registered(naming("own/models", "enhanced", "en", "de", "tl", **{"de:lm_de_enhanced": 4}))
    english = {"en:am_en_enhanced": 0, "en:ensemble_en_enhanced": 16, "en:lm_en_enhanced": 8}
    german = {"de:am_de_enhanced": 0, "de:ensemble_de_enhanced": 17, "de:lm_de_enhanced": 4}
    assert found == SHARED | english | german
    assert list(found) == sorted(found)
    assert registered(naming("own/models", "enhanced", "tl")) == SHARED


def test_named_languages_are_looked_up_by_their_code_and_at_the_points_of_the_image() -> None:
    both = registered(naming("own/models", None, "es-bilingual-en"))
    assert {model for model in both if model.startswith("es")} == {
        *("es:am_es_enhanced", "es:ensemble_es_enhanced", "es:lm_es_enhanced"),
        *("es:am_es_standard", "es:ensemble_es_standard"),
    }
    of_recipe = naming("own/sm-gpu-inference-server-enhanced-recipe2", None, "es")
    assert {model.rpartition("_")[2] for model in registered(of_recipe)} == {"enhanced", "detection"}
    assert served(of_recipe) == {("es", "enhanced")}


def test_a_server_serves_the_languages_of_its_recipe_at_its_point() -> None:
    assert served(StandardSettings()) == {(language, "standard") for language in LANGUAGES[Recipe.STANDARD_ALL]}
    assert served(Recipe1Settings()) == {(language, "enhanced") for language in LANGUAGES[Recipe.ENHANCED_1]}


def recipe_1(point: str | None) -> Recipe1Settings:
    features = {"additionalModelCosts": {"en:ensemble_en_standard": 16}}
    server = {"tritonServer": {"operatingPoint": point}, "inferenceSidecar": {"registerFeatures": features}}
    return Recipe1Settings.model_validate_json(json.dumps(server))


def test_a_server_at_both_points_serves_what_it_registers_for_each() -> None:
    assert ("en", "standard") in served(recipe_1(None))
    assert ("en", "enhanced") in served(recipe_1(None))
    assert ("cy", "standard") not in served(recipe_1(None))
    assert ("en", "standard") not in served(recipe_1("enhanced"))


def test_a_custom_server_serves_what_its_map_and_its_point_allow() -> None:
    keys = ("*:body_enhanced", "tl:ensemble_tl_enhanced", "tl:ensemble_tl_standard", "en:model")
    assert served(custom("enhanced", *keys)) == {("tl", "enhanced")}
    assert served(custom("standard", *keys)) == {("tl", "standard")}
    assert served(custom(None, *keys)) == {("tl", "enhanced"), ("tl", "standard")}
