"""Which models each recipe serves and what a request to one costs of a server's capacity (contract: transcription 12).

As data for all recipes, so that the loader can tell which language needs which recipe.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from stacks.schema.inference_server import CustomTriton, ServerSettings
from stacks.schema.register_features import (
    CustomFeatures,
    ModelCosts,
    Recipe1ModelCosts,
    Recipe2ModelCosts,
    Recipe3ModelCosts,
    Recipe4ModelCosts,
    RecipeFeatures,
    StandardModelCosts,
)


class Recipe(StrEnum):
    """A set of languages one inference server holds models for."""

    STANDARD_ALL = "standard-all"
    ENHANCED_1 = "enhanced-recipe1"
    ENHANCED_2 = "enhanced-recipe2"
    ENHANCED_3 = "enhanced-recipe3"
    ENHANCED_4 = "enhanced-recipe4"
    CUSTOM = "custom"
    """No set of the vendor's: its models are what the configuration lists."""


ENHANCED: dict[Recipe, tuple[str, ...]] = {
    Recipe.ENHANCED_1: (
        "ba",
        "be",
        "cmn_en",
        "cy",
        "en",
        "en_ms",
        "en_ta",
        "eo",
        "eu",
        "ga",
        "mn",
        "mr",
        "ta",
        "tr",
        "ug",
        "uk",
    ),
    Recipe.ENHANCED_2: ("bg", "es", "et", "fa", "gl", "hr", "ia", "id", "lt", "lv", "ro", "sk", "sl", "ur"),
    Recipe.ENHANCED_3: ("ca", "cs", "da", "de", "el", "fi", "he", "hi", "hu", "it", "ko", "ms", "sv", "sw"),
    Recipe.ENHANCED_4: ("ar", "bn", "cmn", "fr", "ja", "mt", "nl", "no", "pl", "pt", "ru", "th", "vi", "yue"),
}
"""Languages of the enhanced recipes, those newer than the seed's lists included (contract: transcription 12.1-12.4)."""

LANGUAGES: dict[Recipe, tuple[str, ...]] = {
    Recipe.STANDARD_ALL: tuple(sorted(language for languages in ENHANCED.values() for language in languages)),
    **ENHANCED,
}
"""Languages of every recipe; standard-all is the union of the others (contract: transcription 12.5)."""

COSTS: dict[Recipe, type[ModelCosts]] = {
    Recipe.STANDARD_ALL: StandardModelCosts,
    Recipe.ENHANCED_1: Recipe1ModelCosts,
    Recipe.ENHANCED_2: Recipe2ModelCosts,
    Recipe.ENHANCED_3: Recipe3ModelCosts,
    Recipe.ENHANCED_4: Recipe4ModelCosts,
}
"""What requests to a recipe's models cost, where nothing else is said (contract: transcription 12)."""

IMAGES = {f"sm-gpu-inference-server-{recipe.value}": recipe for recipe in LANGUAGES}
"""Recipe by the name of its image (contract: transcription 11.1), in whatever registry; of others nothing is known."""

POINTS = ("standard", "enhanced")
"""The operating points; the name of a model ends in the one it belongs to."""


def operating_point(recipe: Recipe) -> str:
    """`standard` or `enhanced`. Raises ValueError for the custom recipe, which has none of its own."""
    if recipe is Recipe.CUSTOM:
        raise ValueError("the custom recipe has no operating point of its own")
    return "standard" if recipe is Recipe.STANDARD_ALL else "enhanced"


def feature(language: str) -> str:
    """The code a language is looked up by: up to the first `-` (`es-bilingual-en` is `es`, `cmn_en` stays)."""
    return language.partition("-")[0]


def recipes_of(language: str) -> list[Recipe]:
    """The vendor's recipes that serve a language, standard first."""
    return [recipe for recipe, languages in LANGUAGES.items() if feature(language) in languages]


def model_costs(recipe: Recipe, costs: Mapping[str, int], additional: Mapping[str, int]) -> dict[str, int]:
    """`model_costs` of REGISTER_FEATURES for a vendor's recipe, keys sorted by byte value.

    `costs` has the seed's keys: `am`, `body`, `diar`, `ensemble`, `audioEventDetection`, and for single languages
    `ensemble_<language>` and `lm_<language>`. Raises KeyError when a general one is missing.
    """
    point = operating_point(recipe)
    result = {
        "*:audio_event_detection": costs["audioEventDetection"],
        f"*:body_{point}": costs["body"],
        f"*:diar_{point}": costs["diar"],
    }
    for language in LANGUAGES[recipe]:
        result[f"{language}:am_{language}_{point}"] = costs["am"]
        result[f"{language}:ensemble_{language}_{point}"] = costs.get(f"ensemble_{language}", costs["ensemble"])
        if f"lm_{language}" in costs:
            result[f"{language}:lm_{language}_{point}"] = costs[f"lm_{language}"]
    return dict(sorted((result | dict(additional)).items()))


def recipe_in(server: ServerSettings) -> Recipe | None:
    """The recipe whose image the server runs; None for an image that is not the vendor's."""
    return IMAGES.get(server.triton_server.image.repository.rpartition("/")[2])


def listed_costs(languages: Collection[str], points: Collection[str]) -> dict[str, int]:
    """Costs of the models of these languages at these operating points, as the vendor's recipes have them.

    With those of the models that all languages share. A language that no recipe has adds nothing.
    """
    codes = {feature(language) for language in languages}
    mine = codes | {"*"} if codes else codes
    recipes = [recipe for recipe in COSTS if operating_point(recipe) in points]
    whole = [model_costs(recipe, COSTS[recipe]().model_dump(by_alias=True), {}) for recipe in recipes]
    return {model: cost for costs in whole for model, cost in costs.items() if model.partition(":")[0] in mine}


def registered(server: ServerSettings) -> dict[str, int]:
    """The model costs a server registers: its recipe's and the additional ones.

    With the custom recipe those of the languages that it lists, and the custom map, which comes first.
    """
    features, recipe = server.inference_sidecar.register_features, Recipe(server.triton_server.recipe)
    if isinstance(features, CustomFeatures) and recipe is Recipe.CUSTOM:
        at, there = points(server), recipe_in(server)
        loaded = [point for point in at if there is None or point == operating_point(there)]
        return dict(sorted((listed_costs(listed(server), loaded) | features.custom_model_costs).items()))
    if isinstance(features, CustomFeatures):
        given = features.model_costs.model_dump(by_alias=True, exclude_none=True)
        return model_costs(recipe, COSTS[recipe]().model_dump(by_alias=True) | given, features.additional_model_costs)
    if isinstance(features, RecipeFeatures):
        return model_costs(recipe, features.model_costs.model_dump(by_alias=True), features.additional_model_costs)
    return {}


def listed(server: ServerSettings) -> tuple[str, ...]:
    """The languages that a server lists by name, which the custom one can."""
    return server.triton_server.languages if isinstance(server.triton_server, CustomTriton) else ()


def points(server: ServerSettings) -> tuple[str, ...]:
    """The operating points a server runs at. One that contradicts its recipe is refused elsewhere and not looked at."""
    recipe, given = Recipe(server.triton_server.recipe), server.triton_server.operating_point
    if given is None:
        return POINTS
    return (given.value if recipe is Recipe.CUSTOM else operating_point(recipe),)


def served(server: ServerSettings) -> frozenset[tuple[str, str]]:
    """The languages with a model of their own on this server, each with its operating point.

    What counts is what a lookup can find: an entry `<language>:…_<operating point>` among the registered costs. With
    `operatingPoint: null` the server itself runs at both, but it registers the models of its recipe's point alone
    (contract: transcription 12); the other point is found only where its entries are added by hand.
    """
    if not server.registers:
        return frozenset()
    at = points(server)
    keys = (key.partition(":") for key in registered(server))
    named = ((language, model.rpartition("_")[2]) for language, _, model in keys)
    return frozenset((language, point) for language, point in named if language != "*" and point in at)


def session_cost(costs: Mapping[str, int], language: str, point: str) -> int:
    """Capacity one session of this language uses at this operating point, without audio events.

    `costs` are those a server registers.
    """
    mine = f"{feature(language)}:"
    return sum(cost for key, cost in costs.items() if key.startswith(mine) and key.endswith(f"_{point}"))
