"""Changes of the sandbox stack's configuration whose graph several tests look at."""

from __future__ import annotations

import functools

from tests.seed_languages import SEED_LANGUAGES
from tests.unit.contract.compare import lay_over
from tests.unit.graph import Graph, Json, run_program

SERVERS = ("StandardAll", "EnhancedRecipe1", "EnhancedRecipe2", "EnhancedRecipe3", "EnhancedRecipe4")


def _every_server(config: Json, languages: list[str]) -> None:
    config["sm-realtime:global"]["transcriber"] = {"languages": languages}
    config |= {f"sm-realtime:inferenceServer{each}": {"enabled": True} for each in SERVERS}
    for pool in ("inference", "transcribers"):
        config["sm-realtime:pools"][pool][0]["maxCount"] = 12


def all_recipes(config: Json) -> None:
    """Standard-all and the four enhanced recipes, with languages of each and of every form."""
    _every_server(config, ["en", "es", "de", "fr", "cmn_en", "es-bilingual-en", "no"])


def seed_languages(config: Json) -> None:
    """The same servers with every language of the seed's lists."""
    _every_server(config, list(SEED_LANGUAGES))


def scaled(config: Json) -> None:
    """Scaling on."""
    config["sm-realtime:global"]["sessionGroups"] = {"scaling": {"enabled": True}}
    config["sm-realtime:pools"]["inference"][0]["maxCount"] = 12


def talking(config: Json) -> None:
    """Flow with its defaults, the token's Secret made here and one key of another service."""
    config["sm-realtime:flow"] = {
        "enabled": True,
        "config": {"llm": {"chatgpt": {"enabled": True}}},
        "vllm": {"hfTokenSecret": {"createSecret": True}},
    }
    config["sm-realtime:huggingFaceToken"] = "made-up-token"
    config["sm-realtime:flowOpenaiApiKey"] = "made-up-key"
    config["sm-realtime:pools"]["inference"][0]["maxCount"] = 6


@functools.cache
def of_contract(file: str) -> Graph:
    """The program run with the values of a file of the contract. Nobody changes the graph: several tests share it.

    One worker runs their files (`SHARING` in tests/conftest.py).
    """
    return run_program("sandbox", functools.partial(lay_over, file))
