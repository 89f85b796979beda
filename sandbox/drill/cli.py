"""The command: scenarios run, told as they go, and reported."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from sandbox.drill import page, report, seen
from sandbox.drill.lanes import carry_out
from sandbox.drill.picture import picture
from sandbox.drill.result import Result
from sandbox.drill.run import Job
from sandbox.drill.scenario import Kind, Scenario, chosen
from sandbox.drill.verdict import red
from sandbox.files import write_whole
from sandbox.home import CHECKOUT
from sandbox.plane.errors import PlaneError
from sandbox.sessions import journal
from sandbox.toolchain import ToolchainError, ensure
from sandbox.toolchain import report as build_report

T = TypeVar("T")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 220)
err = Console(stderr=True, soft_wrap=True, highlight=False)


@app.command()
def drill(
    scenarios: Annotated[list[str] | None, typer.Argument(help="names of scenarios; none: all of them")] = None,
    run: Annotated[list[Kind] | None, typer.Option(help="only these runs")] = None,
    lanes: Annotated[int, typer.Option(help="planes side by side", min=1)] = 2,
    factor: Annotated[float, typer.Option(help="every clock and session length is divided by it", min=0.01)] = 60.0,
    seed: Annotated[int, typer.Option(help="of what clients ask for")] = 1,
    folder: Annotated[Path, typer.Option(help="planes, journals, pictures, report")] = CHECKOUT / ".drill",
    write: Annotated[bool, typer.Option("--write", help="put what was seen into the page")] = False,
    only_page: Annotated[bool, typer.Option("--page", help="run nothing; make the page anew")] = False,
) -> None:
    """Count the sessions that each scenario's update cuts. Exit code 1 when a run is other than its file says."""
    began, day = time.monotonic(), datetime.now(UTC).date().isoformat()
    if only_page:
        write_whole(page.FILE, page.text(chosen([]), seen.read()))
        return
    found = chosen(scenarios or [])
    jobs = [Job(name, each, kind, seed) for name, each in found.items() for kind in each.kinds if kind in (run or Kind)]
    expects = {name: each.expect for name, each in found.items()}
    out.print(f"{len(jobs)} runs of {len(found)} scenarios; time factor {factor:g}, seed {seed}, {lanes} planes.")

    def say(text: str) -> None:
        err.print(f"{time.monotonic() - began:5.0f} s  {text}", markup=False)

    def done(result: Result) -> None:
        wrong = red(expects[result.scenario], result)
        verdict = f"RED: {wrong}" if wrong else "as expected"
        say(f"{result.scenario}, {result.kind}: {len(result.counts.cuts)} cut; {verdict}")
        if write:
            everything = chosen([])
            kept = seen.add([seen.of(result, found[result.scenario], factor, seed, day)], everything)
            write_whole(page.FILE, page.text(everything, kept))

    tools = ensure(build_report())
    results = asyncio.run(to_the_end(carry_out(jobs, lanes, folder, tools, factor, say, done)))
    _keep(results, found, folder, seed, factor)
    out.print()
    out.print(report.table(results, expects))
    out.print()
    for line in report.causes(results):
        out.print(line, markup=False)
    wrong = [each for each in results if red(expects[each.scenario], each)]
    out.print(f"\n{len(results)} runs in {time.monotonic() - began:.0f} s, {len(wrong)} red. All of it: {folder}")
    if wrong:
        raise typer.Exit(1)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """The same, and a SIGTERM is as a Ctrl-C: what was started is taken down."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _keep(results: Sequence[Result], found: Mapping[str, Scenario], folder: Path, seed: int, factor: float) -> None:
    """Write the report and one picture for each scenario."""
    expects = {name: each.expect for name, each in found.items()}
    whole = report.document(results, expects, seed, factor)
    write_whole(folder / "report.json", json.dumps(whole, indent=1) + "\n")
    write_whole(folder / "report.md", report.markdown(results, expects))
    for name, each in found.items():
        journals = {kind.value: folder / "journals" / f"{name}-{kind}.jsonl" for kind in each.kinds}
        runs = {kind: list(journal.read(path)) for kind, path in journals.items() if path.exists()}
        write_whole(folder / f"{name}.svg", picture(each.title, runs))


def main() -> int:
    """The command's exit code; an error is a clear text on stderr."""
    return ended(app)


def ended(app: typer.Typer) -> int:
    """The exit code of a command that starts planes; an error is a clear text on stderr."""
    try:
        app()
    except SystemExit as end:
        return int(end.code or 0)
    except asyncio.CancelledError:
        err.print("Ended; its planes are taken down.")
    except (PlaneError, ToolchainError) as error:
        err.print(str(error), markup=False)
    except ExceptionGroup as errors:
        told, other = errors.split((PlaneError, OSError))
        if other is not None or told is None:
            raise
        err.print("\n".join(map(str, told.exceptions)), markup=False)
    return 1
