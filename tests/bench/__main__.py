"""Measures `pulumi preview` for 1 to 55 languages beside the flat program; exit code 1 where a goal is missed.

A cost that grew with the number of languages shows in the steps, which are counted; processor time is told beside them
with how far it can be trusted.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import pairwise, permutations
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.table import Table

from sandbox.home import Home
from tests.bench import flat, stack
from tests.bench.measure import Preview, PreviewError, Program, Runs, in_pairs, times
from tests.bench.steps import steps
from tests.live.conftest import plain_environment, shell_exports
from tests.seed_languages import SEED_LANGUAGES
from tests.unit.graph import CHECKOUT, Graph, Json, run_program
from tests.yaml_file import read_yaml

PARTS = ("__main__.py", "Pulumi.yaml", "components", "stacks")
MOST_TIMES = 1.3
"""The goal: the program costs at most this many times what the flat one does."""

SIZES = (1, 10, 32, len(SEED_LANGUAGES))
"""Numbers of languages; a cost that grows with them shows between any two neighbours."""

SAME_STEPS = 1.01
"""How far apart the steps for a language may be between any two intervals: languages differ by a few instructions in
tens of thousands; a cost that grew with their number would be several times as high in the last one."""

SAME_COST = 1.3
"""How far apart a language's processor time may be between any two intervals, the noise aside. Servers come with the
languages, so that an interval has up to a quarter more objects than languages."""

ERRORS = 2
"""How many standard errors the difference of two medians may be off by: 19 of 20 are not."""

SHOWN = {True: "[green]pass[/]", False: "[red]FAIL[/]", None: "[yellow]open[/]"}

out = Console(soft_wrap=True, highlight=False)


def _sandbox(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def _stack_file(path: Path, change: Callable[[Json], None]) -> None:
    """The sandbox's stack file with a change, under another name."""
    document = read_yaml(CHECKOUT / "stacks" / "Pulumi.sandbox.yaml")
    change(document["config"])
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def _select(program: Program, name: str) -> None:
    command = ["pulumi", "stack", "select", "--create", name, "--non-interactive"]
    done = subprocess.run(
        command, cwd=program.folder, env=program.environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PreviewError(done.stdout + done.stderr)


def _timed(program: Program, name: str) -> Preview:
    return lambda: program.preview(name)[0]


def _prepared(folder: Path, environment: dict[str, str], counts: list[int]) -> tuple[dict[int, int], list[Program]]:
    """Both programs with a stack for each number of languages; how many objects each registers."""
    ours = Program(folder / "program", environment)
    ours.folder.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (CHECKOUT / part).is_dir() else shutil.copyfile
        copy(CHECKOUT / part, ours.folder / part)
    programs, objects = [ours], {}
    for count in counts:

        def change(config: Json, count: int = count) -> None:
            stack.configure(config, count)

        _stack_file(ours.folder / "stacks" / f"Pulumi.bench{count}.yaml", change)
        _select(ours, f"bench{count}")
        graph: Graph = run_program("sandbox", change)
        beside = Program(folder / f"flat{count}", environment)
        objects[count] = flat.write(graph, beside.folder)
        off = {"config": {"pulumi:disable-default-providers": ["*"]}}
        (beside.folder / f"Pulumi.bench{count}.yaml").write_text(yaml.safe_dump(off))
        _select(beside, f"bench{count}")
        programs.append(beside)
    return objects, programs


def _checked(programs: list[Program], objects: dict[int, int]) -> None:
    """Raises `PreviewError` where the two do not register the same objects (the stack itself aside)."""
    for beside, (count, wanted) in zip(programs[1:], objects.items(), strict=True):
        _, made = beside.preview(f"bench{count}")
        if made != wanted + 1:
            raise PreviewError(f"the flat program registers {made - 1} objects for {count} languages, not {wanted}")


def _shown(objects: dict[int, int], ours: dict[int, Runs], beside: dict[int, Runs]) -> None:
    table = Table("languages", "objects", "wall (s)", "flat (s)", "times", "CPU (s)", "flat (s)", "times", box=None)
    for column in table.columns:
        column.justify = "right"
    for count, number in objects.items():
        a, b = ours[count], beside[count]
        wall, cpu = times(a, b)
        table.add_row(str(count), str(number), f"{a.wall:.2f}", f"{b.wall:.2f}", f"{wall:.2f}",
                      f"{a.cpu:.2f}", f"{b.cpu:.2f}", f"{cpu:.2f}")  # fmt: skip
    out.print(table)


def per_language(totals: Mapping[int, float]) -> dict[tuple[int, int], float]:
    """What one more language costs in each interval between neighbouring sizes."""
    return {(few, many): (totals[many] - totals[few]) / (many - few) for few, many in pairwise(sorted(totals))}


def is_constant(totals: Mapping[int, float], times: float, errors: Mapping[int, float] | None = None) -> bool:
    """Whether a language costs the same in every interval: none is dearer than any other, whichever comes first.

    `errors` are the standard errors of the totals, none of which counts for a difference.
    """
    off = _off_by(errors) if errors else {}
    costs = [(cost, off.get(interval, 0.0)) for interval, cost in per_language(totals).items()]
    return all(one - a <= times * (other + b) for (one, a), (other, b) in permutations(costs, 2))


def would_show(totals: Mapping[int, float], times: float, errors: Mapping[int, float]) -> bool:
    """Whether `is_constant` would see a language of the last interval that costs twice as much as one of the first."""
    first, *_, last = _off_by(errors).values()
    few, *_, many = sorted(totals)
    cost = (totals[many] - totals[few]) / (many - few)
    return 4 / 3 * cost - last > times * (2 / 3 * cost + first)


def _off_by(errors: Mapping[int, float]) -> dict[tuple[int, int], float]:
    """By how much the cost of a language may be off in each interval."""
    return {
        (few, many): ERRORS * math.hypot(errors[few], errors[many]) / (many - few)
        for few, many in pairwise(sorted(errors))
    }


def _each(costs: Mapping[tuple[int, int], float], unit: str) -> str:
    return ", ".join(f"{cost:,.0f}{unit} from {few} to {many}" for (few, many), cost in costs.items())


def verdicts(steps: Mapping[int, int], ours: dict[int, Runs], beside: dict[int, Runs]) -> list[tuple[bool | None, str]]:
    """Each goal: whether it is met, None where these runs cannot tell, and the numbers that say so."""
    found: list[tuple[bool | None, str]] = []
    if len(steps) >= 3:
        text = (
            f"a language more is the same number of steps of the program's own code: {_each(per_language(steps), '')}"
        )
        found.append((is_constant(steps, SAME_STEPS), text))
    for count, runs in ours.items():
        found.append(
            (
                max(times(runs, beside[count])) <= MOST_TIMES,
                f"{count} languages: at most {MOST_TIMES} × the flat program",
            )
        )
    if len(ours) >= 3:
        found.append(_same_cpu(ours, beside))
    return found


def _same_cpu(ours: dict[int, Runs], beside: dict[int, Runs]) -> tuple[bool | None, str]:
    """Whether a language more costs the same CPU, where these runs can tell; the steps are counted without noise."""
    cpu, errors = ({count: getattr(each, name) for count, each in ours.items()} for name in ("cpu", "cpu_error"))
    own, flats = (
        _each({step: 1000 * cost for step, cost in per_language(each).items()}, " ms")
        for each in (cpu, {count: each.cpu for count, each in beside.items()})
    )
    off = _each({step: 1000 * each for step, each in _off_by(errors).items()}, " ms")
    text = f"a language more costs the same CPU: {own}; off by up to {off} (flat: {flats})"
    if not would_show(cpu, SAME_COST, errors):
        return None, f"{text}: these runs lie so far apart that twice the cost would not show"
    return is_constant(cpu, SAME_COST, errors), text


def main(
    languages: Annotated[list[int] | None, typer.Argument(help="numbers of languages")] = None,
    runs: Annotated[int, typer.Option(help="runs of each, of which the median counts", min=1)] = 5,
) -> None:
    """Time of `pulumi preview`, the program's beside a flat one's."""
    counts = sorted(languages or SIZES)
    counted = steps(counts)
    with tempfile.TemporaryDirectory(prefix="sm-realtime-bench-") as temporary:
        folder = Path(temporary)
        bare = plain_environment() | {"SM_SANDBOX_HOME": str(folder / "plane")}
        try:
            Home(folder / "plane").backend.mkdir(parents=True, exist_ok=True)
            _sandbox(bare, "start")
            environment = shell_exports(_sandbox(bare, "env"))
            objects, programs = _prepared(folder, bare | environment, counts)
            _checked(programs, objects)
            names = [f"bench{count}" for count in counts]
            flats = [_timed(each, name) for each, name in zip(programs[1:], names, strict=True)]
            ours = [_timed(programs[0], name) for name in names]
            taken = in_pairs(list(zip(ours, flats, strict=True)), runs)
        except PreviewError as error:
            out.print(str(error), markup=False)
            raise typer.Exit(1) from error
        finally:
            _sandbox(bare, "down")
    out.print(f"pulumi preview of a first update on an empty plane, no cluster yet; medians of {runs}.")
    out.print(
        "Times: how many times the flat one's, of two runs right after one another. CPU: engine, language host and"
    )
    out.print("program; not the plane's stand-ins.")
    own, beside = (dict(zip(counts, each, strict=True)) for each in zip(*taken, strict=True))
    _shown(objects, own, beside)
    results = verdicts(counted, own, beside)
    for met, text in results:
        out.print(f"{SHOWN[met]}  {text}")
    if any(met is False for met, _ in results):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
