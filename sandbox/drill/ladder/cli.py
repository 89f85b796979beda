"""The command: the rungs run, told as they go, and put into the page."""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sandbox.drill.cli import ended, to_the_end
from sandbox.drill.ladder import page, rows, seen
from sandbox.drill.ladder.climb import Climb, Shown, Stand, climb, wrong
from sandbox.drill.ladder.rows import Ladder, Row
from sandbox.drill.plane import Plane
from sandbox.files import write_whole
from sandbox.home import CHECKOUT
from sandbox.toolchain import Tools, ensure
from sandbox.toolchain import report as build_report

Say = Callable[[str], None]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 220)
err = Console(stderr=True, soft_wrap=True, highlight=False)


@app.command()
def run(
    rungs: Annotated[list[str] | None, typer.Argument(help="names of rungs; none: all of them")] = None,
    lanes: Annotated[int, typer.Option(help="planes side by side", min=1)] = 2,
    factor: Annotated[float, typer.Option(help="every clock and session length is divided by it", min=0.01)] = 60.0,
    seed: Annotated[int, typer.Option(help="of what clients ask for")] = 1,
    folder: Annotated[Path, typer.Option(help="planes and journals")] = CHECKOUT / ".drill" / "ladder",
    write: Annotated[bool, typer.Option("--write", help="put what was seen into the page")] = False,
    only_page: Annotated[bool, typer.Option("--page", help="run nothing; make the page anew")] = False,
) -> None:
    """Put each rung of the ladder of clocks back, and see its scenario red. Exit code 1 when one is not."""
    began = time.monotonic()
    ladder = rows.read()
    if only_page:
        write_whole(page.FILE, page.text(ladder, seen.read()))
        return
    chosen = rows.of(ladder, rungs or [])
    out.print(f"{len(chosen)} rungs; time factor {factor:g}, seed {seed}.")

    def say(text: str) -> None:
        err.print(f"{time.monotonic() - began:5.0f} s  {text}", markup=False)

    tools = ensure(build_report())
    day = datetime.now(UTC).date().isoformat()

    def keep(row: Row, shown: Shown) -> None:
        if write:
            seen.add({row.rung: seen.of(shown, factor, day)}, ladder.rungs)
            write_whole(page.FILE, page.text(ladder, seen.read()))

    work = Work(ladder, chosen, seed, folder, factor, say, keep)
    asyncio.run(to_the_end(work.carry_out(tools, lanes)))
    out.print()
    out.print(work.table())
    red = [row for row in chosen if work.wrong(row)]
    out.print(f"\n{len(chosen)} rungs in {time.monotonic() - began:.0f} s, {len(red)} not shown. Journals: {folder}")
    if red:
        raise typer.Exit(1)


class Work:
    """The rows, and what was shown of each: with the rung put back, and without."""

    def __init__(
        self,
        ladder: Ladder,
        chosen: Sequence[Row],
        seed: int,
        folder: Path,
        factor: float,
        say: Say,
        keep: Callable[[Row, Shown], None],
    ) -> None:
        """`keep` is told of each row that is red as it must be."""
        self._ladder, self._rows, self._seed = ladder, chosen, seed
        self._folder, self._factor, self._say, self._keep = folder, factor, say, keep
        self.put: dict[str, Shown] = {}
        self._guarded: dict[str, Shown] = {}

    def wrong(self, row: Row) -> str:
        """Why the row is not shown; empty: it is."""
        put, guarded = self.put.get(row.rung), self._guarded.get(rows.key(row))
        return "not run" if put is None or guarded is None else wrong(row, put, guarded)

    async def carry_out(self, tools: Tools, lanes: int) -> None:
        """Run them all; rows with the same start are one plane's, one after another."""
        waiting = deque(self._groups())

        async def lane(number: int) -> None:
            plane = Plane(self._folder / f"plane-{number}", tools, self._factor, self._say)
            try:
                await plane.open()
                stand = Stand(plane)
                while waiting:
                    for row in waiting.popleft():
                        await self._row(row, stand)
            finally:
                await plane.close()

        async with asyncio.TaskGroup() as group:
            for number in range(1, min(lanes, len(waiting)) + 1):
                group.create_task(lane(number))

    def _groups(self) -> list[list[Row]]:
        """The rows by their start, the most of them first."""
        found: dict[str, list[Row]] = {}
        for row in self._rows:
            found.setdefault(repr(self._climb(row, put_back=True).job.start), []).append(row)
        return sorted(found.values(), key=len, reverse=True)

    def _climb(self, row: Row, *, put_back: bool) -> Climb:
        return Climb(row, self._ladder, put_back, self._seed)

    async def _row(self, row: Row, stand: Stand) -> None:
        told = functools.partial(_labelled, self._say, row.rung)
        if rows.key(row) not in self._guarded:
            told("not put back")
            self._guarded[rows.key(row)] = await climb(
                self._climb(row, put_back=False), stand, self._folder / "journals", told
            )
        told("put back")
        self.put[row.rung] = await climb(self._climb(row, put_back=True), stand, self._folder / "journals", told)
        verdict = self.wrong(row)
        if not verdict:
            self._keep(row, self.put[row.rung])
        shown = self.put[row.rung]
        seen_so = [*(f"{count} {reason}" for reason, count in shown.cuts.items()), *shown.gave_up]
        told(f"{'NOT SHOWN: ' + verdict if verdict else 'red, as it must be'} ({'; '.join(seen_so)})")

    def table(self) -> Table:
        """Every row and what was shown of it."""
        shown = Table(
            "rung", "scenario", "alive", "cut", "of it", "gave up", "took", "verdict", box=None, pad_edge=False
        )
        for row in self._rows:
            put = self.put.get(row.rung, Shown())
            first = "; ".join(f"{count} {reason}" for reason, count in put.cuts.items())
            shown.add_row(
                row.rung, row.scenario, str(put.alive), str(sum(put.cuts.values())), first, ", ".join(put.gave_up),
                f"{put.seconds:.0f} s", self.wrong(row) or "red, as it must be",
            )  # fmt: skip
        return shown


def _labelled(say: Say, label: str, text: str) -> None:
    say(f"{label}: {text}")


def main() -> int:
    """The command's exit code; an error is a clear text on stderr."""
    return ended(app)
