"""One deliberate difference: where it is, what ours has there, and why."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Nothing:
    """No value at all: there is no such field, item or object."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = Nothing()
"""As `ours`: what the contract has there is left out."""


@dataclass(frozen=True)
class Added:
    """Something the contract has not; nothing of the contract's is replaced by it."""

    value: object
    """A value, or what a value must be."""


@dataclass(frozen=True)
class Like:
    """Any text that matches a regular expression as a whole."""

    pattern: str


@dataclass(frozen=True)
class Which:
    """Any value of which something is true."""

    name: str
    """What is true of it, in words."""
    true: Callable[[Any], bool]


@dataclass(frozen=True)
class Made:
    """What the contract has there, made into another value: that and nothing else."""

    name: str
    """What is made of it, in words."""
    of: Callable[[Any], Any]


@dataclass(frozen=True)
class Instead:
    """For a whole object: it stands under another name and is compared there."""

    name: str


@dataclass(frozen=True)
class Ours:
    """For a whole object: the contract has none of this name, and ours has at least these fields."""

    fields: dict[str, Any] | None = None


def is_value(wanted: object, value: object) -> bool:
    """Whether a value is what was wanted of it."""
    if isinstance(wanted, Like):
        return isinstance(value, str) and re.fullmatch(wanted.pattern, value) is not None
    if isinstance(wanted, Which):
        return value is not NOTHING and wanted.true(value)
    if isinstance(wanted, dict) and isinstance(value, dict):
        return wanted.keys() == value.keys() and all(is_value(wanted[key], value[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(value, list):
        return len(wanted) == len(value) and all(map(is_value, wanted, value))
    return type(wanted) is type(value) and wanted == value


def has_fields(wanted: object, value: object) -> bool:
    """Whether a value has at least these fields."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return all(key in value and has_fields(each, value[key]) for key, each in wanted.items())
    return is_value(wanted, value)


def fits(patterns: str, text: str) -> bool:
    """Whether a text fits one of the patterns, which are separated by blanks: `*` is anything, the rest is literal."""
    return _compiled(patterns).fullmatch(text) is not None


@functools.cache
def _compiled(patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(each).replace(r"\*", ".*") for each in patterns.split(" ")))


def at(given: Mapping[str, Any], path: str) -> Any:
    """What the values have at a path."""
    found: Any = given
    for key in path.split("."):
        found = found.get(key, NOTHING) if isinstance(found, dict) else NOTHING
    return found


@dataclass(frozen=True, eq=False)
class Difference:
    """One deliberate difference."""

    objects: str
    """Patterns over `Kind/name`, separated by blanks: `*` is anything."""
    path: str
    """Pattern over the field's path, list items by their name or number; empty: the whole object."""
    ours: object
    """What ours has there, and nothing else is explained: a value, `NOTHING`, `Added`, `Like`, `Which` or `Made`; for a
    whole object `NOTHING`, `Instead` or `Ours`."""
    reason: str
    where: Mapping[str, object] = field(default_factory=dict)
    """Paths in the values and what stands there, when the difference is only with that."""

    def is_about(self, title: str) -> bool:
        """Whether it speaks of this object, as a whole or in part."""
        return fits(self.objects, title)

    def is_of_whole(self, title: str) -> bool:
        """Whether it speaks of this object as a whole."""
        return not self.path and self.is_about(title)

    def is_at(self, path: str) -> bool:
        """Whether it speaks of this path."""
        return bool(self.path) and fits(self.path, path)

    def explains(self, title: str, path: str, contract: object, ours: object) -> bool:
        """Whether it explains what this object has at this path, where the contract has something else."""
        if not (self.is_at(path) and self.is_about(title)):
            return False
        if isinstance(self.ours, Added):
            return contract is NOTHING and is_value(self.ours.value, ours)
        return self._is(contract, ours)

    def _is(self, contract: object, ours: object) -> bool:
        return is_value(self.ours.of(contract) if isinstance(self.ours, Made) else self.ours, ours)

    def holds(self, contract: Mapping[str, object], ours: Mapping[str, object]) -> bool:
        """Whether it is there in an object it speaks of; both sides by path.

        What is added must be there, if the row names its objects; what differs, wherever the contract has something.
        """
        if isinstance(self.ours, Added):
            there = [path for path, value in ours.items() if self.is_at(path) and is_value(self.ours.value, value)]
            same = [path for path in contract if self.is_at(path)]
            return bool(there or same) or self.objects == "*"
        return all(self._is(value, ours.get(path, NOTHING)) for path, value in contract.items() if self.is_at(path))
