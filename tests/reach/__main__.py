"""Find what each key reaches, many in one run, then the groups in which that is checked."""

from __future__ import annotations

import functools
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer
from rich.console import Console

from operations.keys import Key, Kind, keys
from tests.reach import record
from tests.reach.contexts import Context, Knob, contexts
from tests.reach.decode import MOST, together
from tests.reach.groups import overlap, packed, right
from tests.reach.knobs import candidates
from tests.reach.record import Entry
from tests.unit.graph import Graph

ROUNDS = 12
"""Knobs tried for a key before it is said to reach nothing."""

WIDE = ("fullnameOverride", "enabled", "release", "namespace")
"""Keys that touch whole objects, and therefore what other keys reach."""

OWN_RUN = ("azure.", "pools.")
"""Sections whose every key makes other objects."""

out = Console(highlight=False)


@functools.cache
def base(context: str) -> Graph:
    """The graph of a context as it is."""
    return contexts()[context].graph()


def wanted() -> list[Key]:
    """Keys that are to reach something."""
    return [key for key in keys() if key.kind is Kind.EFFECTIVE and not key.section]


def batches(chosen: Iterable[tuple[Context, Knob]]) -> Iterator[tuple[str, list[Knob]]]:
    """Knobs that load together, those that touch whole objects by themselves."""
    open_: list[tuple[Context, list[Knob]]] = []
    for context, knob in chosen:
        if knob.key.rpartition(".")[2] in WIDE or knob.key.startswith(OWN_RUN):
            yield context.name, [knob]
            continue
        for there, knobs in open_:
            room = there is context and len(knobs) < MOST and not any(overlap(knob.place, k.place) for k in knobs)
            if room and context.changed([*knobs, knob]).settings()[0] is not None:
                knobs.append(knob)
                break
        else:
            open_.append((context, [knob]))
    yield from ((context.name, knobs) for context, knobs in open_)


def looked_at(batch: tuple[str, list[Knob]]) -> list[Entry]:
    """A batch, in a process of its own."""
    return together(contexts()[batch[0]], batch[1], base)


def checked(group: list[Entry]) -> list[list[Entry]]:
    """A group, in a process of its own."""
    return right(group, base)


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
    left = {path: candidates(key) for path, key in there.items() if path not in entries}
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for number in range(ROUNDS):
            chosen = [(path, next(left[path], None)) for path in left]
            todo = list(batches(each for _, each in chosen if each is not None))
            out.print(f"round {number + 1}: {len(left)} keys in {len(todo)} batches")
            for found in pool.imap_unordered(looked_at, todo):
                entries |= {each.knob.key: each for each in found if each.fields}
                record.write(entries)
            left = {path: left[path] for path, each in chosen if each is not None and path not in entries}
            if not left:
                break
        out.print(f"{len(entries)} keys recorded; their groups")
        groups = [group for parts in pool.imap(checked, packed(entries)) for group in parts]
    grouped = [each.grouped(number) for number, group in enumerate(groups, 1) for each in group]
    record.write({each.knob.key: each for each in grouped})
    out.print(f"{len(groups)} groups")
    nothing = sorted(there.keys() - entries.keys())
    for path in nothing:
        out.print(f"reaches nothing: {path}", markup=False)
    raise typer.Exit(1 if nothing else 0)


if __name__ == "__main__":
    typer.run(main)
