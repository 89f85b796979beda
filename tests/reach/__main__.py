"""Find what each key reaches, key by key, then the groups in which that is checked."""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import os
from typing import Annotated

import typer
from rich.console import Console

from tests.reach import record
from tests.reach.contexts import Context, Knob, StoppedError, contexts
from tests.reach.fields import changed, lost
from tests.reach.groups import packed, right
from tests.reach.knobs import candidates, wanted
from tests.reach.record import Entry
from tests.unit.graph import Graph

TRIED = 12
"""Knobs tried for a key before it is said to reach nothing."""

WRITTEN_AFTER = 20
"""Keys found between two writes of the record: what is found is not lost with the machine."""

out = Console(highlight=False)


@functools.cache
def base(context: str) -> Graph:
    """The graph of a context as it is."""
    return contexts()[context].graph()


def looked_at(context: Context, knob: Knob) -> Entry | None:
    """What a knob changes; None where that is nothing, or not its own, or the program stops."""
    if not own(context, knob):
        return None
    try:
        before, after = base(context.name), context.changed([knob]).graph()
    except StoppedError:
        return None
    fields = changed(before, after)
    return Entry(knob, context.name, fields, lost(before, after)) if fields else None


def own(context: Context, knob: Knob) -> bool:
    """Whether what changes together with a key changes nothing without it: it would be taken for the key's."""
    if knob.rest is None:
        return True
    alone = context.changed([knob.rest])
    return alone.settings()[0] is None or not changed(base(context.name), alone.graph())


def found(path: str) -> Entry | None:
    """The first knob of a key that changes anything, in a process of its own."""
    tried = itertools.islice(candidates(wanted()[path]), TRIED)
    return next((entry for knob in tried if (entry := looked_at(*knob)) is not None), None)


def checked(group: list[Entry]) -> list[list[Entry]]:
    """A group, in a process of its own."""
    return right(group, base)


def main(
    given: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="keys to look at again")] = None,
    anew: Annotated[bool, typer.Option("--all", help="every key, also those recorded already")] = False,
    most: Annotated[int | None, typer.Option(help="keys to look at in this run; all of them by default", min=0)] = None,
    workers: Annotated[int, typer.Option(help="processes", min=1)] = os.cpu_count() or 1,
) -> None:
    """Record what the keys reach that are not recorded yet, and plan the groups of all."""
    there = wanted()
    entries = {} if anew else {key: each for key, each in record.read().items() if key in there}
    for path in given or ():
        entries.pop(path, None)
    left = [path for path in there if path not in entries][:most]
    out.print(f"{len(left)} keys to look at, {len(entries)} recorded")
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for number, entry in enumerate(pool.imap_unordered(found, left), 1):
            if entry is not None:
                entries[entry.knob.key] = entry
            if number % WRITTEN_AFTER == 0:
                record.write(entries)
                out.print(f"{number} of {len(left)}")
        record.write(entries)
        out.print(f"{len(entries)} keys recorded; their groups")
        groups = [group for parts in pool.imap(checked, packed(entries)) for group in parts]
    grouped = [each.grouped(number) for number, group in enumerate(groups, 1) for each in group]
    record.write({each.knob.key: each for each in grouped})
    out.print(f"{len(groups)} groups")
    nothing = sorted(set(left) - entries.keys())
    for path in nothing:
        out.print(f"reaches nothing: {path}", markup=False)
    out.print(f"{len(there) - len(entries) - len(nothing)} keys are left to look at")
    raise typer.Exit(1 if nothing else 0)


if __name__ == "__main__":
    typer.run(main)
