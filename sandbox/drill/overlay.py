"""Configuration laid over configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

PROJECT = "sm-realtime"


def merged(below: JsonValue, above: JsonValue) -> JsonValue:
    """Maps merge, everything else replaces; null too, which the program reads as taken away."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: merged(below.get(key), value) for key, value in above.items()}


def laid_over(document: Mapping[str, Any], overlay: Mapping[str, JsonValue]) -> dict[str, Any]:
    """A stack file's document with these sections of ours laid over its own."""
    config = merged(dict(document["config"]), {f"{PROJECT}:{section}": each for section, each in overlay.items()})
    return {**document, "config": config}
