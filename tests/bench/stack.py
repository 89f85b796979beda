"""The stack that is measured: the sandbox's, with that many languages and room for them."""

from __future__ import annotations

from tests.unit.graph import Json

RECIPES = {
    # the seed's lists, under the headings `Enhanced OP Recipe 1 deployment` to `... 4 deployment`
    "inferenceServerEnhancedRecipe1": "en ba be cy eo eu ga mn mr ta tr ug uk",
    "inferenceServerEnhancedRecipe2": "bg es et fa gl hr ia id lt lv ro sk sl ur",
    "inferenceServerEnhancedRecipe3": "ca cs da de el fi he hi hu it ko ms sv sw",
    "inferenceServerEnhancedRecipe4": "ar bn cmn fr ja mt no nl pl pt ru th vi yue",
}
LANGUAGES = " ".join(RECIPES.values()).split()


def languages(count: int) -> list[str]:
    """The first so many of the seed's languages, recipe by recipe."""
    if not 1 <= count <= len(LANGUAGES):
        raise ValueError(f"the seed has 1 to {len(LANGUAGES)} languages, not {count}")
    return LANGUAGES[:count]


def configure(config: Json, count: int) -> None:
    """Edit a stack's configuration (full keys, objects parsed): languages, the servers they need, pools of production.

    The servers are switched on for the languages alone; those without one are off.
    """
    wanted = languages(count)
    config["sm-realtime:global"] = {**config["sm-realtime:global"], "transcriber": {"languages": wanted}}
    for server, spoken in RECIPES.items():
        if set(spoken.split()) & set(wanted):
            config[f"sm-realtime:{server}"] = {"enabled": True}
    for role, most in (("services", 10), ("inference", 20), ("transcribers", 100)):
        for generation in config["sm-realtime:pools"][role]:
            generation["maxCount"] = most
