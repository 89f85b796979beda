"""Measures `pulumi preview` for 1 to 55 languages beside the flat program; exit code 1 where a goal is missed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.table import Table

from sandbox.home import Home
from tests.bench import flat, stack
from tests.bench.measure import PreviewError, Program, Time, medians
from tests.live.conftest import plain_environment, shell_exports
from tests.seed_languages import SEED_LANGUAGES
from tests.unit.graph import CHECKOUT, Graph, Json, run_program

PARTS = ("__main__.py", "Pulumi.yaml", "components", "stacks")
MOST_TIMES = 1.3
"""The goal: the program costs at most this many times what the flat one does."""

SIZES = (1, 10, 32, len(SEED_LANGUAGES))
"""Numbers of languages; between the last three a cost that grows would show."""

SAME_COST = 1.3
"""How much dearer a language among many may be than one among few: a cost that grows is not constant."""

NOISE_MS = 5.0
"""What a language's cost may differ by on its own: a tenth of a second between two sizes."""

out = Console(soft_wrap=True, highlight=False)


def _sandbox(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def _stack_file(path: Path, change: Callable[[Json], None]) -> None:
    """The sandbox's stack file with a change, under another name."""
    document = yaml.safe_load((CHECKOUT / "stacks" / "Pulumi.sandbox.yaml").read_text())
    change(document["config"])
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def _select(program: Program, name: str) -> None:
    command = ["pulumi", "stack", "select", "--create", name, "--non-interactive"]
    done = subprocess.run(
        command, cwd=program.folder, env=program.environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise PreviewError(done.stdout + done.stderr)


def _timed(program: Program, name: str) -> Callable[[], Time]:
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


def _shown(objects: dict[int, int], ours: dict[int, Time], beside: dict[int, Time]) -> None:
    table = Table("languages", "objects", "wall (s)", "flat (s)", "times", "CPU (s)", "flat (s)", "times", box=None)
    for column in table.columns:
        column.justify = "right"
    for count, number in objects.items():
        a, b = ours[count], beside[count]
        table.add_row(str(count), str(number), f"{a.wall:.2f}", f"{b.wall:.2f}", f"{a.wall / b.wall:.2f}",
                      f"{a.cpu:.2f}", f"{b.cpu:.2f}", f"{a.cpu / b.cpu:.2f}")  # fmt: skip
    out.print(table)


def per_language(times: dict[int, Time], few: int, many: int) -> float:
    """CPU of one more language between two sizes, in milliseconds."""
    return (times[many].least_cpu - times[few].least_cpu) / (many - few) * 1000


def verdicts(ours: dict[int, Time], beside: dict[int, Time]) -> list[tuple[bool, str]]:
    """Each goal: whether it is met, and the numbers that say so."""
    found = []
    for count, time in ours.items():
        wall, cpu = time.wall / beside[count].wall, time.cpu / beside[count].cpu
        found.append((max(wall, cpu) <= MOST_TIMES, f"{count} languages: at most {MOST_TIMES} × the flat program"))
    counts = sorted(ours)
    if len(counts) >= 3:
        few, some, many = counts[-3:]
        before, after = per_language(ours, few, some), per_language(ours, some, many)
        text = (
            f"a language more costs the same: {before:.0f} ms of CPU from {few} to {some}, {after:.0f} ms from {some}"
            f" to {many} (flat: {per_language(beside, some, many):.0f} ms)"
        )
        found.append((after <= SAME_COST * before + NOISE_MS, text))
    return found


def main(
    languages: Annotated[list[int] | None, typer.Argument(help="numbers of languages")] = None,
    runs: Annotated[int, typer.Option(help="runs of each, of which the median counts", min=1)] = 5,
) -> None:
    """Time of `pulumi preview`, the program's beside a flat one's."""
    counts = sorted(languages or SIZES)
    with tempfile.TemporaryDirectory(prefix="sm-realtime-bench-") as temporary:
        folder = Path(temporary)
        bare = plain_environment() | {"SM_SANDBOX_HOME": str(folder / "plane")}
        try:
            Home(folder / "plane").backend.mkdir(parents=True, exist_ok=True)
            _sandbox(bare, "start")
            environment = shell_exports(_sandbox(bare, "env"))
            objects, programs = _prepared(folder, bare | environment, counts)
            _checked(programs, objects)
            previews = [_timed(programs[0], f"bench{count}") for count in counts]
            previews += [_timed(each, f"bench{count}") for each, count in zip(programs[1:], counts, strict=True)]
            times = medians(previews, runs)
        except PreviewError as error:
            out.print(str(error), markup=False)
            raise typer.Exit(1) from error
        finally:
            _sandbox(bare, "down")
    ours, beside = dict(zip(counts, times, strict=False)), dict(zip(counts, times[len(counts) :], strict=True))
    out.print(f"pulumi preview of a first update on an empty plane, no cluster yet; medians of {runs}, taken in turns.")
    out.print("CPU: engine, language host and program; not the plane's stand-ins.")
    _shown(objects, ours, beside)
    results = verdicts(ours, beside)
    for met, text in results:
        out.print(f"[{'green' if met else 'red'}]{'pass' if met else 'FAIL'}[/]  {text}")
    if not all(met for met, _ in results):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
