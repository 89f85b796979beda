"""Which models each recipe serves and what a request to one costs of a server's capacity (contract: transcription 12).

As data for all recipes, so that the loader can tell which language needs which recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Recipe(StrEnum):
    """A set of languages one inference server holds models for."""

    STANDARD_ALL = "standard-all"
    ENHANCED_1 = "enhanced-recipe1"
    ENHANCED_2 = "enhanced-recipe2"
    ENHANCED_3 = "enhanced-recipe3"
    ENHANCED_4 = "enhanced-recipe4"


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
    **ENHANCED,
    Recipe.STANDARD_ALL: tuple(sorted(language for languages in ENHANCED.values() for language in languages)),
}
"""Languages of every recipe; standard-all is the union of the others (contract: transcription 12.5)."""


def operating_point(recipe: Recipe) -> str:
    """`standard` or `enhanced`."""
    return "standard" if recipe is Recipe.STANDARD_ALL else "enhanced"


def feature(language: str) -> str:
    """The code a language is looked up by: up to the first `-` (`es-bilingual-en` is `es`, `cmn_en` stays)."""
    return language.partition("-")[0]


def recipes_of(language: str) -> list[Recipe]:
    """The recipes that serve a language, in the order of `Recipe`."""
    return [recipe for recipe in Recipe if feature(language) in LANGUAGES[recipe]]


def model_costs(recipe: Recipe, costs: Mapping[str, int], additional: Mapping[str, int]) -> dict[str, int]:
    """`model_costs` of REGISTER_FEATURES, keys sorted by byte value.

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
        if f"lm_{language}" in costs and recipe is not Recipe.STANDARD_ALL:
            result[f"{language}:lm_{language}_{point}"] = costs[f"lm_{language}"]
    return dict(sorted((result | dict(additional)).items()))


def session_cost(recipe: Recipe, language: str, costs: Mapping[str, int]) -> int:
    """Capacity one session of this language uses, without audio events."""
    entries = model_costs(recipe, costs, {})
    return sum(cost for key, cost in entries.items() if key.startswith(f"{feature(language)}:"))
