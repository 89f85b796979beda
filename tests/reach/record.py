"""`operations/reached.yaml`: for each key the knob that shows what it reaches, and the group it is checked in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import yaml

from tests.reach.contexts import REMOVED, Knob, Place
from tests.reach.fields import Fields
from tests.unit.graph import CHECKOUT

FILE = CHECKOUT / "operations" / "reached.yaml"
HEAD = """\
# Which fields of which objects a key reaches. Made by `python -m tests.reach`, held against the program by
# tests/unit/test_reach.py. `context` is the configuration (tests/reach/contexts.py) in which the key at `place` is set
# to `value`, or taken out, `together` with what has to change with it; keys of one `group` are changed in one run.
# `loses` is what that, or its way back, replaces or deletes.
"""


@dataclass(frozen=True)
class Entry:
    """One key."""

    knob: Knob
    context: str
    fields: Fields
    loses: tuple[str, ...] = ()
    group: int = 0

    def grouped(self, group: int) -> Entry:
        return replace(self, group=group)


def read() -> dict[str, Entry]:
    """What is recorded, by key; empty where there is no file."""
    found = yaml.load(FILE.read_text(), yaml.CSafeLoader) if FILE.exists() else {}
    return {key: _entry(key, each) for key, each in (found or {}).items()}


def _entry(key: str, each: Any) -> Entry:
    together = tuple((tuple(more["place"]), more.get("value", REMOVED)) for more in each.get("together", ()))
    knob = Knob(key, tuple(each["place"]), each.get("value", REMOVED), together)
    fields = {name: tuple(paths) for name, paths in each["fields"].items()}
    return Entry(knob, each["context"], fields, tuple(each.get("loses", ())), each["group"])


def write(entries: dict[str, Entry]) -> None:
    """All of them, in the order of their keys."""
    shown = {key: _shown(entries[key]) for key in sorted(entries)}
    text = yaml.dump(shown, Dumper=yaml.CSafeDumper, sort_keys=False, width=4000, allow_unicode=True)
    FILE.write_text(HEAD + text)


def _shown(entry: Entry) -> dict[str, Any]:
    (put, *more) = [_put(place, value) for place, value in entry.knob.puts]
    together = {"together": more} if more else {}
    loses = {"loses": list(entry.loses)} if entry.loses else {}
    fields = {name: list(paths) for name, paths in entry.fields.items()}
    return {"context": entry.context, **put, **together, "group": entry.group, **loses, "fields": fields}


def _put(place: Place, value: Any) -> dict[str, Any]:
    return {"place": list(place), **({} if value is REMOVED else {"value": value})}
