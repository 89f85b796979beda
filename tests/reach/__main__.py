"""Find what each key reaches: every one by itself, then in groups that are checked together."""

from __future__ import annotations

import functools
import multiprocessing
import os
from typing import Annotated

import typer
from rich.console import Console

from operations.keys import Key, Kind, keys
from tests.reach import record
from tests.reach.contexts import contexts
from tests.reach.fields import changed, lost
from tests.reach.groups import planned
from tests.reach.knobs import candidates
from tests.reach.record import Entry
from tests.unit.graph import Graph

ATTEMPTS = 12
"""Knobs tried for a key before it is said to reach nothing."""

out = Console(highlight=False)


@functools.cache
def base(context: str) -> Graph:
    """The graph of a context as it is."""
    return contexts()[context].graph()


def find(key: Key) -> Entry | None:
    """The first knob of a key that changes a field; None where none does."""
    for attempt, (context, knob) in enumerate(candidates(key)):
        if attempt == ATTEMPTS:
            break
        after = context.changed([knob]).graph()
        fields = changed(base(context.name), after)
        if fields:
            return Entry(knob, context.name, fields, lost(base(context.name), after))
    return None


def wanted() -> list[Key]:
    """Keys that are to reach something."""
    return [key for key in keys() if key.kind is Kind.EFFECTIVE and not key.section]


def main(
    given: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="keys to look at again")] = None,
    anew: Annotated[bool, typer.Option("--all", help="every key, also those recorded already")] = False,
    workers: Annotated[int, typer.Option(help="processes", min=1)] = os.cpu_count() or 1,
) -> None:
    """Record what the keys reach that are not recorded yet, and plan the groups of all."""
    there = {key.path: key for key in wanted()}
    entries = {} if anew else {key: each for key, each in record.read().items() if key in there}
    for path in given or ():
        entries.pop(path, None)
    missing = [key for path, key in there.items() if path not in entries]
    nothing: list[str] = []
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        found = pool.imap_unordered(found_by_path, [key.path for key in missing])
        for number, (path, entry) in enumerate(found, 1):
            if entry is None:
                nothing.append(path)
            else:
                entries[path] = entry
            out.print(f"{number}/{len(missing)} {path}: {len(entry.fields) if entry else 'reaches nothing'}")
            if number % 20 == 0:
                record.write(entries)
    record.write(entries)
    record.write(planned(entries, base))
    for path in sorted(nothing):
        out.print(f"[red]reaches nothing[/]  {path}", markup=True)
    raise typer.Exit(1 if nothing else 0)


def found_by_path(path: str) -> tuple[str, Entry | None]:
    """The same in another process: a key holds what cannot be sent there."""
    return path, find(next(key for key in wanted() if key.path == path))


if __name__ == "__main__":
    typer.run(main)
