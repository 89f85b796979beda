"""The vendor's contract as files, and objects compared with it field by field.

A file holds the objects as they are by the seed's defaults, or `values` (laid over the sandbox stack) and the `objects`
under them, and the `secrets` of the configuration where there are any (null takes away the stack's). All are written by
hand.
`components/speech/differences` is the only list of exceptions.

Under `parts` stand objects of which only the given fields are compared (null: there must be none), for values that
change little. Under `absent` stand objects, as `Kind/name`, of which there must be none.

Objects that are alike but for a few words stand once: `each` is a list of rows, and `objects` beside it stand for every
row, with `<key>` for what the row has under that key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from components.speech.differences import DIFFERENCES
from components.speech.differences.difference import NOTHING, Difference, Instead, Ours, at, has_fields
from operations.contract import DEFAULTS as DEFAULTS
from operations.contract import FILES as FILES
from operations.contract import VARIANTS as VARIANTS
from operations.contract import absent as absent
from operations.contract import as_written, by_name_or_number, nodes
from operations.contract import contract as contract
from operations.contract import parts as parts
from operations.contract import title as title
from operations.contract import values as values

Json = dict[str, Any]


def laid_over(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: laid_over(base.get(key), value) for key, value in over.items()}
    return over


def lay_over(variant: str, config: Json) -> None:
    """Lay the values of a variant over a stack's configuration."""
    for key, value in values(variant).items():
        config[f"sm-realtime:{key}"] = laid_over(config.get(f"sm-realtime:{key}"), value)
    secrets = {} if variant in DEFAULTS else as_written(variant).get("secrets", {})
    for key, text in secrets.items():
        config.pop(f"sm-realtime:{key}", None)
        config |= {} if text is None else {f"sm-realtime:{key}": text}


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


def at_given(wanted: Any, got: Any) -> tuple[Any, Any]:
    """Both sides at the fields the contract gives; one that is null and not there is as it should be."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        pairs = {
            key: at_given(each, got[key]) if key in got else (each, NOTHING)
            for key, each in wanted.items()
            if key in got or each is not None
        }
    elif isinstance(wanted, list) and isinstance(got, list):
        ours, theirs = by_name_or_number(wanted, got)
        if all(isinstance(key, int) for key in (*ours, *theirs)):
            return wanted, got
        held = {key: each for key, each in ours.items() if key in theirs or None not in each.values()}
        pairs = {key: at_given(each, theirs.get(key, NOTHING)) for key, each in held.items()}
        return [one for one, _ in pairs.values()], [pairs[key][1] for key in theirs if key in pairs]
    else:
        return wanted, got
    return {key: one for key, (one, _) in pairs.items()}, {
        key: other for key, (_, other) in pairs.items() if other is not NOTHING
    }


@dataclass
class Comparison:
    """What a comparison found."""

    rows: tuple[Difference, ...] = DIFFERENCES
    """The exceptions that hold."""
    unexplained: list[str] = field(default_factory=list)
    used: set[Difference] = field(default_factory=set)
    """The exceptions that were needed."""

    def walk(self, name: str, path: str, wanted: Any, got: Any) -> None:
        """Compare what the contract has at a path with what is there, and go into both unless an exception explains."""
        if same(wanted, got):
            return
        explained = [each for each in self.rows if each.explains(name, path, wanted, got)]
        if explained:
            self.used.update(explained)
        elif isinstance(wanted, dict) and isinstance(got, dict):
            self._into(name, wanted, got, {key: f"{path}.{key}" if path else key for key in {**wanted, **got}})
        elif isinstance(wanted, list) and isinstance(got, list) and any(isinstance(e, dict) for e in [*wanted, *got]):
            ours, theirs = by_name_or_number(wanted, got)
            self._into(name, ours, theirs, {key: f"{path}[{key}]" for key in {**ours, **theirs}})
            common = [[key for key in side if key in ours and key in theirs] for side in (ours, theirs)]
            if common[0] != common[1]:
                self.unexplained.append(f"{name} {path}: contract's order {common[0]!r}, program's {common[1]!r}")
        elif isinstance(wanted, dict) and wanted and got is NOTHING:
            self.walk(name, path, wanted, {})
        elif isinstance(got, dict) and got and wanted is NOTHING:
            self.walk(name, path, {}, got)
        elif isinstance(wanted, list) and wanted and got is NOTHING:
            self._rest(name, path, wanted, [])
        elif isinstance(got, list) and got and wanted is NOTHING:
            self._rest(name, path, [], got)
        else:
            self.unexplained.append(f"{name} {path}: contract {wanted!r}, program {got!r}")

    def _into(self, name: str, wanted: Mapping[Any, Any], got: Mapping[Any, Any], paths: Mapping[Any, str]) -> None:
        for key, path in paths.items():
            self.walk(name, path, wanted.get(key, NOTHING), got.get(key, NOTHING))

    def _rest(self, name: str, path: str, wanted: list[Any], got: list[Any]) -> None:
        if any(isinstance(each, dict) for each in [*wanted, *got]):
            self.walk(name, path, wanted, got)
        else:
            self.unexplained.append(f"{name} {path}: contract {wanted or NOTHING!r}, program {got or NOTHING!r}")


def same(wanted: Any, got: Any) -> bool:
    """Whether two values are equal; true is not 1."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return wanted.keys() == got.keys() and all(same(wanted[key], got[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(same, wanted, got))
    return isinstance(wanted, bool) == isinstance(got, bool) and bool(wanted == got)


def compared(file: str, objects: Mapping[str, Json]) -> Comparison:
    """The objects of a file beside those there are, by title."""
    given = values(file)
    rows = tuple(each for each in DIFFERENCES if all(at(given, k) == v for k, v in each.where.items()))
    result = Comparison(rows)
    whole_objects = contract(file)
    for number, expected in enumerate([*whole_objects, *parts(file)]):
        name = title(expected)
        whole = [each for each in rows if each.is_of_whole(name) and not isinstance(each.ours, Ours)]
        instead = [each.ours.name for each in whole if isinstance(each.ours, Instead)]
        there = objects.get(name) or next((objects[each] for each in instead if each in objects), None)
        if name not in objects:
            result.used.update(whole)
        if there is None:
            result.unexplained += [] if any(each.ours is NOTHING for each in whole) else [f"{name} is missing"]
            continue
        wanted = {**expected, "metadata": {**expected["metadata"], "name": there["metadata"]["name"]}}
        got = opened(wanted, there)
        if number >= len(whole_objects):
            result.walk(name, "", *at_given(wanted, got))
            continue
        result.walk(name, "", wanted, got)
        sides = dict(nodes(wanted)), dict(nodes(got))
        about = [each for each in rows if each.path and each.is_about(name)]
        result.unexplained += [
            f"{name} {each.path}: a difference is listed and is not there" for each in about if not each.holds(*sides)
        ]
    result.unexplained += [f"{name} is there, and the contract has none" for name in absent(file) if name in objects]
    result.unexplained.sort()
    return result


def unexplained(file: str, objects: Mapping[str, Json]) -> list[str]:
    """What differs from a file of the contract and is not listed; `objects` by title."""
    return compared(file, objects).unexplained


def beside(files: Iterable[str], objects: Mapping[str, Json]) -> Comparison:
    """Objects that neither the defaults nor these files of the contract have."""
    result = Comparison()
    known = {title(each) for name in (*DEFAULTS, *files) for each in [*contract(name), *parts(name)]}
    instead = {each.ours.name for each in DIFFERENCES if isinstance(each.ours, Instead)}
    for name in objects.keys() - known - instead:
        ours = [each for each in DIFFERENCES if each.is_of_whole(name) and isinstance(each.ours, Ours)]
        fitting = [e for e in ours if isinstance(e.ours, Ours) and has_fields(e.ours.fields or {}, objects[name])]
        result.used.update(fitting)
        if not fitting:
            result.unexplained.append(f"{name} is not in the contract")
    result.unexplained.sort()
    return result
