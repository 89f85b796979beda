"""The vendor's contract as files, which the tests compare with: read for them, and for the page of the differences.

What a file holds is said in tests/unit/contract/compare.py.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
CONTRACT = Path(__file__).resolve().parents[1] / "tests" / "unit" / "contract"


@functools.cache
def as_written(file: str) -> Any:
    """A file as it is written, read once: nobody changes what is in it."""
    return yaml.load((CONTRACT / f"{file}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)


FILES = sorted(path.stem for path in CONTRACT.glob("*.yaml"))
DEFAULTS = [file for file in FILES if isinstance(as_written(file), list)]
"""Files of the seed's defaults."""
VARIANTS = [file for file in FILES if file not in DEFAULTS]
"""Files with other values."""


def contract(file: str) -> list[Json]:
    """The objects of a file that it has whole."""
    document = as_written(file)
    return list(_expanded(document if isinstance(document, list) else document.get("objects", [])))


def parts(file: str) -> list[Json]:
    """The objects of a file that it has in part."""
    return [] if file in DEFAULTS else list(_expanded(as_written(file).get("parts", [])))


def absent(file: str) -> list[str]:
    """The objects that there must not be."""
    return [] if file in DEFAULTS else list(as_written(file).get("absent", []))


def _expanded(entries: list[Json]) -> Iterator[Json]:
    for entry in entries:
        if "each" not in entry:
            yield entry
            continue
        for row in entry["each"]:
            yield from _filled(entry["objects"], row)


def _filled(value: Any, row: Mapping[str, Any]) -> Any:
    """With what a row has in the place of `<key>`; a text that is nothing else becomes the value itself."""
    if isinstance(value, dict):
        return {_filled(key, row): _filled(each, row) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, row) for each in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"<([a-z_]+)>", value)
    return row[whole[1]] if whole else re.sub(r"<([a-z_]+)>", lambda found: str(row[found[1]]), value)


def values(file: str) -> Json:
    """What a file says beside the defaults."""
    found: Json = {} if file in DEFAULTS else as_written(file)["values"]
    return found


def title(obj: Json) -> str:
    """Kind and name."""
    return f"{obj['kind']}/{obj['metadata']['name']}"


def by_name_or_number(*lists: list[Any]) -> list[dict[str | int, Any]]:
    """Items of lists by their name where all have one of their own, else by their number."""
    if all(
        all(isinstance(each, dict) and "name" in each for each in items)
        and len({each["name"] for each in items}) == len(items)
        for items in lists
    ):
        return [{each["name"]: each for each in items} for items in lists]
    return [dict(enumerate(items)) for items in lists]


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a value by its path, not the leaves alone."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from nodes(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        (items,) = by_name_or_number(value)
        for key, each in items.items():
            yield from nodes(each, f"{path}[{key}]")
