"""Rules of lists: nothing twice, and no variable that the program sets itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from stacks.problem import Problem, remove_command
from stacks.schema import Settings
from stacks.schema.base import Section
from stacks.schema.paths import ANY_KEY
from stacks.variables import LISTS, SET

ARGUMENTS = ("args", "command")
"""Ends of the names of lists in which something may well stand twice."""


def each_once(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Of two entries of one name, which one counts is a matter of chance, or of whoever reads the list."""
    for path, _, items in lists(settings):
        # two languages of one name are told apart from two of one group (`stacks.rules.speech`)
        if path.lower().endswith(ARGUMENTS) or path == "global.transcriber.languages" or isinstance(items, Mapping):
            continue
        names = [identity(each) for each in items]
        for index, name in enumerate(names):
            if name is not None and name in names[:index]:
                where = f"{path}[{index}]"
                reason = f"{name} is listed already, as {path}[{names.index(name)}]"
                yield Problem(where, "listed-twice", reason, remove_command(where))


def own_variables(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A variable of the program's own has a key of its own, or follows from others; two values would contradict."""
    for path, pattern, items in lists(settings):
        container = LISTS.get(pattern)
        for index, each in enumerate(items):
            name = each if isinstance(items, Mapping) else identity(each)
            if container is None or name not in SET[container]:
                continue
            where = f"{path}.{name}" if isinstance(items, Mapping) else f"{path}[{index}]"
            reason = f"{name} is set by the program, from other keys of the configuration"
            yield Problem(where, "name-taken", reason, remove_command(where))


def identity(item: Any) -> Any:
    """What tells an entry from the others of its list: its mount path, its name, or itself; None where nothing does."""
    if isinstance(item, str | int):
        return item
    given = item if isinstance(item, Mapping) else dict(item) if isinstance(item, Section) else {}
    return given.get("mountPath", given.get("name"))


def lists(section: Section, above: str = "", pattern: str = "") -> Iterator[tuple[str, str, Collection[Any]]]:
    """Every list and map of the configuration: its path, the same with `<key>` for a map's keys, and what it holds."""
    for name, field in type(section).model_fields.items():
        key = field.alias or name
        yield from _of(getattr(section, name), f"{above}.{key}".lstrip("."), f"{pattern}.{key}".lstrip("."))


def _of(value: Any, path: str, pattern: str) -> Iterator[tuple[str, str, Collection[Any]]]:
    if isinstance(value, Section):
        yield from lists(value, path, pattern)
    elif isinstance(value, tuple):
        yield path, pattern, value
        for index, each in enumerate(value):
            yield from _of(each, f"{path}[{index}]", f"{pattern}[]")
    elif isinstance(value, dict):
        yield path, pattern, value
        for key, each in value.items():
            if isinstance(each, Section):
                yield from _of(each, f"{path}.{key}", f"{pattern}.{ANY_KEY}")


ENTRIES = (each_once, own_variables)
"""All of them."""
