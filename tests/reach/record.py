"""`operations/reached.yaml`: for each key the knobs that show what it reaches, and the groups they are checked in."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import yaml

from tests.reach.contexts import REMOVED, Knob, Place
from tests.reach.fields import Fields
from tests.unit.graph import CHECKOUT

FILE = CHECKOUT / "operations" / "reached.yaml"
HEAD = """\
# Which fields of which objects a key reaches. Made by `python -m tests.reach`, held against the program by
# tests/unit/test_reach.py. `context` is the configuration (tests/reach/contexts.py) in which the key at `place` is set
# to `value`, or taken out, `together` with what has to change with it; keys of one `group` are changed in one run.
# `loses` is what that, or its way back, replaces or deletes. The first entry of a key is the one that proves it.
# `objects` are the names that those here have in the cluster or in Azure.
"""


@dataclass(frozen=True)
class Entry:
    """One key in one context."""

    knob: Knob
    context: str
    fields: Fields
    loses: tuple[str, ...] = ()
    group: int = 0

    def grouped(self, group: int) -> Entry:
        return replace(self, group=group)


Entries = dict[str, tuple[Entry, ...]]
"""By key, in the order in which they were found: the first is the one that proves it."""


class Record(NamedTuple):
    """All of the file."""

    entries: Entries
    objects: Mapping[str, str]
    """What an object is called: kind and logical name → kind and name."""

    @property
    def all(self) -> list[Entry]:
        return [each for found in self.entries.values() for each in found]


@functools.cache
def read() -> Record:
    """What is recorded, read once by each process; empty where there is no file."""
    found = yaml.load(FILE.read_text(), yaml.CSafeLoader) if FILE.exists() else {}
    entries = {key: tuple(_entry(key, each) for each in parts) for key, parts in found.get("keys", {}).items()}
    return Record(entries, found.get("objects", {}))


def _entry(key: str, each: Any) -> Entry:
    together = tuple((tuple(more["place"]), more.get("value", REMOVED)) for more in each.get("together", ()))
    knob = Knob(key, tuple(each["place"]), each.get("value", REMOVED), together)
    fields = {name: tuple(paths) for name, paths in each["fields"].items()}
    return Entry(knob, each["context"], fields, tuple(each.get("loses", ())), each["group"])


def write(record: Record) -> None:
    """All of it, in the order of the keys and of the objects."""
    keys = {key: [_shown(each) for each in record.entries[key]] for key in sorted(record.entries)}
    shown = {"objects": dict(sorted(record.objects.items())), "keys": keys}
    text = yaml.dump(shown, Dumper=yaml.CSafeDumper, sort_keys=False, width=4000, allow_unicode=True)
    FILE.write_text(HEAD + text)


def groups(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries by the group they are in, without those that are in none yet; those of a group have one context."""
    found: dict[tuple[str, int], list[Entry]] = {}
    for each in entries:
        if each.group:
            found.setdefault((each.context, each.group), []).append(each)
    return list(found.values())


def by_key(groups: Sequence[Sequence[Entry]], order: Entries) -> Entries:
    """Entries by key with their groups' numbers, the contexts of each in the order they had."""
    found: dict[str, dict[str, Entry]] = {key: {} for key in order}
    for number, group in enumerate(groups, 1):
        for each in group:
            found[each.knob.key][each.context] = each.grouped(number)
    return {key: tuple(found[key][each.context] for each in parts) for key, parts in order.items()}


def _shown(entry: Entry) -> dict[str, Any]:
    (put, *more) = [_put(place, value) for place, value in entry.knob.puts]
    together = {"together": more} if more else {}
    loses = {"loses": list(entry.loses)} if entry.loses else {}
    fields = {name: list(paths) for name, paths in entry.fields.items()}
    return {"context": entry.context, **put, **together, "group": entry.group, **loses, "fields": fields}


def _put(place: Place, value: Any) -> dict[str, Any]:
    return {"place": list(place), **({} if value is REMOVED else {"value": value})}
