"""The vendor's contract as files, and objects compared with it field by field.

A file holds the objects as they are by the seed's defaults, or `values` (laid over the sandbox stack) and the `objects`
under them. All are written by hand. The only exceptions are listed in
`components/speech/differences.py` and `components/flow/differences.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from components.flow.differences import FLOW
from components.speech.differences import DIFFERENCES as SPEECH
from components.speech.differences import Difference

Json = dict[str, Any]
CONTRACT = Path(__file__).parent


def _document(file: str) -> Any:
    return yaml.safe_load((CONTRACT / f"{file}.yaml").read_text())


DIFFERENCES = (*SPEECH, *FLOW)
"""Every exception there is."""

FILES = sorted(path.stem for path in CONTRACT.glob("*.yaml"))
DEFAULTS = [file for file in FILES if isinstance(_document(file), list)]
"""Files of the seed's defaults."""
VARIANTS = [file for file in FILES if file not in DEFAULTS]
"""Files with other values."""


def contract(file: str) -> list[Json]:
    document = _document(file)
    objects: list[Json] = document if isinstance(document, list) else document["objects"]
    return objects


def laid_over(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: laid_over(base.get(key), value) for key, value in over.items()}
    return over


def lay_over(variant: str, config: Json) -> None:
    """Lay the values of a variant over a stack's configuration."""
    for key, value in _document(variant)["values"].items():
        config[f"sm-realtime:{key}"] = laid_over(config.get(f"sm-realtime:{key}"), value)


def opened(expected: Any, actual: Any) -> Any:
    """Text that is JSON or YAML as what it says, where the contract gives its content and not its blanks."""
    if isinstance(actual, str) and isinstance(expected, dict | list):
        return yaml.safe_load(actual)
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {key: opened(expected.get(key), value) for key, value in actual.items()}
    if isinstance(expected, list) and isinstance(actual, list):
        by_name = {each["name"]: each for each in expected if isinstance(each, dict) and "name" in each}
        return [opened(by_name.get(each.get("name")), each) if isinstance(each, dict) else each for each in actual]
    return actual


def title(obj: Json) -> str:
    return f"{obj['kind']}/{obj['metadata']['name']}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; items of a list by their name where all have one, and then their order as well."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        named = all(isinstance(each, dict) and "name" in each for each in value)
        if named:
            yield f"{path}.(order)", [each["name"] for each in value]
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}[{each['name'] if named else index}]")
    else:
        yield path, value


def different(expected: Json, actual: Json) -> dict[str, tuple[Any, Any]]:
    """Path → what the contract says, what is there."""
    missing = object()
    left, right = dict(leaves(expected)), dict(leaves(opened(expected, actual)))
    found = {
        path: (left.get(path, "nothing"), right.get(path, "nothing"))
        for path in left.keys() | right.keys()
        if left.get(path, missing) != right.get(path, missing)
    }
    # an item that only one side has is a difference by itself; the order is that of the common ones
    return {path: sides for path, sides in found.items() if not (path.endswith(".(order)") and same_order(*sides))}


def same_order(one: Any, other: Any) -> bool:
    common = set(one) & set(other)
    return [each for each in one if each in common] == [each for each in other if each in common]


def explained(name: str, path: str) -> list[Difference]:
    """Exceptions for a difference; one of the order is explained by one of the items."""
    return [each for each in DIFFERENCES if each.path and each.covers(name, path.removesuffix(".(order)"))]


def unexplained(file: str, objects: Mapping[str, Json]) -> list[str]:
    """What differs from a file of the contract and is not listed; `objects` by title."""
    found = []
    for expected in contract(file):
        name = title(expected)
        if name not in objects:
            found += [] if any(d.covers(name, "") for d in DIFFERENCES) else [f"{name} is missing"]
            continue
        found += [
            f"{name} {path}: contract {wanted!r}, program {got!r}"
            for path, (wanted, got) in different(expected, objects[name]).items()
            if not explained(name, path)
        ]
    return sorted(found)
