"""Configuration laid over configuration."""

from __future__ import annotations

from typing import Any

from sandbox.drill.overlay import laid_over

DOCUMENT: dict[str, Any] = {
    "config": {"sm-realtime:a": {"b": {"c": 1, "d": [1, 2]}, "e": 2}, "other:x": 1},
    "salt": "s",
}


def test_maps_merge_and_everything_else_replaces() -> None:
    over = laid_over(DOCUMENT, {"a": {"b": {"d": [3]}, "e": None}, "f": {"g": True}})
    assert over == {
        "config": {"sm-realtime:a": {"b": {"c": 1, "d": [3]}, "e": None}, "other:x": 1, "sm-realtime:f": {"g": True}},
        "salt": "s",
    }
    assert DOCUMENT["config"]["sm-realtime:a"]["e"] == 2, "what it was laid over stays as it was"
