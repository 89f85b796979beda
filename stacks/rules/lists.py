"""Rules of lists: nothing twice, and no variable that the program sets itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from stacks.problem import Problem, remove_command
from stacks.rules.walk import walk
from stacks.schema import Settings
from stacks.schema.base import Section
from stacks.variables import LISTS, SET

ARGUMENTS = ("args", "command")
"""Ends of the names of lists in which something may well stand twice."""

LANGUAGES = (
    "global.transcriber.languages",
    "transcribers.transcriber.languages.cpuLanguages",
    "transcribers.transcriber.languages.gpuLanguages",
    "inferenceServerCustom.tritonServer.languages",
)
"""Lists of languages: two of one name are told apart from two of one group (`stacks.rules.speech`)."""


def each_once(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Of two entries of one name, which one counts is a matter of chance, or of whoever reads the list."""
    for path, _, items in lists(settings):
        if len(items) < 2 or path.lower().endswith(ARGUMENTS) or path in LANGUAGES or isinstance(items, Mapping):
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
        if (container := LISTS.get(pattern)) is None:
            continue
        for index, each in enumerate(items):
            name = each if isinstance(items, Mapping) else identity(each)
            if name not in SET[container]:
                continue
            where = f"{path}.{name}" if isinstance(items, Mapping) else f"{path}[{index}]"
            reason = f"{name} is set by the program, from other keys of the configuration"
            yield Problem(where, "name-taken", reason, remove_command(where))


def identity(item: Any) -> Any:
    """What tells an entry from the others of its list: mount path, name, key or itself; None where nothing does."""
    if isinstance(item, str | int):
        return item
    given = item if isinstance(item, Mapping) else dict(item) if isinstance(item, Section) else {}
    return given.get("mountPath", given.get("name", given.get("secret_key")))


def lists(settings: Settings) -> Iterator[tuple[str, str, Collection[Any]]]:
    """Every list and map of the configuration: its path, the same with `<key>` for a map's keys, and what it holds."""
    for path, pattern, value in walk(settings):
        if not isinstance(value, Section):
            yield path, pattern, value


ENTRIES = (each_once, own_variables)
"""All of them."""
