"""Live objects without what the API server filled in: pruned to the fields that the program declared."""

from __future__ import annotations

from typing import Any


def pruned(live: Any, declared: Any) -> Any:
    """The live value at the places that are declared; a declared field that is not there stays away."""
    if isinstance(live, dict) and isinstance(declared, dict):
        # an empty map or list is not kept: it is the same as none
        there = {key: pruned(live[key], each) for key, each in declared.items() if key in live}
        return there | {key: each for key, each in declared.items() if key not in live and each in ({}, [])}
    if isinstance(live, list) and isinstance(declared, list):
        named = all(isinstance(each, dict) and "name" in each for each in [*live, *declared])
        wanted = {each["name"]: each for each in declared} if named else {}
        if named:
            return [pruned(each, wanted.get(each["name"], each)) for each in live]
        if len(live) == len(declared):
            return [pruned(each, wish) for each, wish in zip(live, declared, strict=True)]
    return live
