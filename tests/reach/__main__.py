"""Find what each key reaches: in one context, then in the further ones, then the groups in which that is checked."""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import os
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Console

from tests.reach import record
from tests.reach.contexts import WIDE, contexts
from tests.reach.further import further
from tests.reach.groups import grouped, right
from tests.reach.knobs import candidates, wanted
from tests.reach.look import looked_at, names
from tests.reach.record import Entries, Entry, Record
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


def found(path: str) -> Entry | None:
    """The first knob of a key that changes anything, in a process of its own."""
    tried = itertools.islice(candidates(wanted()[path], list(contexts().values())), TRIED)
    return next((entry for knob in tried if (entry := looked_at(*knob, base)) is not None), None)


def elsewhere(asked: tuple[str, list[Entry]]) -> list[Entry]:
    """What keys reach in a further context, in a process of its own."""
    return further(*asked, base)


def checked(group: list[Entry]) -> bool:
    """Whether a group is still right, in a process of its own."""
    return right(group, base)


def of_context(asked: tuple[list[list[Entry]], list[Entry]]) -> list[list[Entry]]:
    """The groups of a context, in a process of its own: those that are kept, and what is in none yet."""
    return grouped(*asked, base)


def planned(every: list[Entry], kept: list[list[Entry]]) -> list[tuple[list[list[Entry]], list[Entry]]]:
    """For each context the groups that are kept and the entries that are in none of them; the most first."""
    asked: dict[str, tuple[list[list[Entry]], list[Entry]]] = {each.context: ([], []) for each in every}
    for group in kept:
        asked[group[0].context][0].append(group)
    there = {each.group for group in kept for each in group}
    for each in every:
        if each.group not in there:
            asked[each.context][1].append(each)
    return sorted(asked.values(), key=lambda parts: len(parts[1]), reverse=True)


def called(entries: list[Entry], known: Mapping[str, str]) -> dict[str, str]:
    """The names of the objects: those of the defaults first, those that the case with everything gives last."""
    seen = dict(known)
    for name in sorted(contexts(), key=lambda name: name == "everything.happy")[::-1]:
        seen |= names(base(name))
    for each in entries:
        if each.fields.keys() - seen.keys():
            seen = names(contexts()[each.context].changed([each.knob]).graph()) | seen
    here = {name for each in entries for name in each.fields}
    return {name: each for name, each in seen.items() if name in here}


def main(
    given: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="keys to look at again")] = None,
    anew: Annotated[bool, typer.Option("--all", help="every key, also those recorded already")] = False,
    again: Annotated[bool, typer.Option("--further", help="every key again in the further contexts")] = False,
    regroup: Annotated[bool, typer.Option("--groups", help="every group anew")] = False,
    most: Annotated[int | None, typer.Option(help="keys to look at in this run; all of them by default", min=0)] = None,
    workers: Annotated[int, typer.Option(help="processes", min=1)] = os.cpu_count() or 1,
) -> None:
    """Record what the keys reach that are not recorded yet, and plan the groups of all."""
    there, (recorded, objects) = wanted(), record.read()
    entries: Entries = {key: each for key, each in recorded.items() if key in there and not anew}
    for path in given or ():
        entries.pop(path, None)
    left = [path for path in there if path not in entries][:most]
    out.print(f"{len(left)} keys to look at, {len(entries)} recorded")
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for number, entry in enumerate(pool.imap_unordered(found, left), 1):
            if entry is not None:
                entries[entry.knob.key] = (entry,)
            if number % WRITTEN_AFTER == 0:
                record.write(Record(entries, objects))
                out.print(f"{number} of {len(left)}")
        firsts = [each[0] for key, each in entries.items() if again or key in left]
        entries |= {each.knob.key: (each,) for each in firsts}
        out.print(f"{len(firsts)} keys to look at in {len(WIDE)} contexts")
        asked = [(name, [each for each in firsts if each.context != name]) for name in WIDE]
        for more in pool.imap(elsewhere, asked):
            for each in more:
                entries[each.knob.key] = (*entries[each.knob.key], each)
            record.write(Record(entries, objects))
            out.print(f"{len(more)} of them reach something in {more[0].context if more else 'one'}")
        every = [each for parts in entries.values() for each in parts]
        out.print(f"{len(entries)} keys recorded, in {len(every)} entries; their groups")
        before = [] if regroup else record.groups(every)
        kept = [group for group, still in zip(before, pool.imap(checked, before), strict=True) if still]
        out.print(f"{len(kept)} groups are kept")
        groups = [group for parts in pool.imap(of_context, planned(every, kept), 1) for group in parts]
    entries = record.by_key(groups, entries)
    record.write(Record(entries, called([each for parts in entries.values() for each in parts], objects)))
    out.print(f"{len(groups)} groups")
    nothing = sorted(set(left) - entries.keys())
    for path in nothing:
        out.print(f"reaches nothing: {path}", markup=False)
    out.print(f"{len(there) - len(entries) - len(nothing)} keys are left to look at")
    raise typer.Exit(1 if nothing else 0)


if __name__ == "__main__":
    typer.run(main)
