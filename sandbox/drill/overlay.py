"""Configuration laid over configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

PROJECT = "sm-realtime"


def merged(below: JsonValue, above: JsonValue) -> JsonValue:
    """Maps merge, null takes a key away, everything else replaces."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    result = dict(below)
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def laid_over(document: Mapping[str, Any], overlay: Mapping[str, JsonValue]) -> dict[str, Any]:
    """A stack file's document with these sections of ours laid over its own."""
    config = merged(dict(document["config"]), {f"{PROJECT}:{section}": each for section, each in overlay.items()})
    return {**document, "config": config}
