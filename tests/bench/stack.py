"""The stack that is measured: the sandbox's, with that many languages and room for them."""

from __future__ import annotations

from tests.seed_languages import SEED_LANGUAGES, SEED_RECIPES
from tests.unit.graph import Json


def languages(count: int) -> list[str]:
    """The first so many of the seed's languages, recipe by recipe."""
    if not 1 <= count <= len(SEED_LANGUAGES):
        raise ValueError(f"the seed has 1 to {len(SEED_LANGUAGES)} languages, not {count}")
    return list(SEED_LANGUAGES[:count])


def configure(config: Json, count: int, *, every_server: bool = False) -> None:
    """Edit a stack's configuration (full keys, objects parsed): languages, the servers they need, pools of production.

    The servers are switched on for the languages alone; those without one are off, unless every server is asked for.
    """
    wanted = languages(count)
    config["sm-realtime:global"] = {**config["sm-realtime:global"], "transcriber": {"languages": wanted}}
    for number, spoken in SEED_RECIPES.items():
        if every_server or set(spoken) & set(wanted):
            config[f"sm-realtime:inferenceServerEnhancedRecipe{number}"] = {"enabled": True}
    for role, most in (("services", 10), ("inference", 20), ("transcribers", 100)):
        for generation in config["sm-realtime:pools"][role]:
            generation["maxCount"] = most
