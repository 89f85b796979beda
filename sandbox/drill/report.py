"""The results as a table for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from sandbox.drill.result import Result, by_reason
from sandbox.drill.scenario import Expect, Kind
from sandbox.drill.verdict import red, work_left
from sandbox.sessions.model import Cut

Json = dict[str, Any]

COLUMNS = (
    "scenario",
    "run",
    "alive",
    "started",
    "finished",
    "cut",
    "turned away",
    "done in",
    "shortest",
    "of it engine",
    "verdict",
)
MOST = 5
"""Reasons of a run's cuts that are told; the JSON has every cut."""


def row(result: Result, expect: Expect) -> tuple[str, ...]:
    """One run, as the table shows it."""
    counts, wrong = result.counts, red(expect, result)
    seconds = f"{result.seconds:.0f} s" if result.seconds else ""
    return (
        result.scenario,
        result.kind.value,
        str(counts.alive),
        str(counts.started),
        str(counts.finished),
        str(len(counts.cuts)),
        str(counts.turned_away.total()),
        seconds if result.kind is Kind.BASELINE or not result.left else f"{seconds}, {result.ending}",
        f"{counts.shortest:.0f} s",
        f"{result.engine:.0f} s",
        f"RED: {wrong.splitlines()[0]}" if wrong else work_left(expect, result.kind) or "as expected",
    )


def table(results: Sequence[Result], expects: Mapping[str, Expect]) -> Table:
    """All runs. Times are seconds of this machine's clock."""
    shown = Table(*COLUMNS, box=None, pad_edge=False, header_style="bold")
    for result in results:
        shown.add_row(*row(result, expects[result.scenario]))
    return shown


def causes(results: Sequence[Result]) -> list[str]:
    """What cut sessions in each run, most first."""
    lines = []
    for result in results:
        reasons = by_reason(result.counts.cuts)
        lines += [f"{result.scenario}, {result.kind}: {count} cut, {why}" for why, count in reasons[:MOST]]
        if len(reasons) > MOST:
            lines.append(f"{result.scenario}, {result.kind}: and {len(reasons) - MOST} reasons more")
    return lines


def document(results: Sequence[Result], expects: Mapping[str, Expect], seed: int, factor: float) -> Json:
    """Everything, with each cut, for programs."""
    return {
        "seed": seed,
        "timeFactor": factor,
        "runs": [_run(result, expects[result.scenario]) for result in results],
    }


def _run(result: Result, expect: Expect) -> Json:
    counts = result.counts
    return {
        "scenario": result.scenario,
        "run": result.kind.value,
        "aliveAtStart": counts.alive,
        "started": counts.started,
        "finished": counts.finished,
        "cut": len(counts.cuts),
        "turnedAway": dict(counts.turned_away),
        "seconds": round(result.seconds, 1),
        "engineSeconds": round(result.engine, 1),
        "shortestSeconds": round(counts.shortest, 1),
        "done": result.ending.value,
        "left": list(result.left),
        "amiss": list(result.amiss),
        "error": result.error,
        "expected": getattr(expect, result.kind.value).model_dump(),
        "red": red(expect, result),
        "cuts": [_cut(cut) for cut in counts.cuts],
    }


def _cut(cut: Cut) -> Json:
    return {
        "session": cut.session.id,
        "at": cut.at,
        "hop": asdict(cut.hop),
        "reason": cut.reason,
        "step": cut.step,
    }


def markdown(results: Sequence[Result], expects: Mapping[str, Expect]) -> str:
    """The table, for a page."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(row(each, expects[each.scenario]) for each in results)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
