"""One walk over a configuration that is right field by field, for the rules that look at all of it."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from stacks.schema.base import Section
from stacks.schema.paths import ANY_KEY

HOLDS = (Section, tuple, dict)
"""What something stands in."""


class Place(NamedTuple):
    """A section, list or map of the configuration."""

    path: str
    """As `pulumi config set --path` takes it; empty: the whole configuration."""
    pattern: str
    """The same with `[]` for an item of a list and `<key>` for a map's key."""
    value: Section | tuple[Any, ...] | dict[str, Any]


def walk(section: Section) -> tuple[Place, ...]:
    """Every section, and every list and map with something in it, in the order of the schema, each before its content.

    What the user writes in Kubernetes' own words (a map without sections) is one place.
    """
    return _walked(_Same(section))


class _Same:
    """A section, which changes no more: equal to itself alone, for to compare two is to walk through both."""

    def __init__(self, section: Section) -> None:
        self.section = section

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.section is self.section

    def __hash__(self) -> int:
        return id(self.section)


@functools.lru_cache(maxsize=1)
def _walked(of: _Same) -> tuple[Place, ...]:
    """The places of a section: the rules go through the same one, one rule after another."""
    found, ahead = [], [Place("", "", of.section)]
    while ahead:
        place = ahead.pop()
        found.append(place)
        ahead += reversed(_inside(place))
    return tuple(found)


def _inside(place: Place) -> list[Place]:
    """What stands directly in a place."""
    path, pattern, value = place
    if isinstance(value, tuple):
        items = enumerate(value)
        return [Place(f"{path}[{at}]", f"{pattern}[]", each) for at, each in items if isinstance(each, HOLDS)]
    if isinstance(value, dict):
        entries = value.items()
        return [Place(f"{path}.{k}", f"{pattern}.{ANY_KEY}", each) for k, each in entries if isinstance(each, Section)]
    keys, dot = _keys(type(value)), "." if path else ""
    return [
        Place(f"{path}{dot}{keys[name]}", f"{pattern}{dot}{keys[name]}", each)
        for name, each in value.__dict__.items()
        if isinstance(each, HOLDS) and each
    ]


@functools.cache
def _keys(section: type[Section]) -> dict[str, str]:
    """Field → its key."""
    return {name: field.alias or name for name, field in section.model_fields.items()}
