"""Other values for a key, and where to set them: from the case files, and made by its type."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from operations.keys import ANY_ITEM, Key, Kind, keys, members
from stacks.problem import PROJECT
from stacks.schema.paths import ANY_KEY
from tests.reach.byhand import BY_HAND
from tests.reach.contexts import REMOVED, Context, Knob, Place, contexts, parts_of

ABSENT = object()
TEXTS = ("other", "17Mi", "3m", "16", "https://other.example:8443", "1.36.1", "10.99.0.0/24")
"""Tried for text without another idea: a name, a quantity, a duration, a number, an address, a version, a range."""


def wanted() -> dict[str, Key]:
    """Keys that are to reach something, by path."""
    return {key.path: key for key in keys() if key.kind is Kind.EFFECTIVE and not key.section}


def places(key: str, shown: Any) -> list[Place]:
    """Where a key stands in a configuration as it loads: once for each item of a list and entry of a map."""
    found: list[tuple[Place, Any]] = [((), shown)]
    for part in parts_of(key):
        found = [step for place, value in found for step in _steps(place, value, part)]
    return [place for place, _ in found]


def _steps(place: Place, value: Any, part: str) -> Iterator[tuple[Place, Any]]:
    if part == ANY_ITEM:
        yield from (((*place, index), each) for index, each in enumerate(value or []))
    elif part == ANY_KEY:
        yield from (((*place, key), each) for key, each in (value or {}).items())
    else:
        yield (*place, part), (value or {}).get(part)


def at(value: Any, place: Place) -> Any:
    """The value at a place, or ABSENT."""
    for part in place:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else ABSENT
        else:
            value = value.get(part, ABSENT) if isinstance(value, dict) else ABSENT
    return value


def alone(context: Context, knob: Knob) -> bool:
    """Whether a knob sets its key alone in a context: at the key's own place, in items and entries that are there."""
    parts = parts_of(knob.key)
    inside = [number + 1 for number, part in enumerate(parts) if part in (ANY_ITEM, ANY_KEY)]
    there = all(at(_shown(context), knob.place[:length]) is not ABSENT for length in inside)
    return there and len(knob.place) == len(parts)


def _shown(context: Context) -> Any:
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in context.dumped.items()}


@functools.cache
def written(key: str) -> tuple[tuple[str, Any], ...]:
    """Every value the case files give a key, with the context's name."""
    found = []
    for context in contexts().values():
        raw = {name.removeprefix(f"{PROJECT}:"): value for name, value in context.config.items()}
        for place in places(key, raw if ANY_ITEM in key or ANY_KEY in key else _shown(context)):
            value = at(raw, place)
            if value is not ABSENT and value is not None:
                found.append((context.name, value))
    return tuple(found)


def made(key: Key, current: Any) -> Iterator[Any]:
    """Values by the key's type, other than the one there is."""
    assert key.field is not None
    for kind in members(key.field.annotation):
        if kind is bool:
            yield from (True, False)
        elif get_origin(kind) is Literal:
            yield from get_args(kind)
        elif isinstance(kind, type) and issubclass(kind, Enum):
            yield from (each.value for each in kind)
        elif kind in (int, float) and isinstance(current, int | float):
            yield from (current + 1, current - 1, current * 2, current + 30)
        elif kind in (int, float):
            yield from (1, 2, 30, 60)
        elif kind is str:
            yield from ((f"{current}x", f"{current}2") if isinstance(current, str) else ())
            yield from TEXTS
        elif isinstance(current, list) and len(current) > 1:
            yield current[:-1]
            yield current[1:]


def candidates(key: Key, among: Sequence[Context], first: Knob | None = None) -> Iterator[tuple[Context, Knob]]:
    """Contexts with a knob for a key that load: a given one, those by hand, then the likeliest, as a case sets it."""
    values = written(key.path)
    named = [name for name, _ in values]
    ranked = sorted(among, key=lambda each: _rank(each, key.path, named))
    by_hand = [*([first] if first is not None else []), *(knob for knob in BY_HAND if knob.key == key.path)]
    yield from ((context, knob) for knob in by_hand for context in ranked if _loads(context, knob))
    open_ = [(context, _knobs(context, key, [value for _, value in values])) for context in ranked]
    while open_:
        left = []
        for context, knobs in open_:
            knob = next(knobs, None)
            if knob is not None:
                yield context, knob
                left.append((context, knobs))
        open_ = left


def _knobs(context: Context, key: Key, values: list[Any]) -> Iterator[Knob]:
    shown = _shown(context)
    for place in places(key.path, shown):
        current = at(shown, place)
        tried: list[Any] = []
        for value in [*made(key, None if current is ABSENT else current), *values, REMOVED]:
            knob = Knob(key.path, place, value)
            if value != current and value not in tried and _loads(context, knob):
                tried.append(value)
                yield knob


def _rank(context: Context, path: str, named: list[str]) -> tuple[int, int]:
    """The two contexts with most in them first, then those that set the key, then those that set most on its way."""
    first = ["everything.happy", "servers"]
    if path.startswith("inferenceServer"):
        first.reverse()  # in the case with everything most servers are off
    if context.name in first:
        return first.index(context.name), 0
    depth = 0
    here: Any = {name.removeprefix(f"{PROJECT}:"): value for name, value in context.config.items()}
    for part in parts_of(path):
        if not isinstance(here, dict) or part not in here:
            break
        here, depth = here[part], depth + 1
    return len(first) + (context.name not in named), -depth


def _loads(context: Context, knob: Knob) -> bool:
    try:
        changed = context.changed([knob])
    except (KeyError, IndexError, AttributeError, TypeError):
        return False  # the place is not there in the file as it is written
    settings, _ = changed.settings()
    return settings is not None and settings != context.loaded
