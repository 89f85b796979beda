"""The command `clocks`: the ladder of a configuration, the shortest rung first, and who would cut."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from operations.importing.base import Base
from operations.stack import StackError, configuration
from stacks.clocks import Against, By, Rung, ladder, shortest, spoken
from stacks.load import fields, read
from stacks.problem import PROJECT, Problem, report
from stacks.schema import Settings

DEFAULTS = "the defaults"

# lines are wrapped by the reader's terminal, never inside a pipe
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def defaults(**sections: Any) -> dict[str, str]:
    """The configuration of a stack that sets nothing but what it must, with stand-ins for that, and more sections."""
    return {f"{PROJECT}:{key}": json.dumps(value) for key, value in {**Base().complete(), **sections}.items()}


def command(
    stack: Annotated[str | None, typer.Option(help="the stack file to look at; without it, the defaults")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON on standard output")] = False,
) -> None:
    """Every clock on a session's path, the shortest first: who would cut, who sets it, and what protects.

    Exit code: 0 all are long enough, 1 the configuration is refused; a rung that nobody can lift is told, not refused.
    """
    try:
        config, flagged = (defaults(), []) if stack is None else configuration(stack.rpartition("/")[2])
    except StackError as error:
        found = error.problem
        err.print(f"{found.path}  [{found.code}]\n    why:  {found.reason}\n    mend: {found.mend}", markup=False)
        raise typer.Exit(1) from error
    settings, problems = fields(config, flagged)
    problems = read(config, flagged)[1]
    rungs = () if settings is None else ladder(settings)
    if as_json:
        typer.echo(json.dumps(told(stack or DEFAULTS, settings, rungs, problems), indent=1, ensure_ascii=False))
    elif settings is not None:
        _show(stack or DEFAULTS, settings, rungs)
    if problems:
        err.print(report((stack or "").rpartition("/")[2], problems), markup=False)
        raise typer.Exit(1)


def told(of: str, settings: Settings | None, rungs: Sequence[Rung], problems: Sequence[Problem]) -> dict[str, Any]:
    """All of it as JSON; without rungs where a field by itself is wrong. Lengths are in seconds, null is no limit."""
    return {
        "of": of,
        "longestSessionSeconds": settings.sessions.max_duration_seconds if settings else None,
        "rungs": [_rung(each) for each in rungs],
        "problems": [{"path": p.path, "code": p.code, "why": p.reason, "mend": p.mend} for p in problems],
    }


def _rung(rung: Rung) -> dict[str, Any]:
    least = rung.least and {"seconds": rung.least.seconds, "above": rung.least.above, "why": rung.least.why}
    return {
        "name": rung.name,
        "seconds": rung.seconds,
        "against": rung.against.value,
        "least": least,
        "cut": f"{rung.cut} {rung.who}",
        "who": rung.who,
        "by": rung.by.value,
        "key": rung.key,
        "places": [{"kind": each.kind, "name": each.name, "field": list(each.field)} for each in rung.places],
        "guard": rung.guard,
        "short": rung.short,
        "refused": rung.problem is not None,
    }


def state(rung: Rung) -> str:
    """Whether a rung holds."""
    return "too short" if rung.problem else "guarded" if rung.short else "holds" if rung.least else ""


def must_be(rung: Rung) -> str:
    """What a rung must be, in words."""
    if rung.least is None:
        return ""
    return f"{'more than' if rung.least.above else 'at least'} {spoken(rung.least.seconds)}"


def set_by(rung: Rung) -> str:
    """Who can make it longer, and where."""
    if rung.by is By.NOBODY:
        return "nobody can"
    return f"`{rung.key}`" if rung.key and rung.by is By.USER else rung.by.value


def headline(rungs: Sequence[Rung]) -> list[str]:
    """The shortest of those against a session and against a silence, and what is guarded instead."""
    lines = []
    for against in (Against.SESSION, Against.SILENCE):
        first = shortest(rungs, against)
        if first is not None:
            lines.append(f"First against {against.value}: after {spoken(first.seconds)} {first.cut} {first.who}.")
    return [*lines, *(unliftable(rung) for rung in rungs if rung.short and rung.problem is None)]


def unliftable(rung: Rung) -> str:
    """What protects where nobody can make a rung as long as it should be."""
    return f"{rung.name}: {spoken(rung.seconds)}, {must_be(rung)} is wanted, and nobody can lift it. {rung.guard}."


def _show(of: str, settings: Settings, rungs: Sequence[Rung]) -> None:
    longest = settings.sessions.max_duration_seconds
    out.print(f"The longest session of {of}: {spoken(longest)} (sessions.maxDurationSeconds).", markup=False)
    for line in headline(rungs):
        out.print(line, markup=False)
    table = Table(show_lines=False)
    for column in ("clock", "runs out", "must be", "", "who would cut", "set by", "what protects, what to know"):
        table.add_column(column, overflow="fold")
    for rung in rungs:
        by = set_by(rung).strip("`")
        table.add_row(rung.name, spoken(rung.seconds), must_be(rung), state(rung), rung.who, by, rung.guard)
    out.print(table, markup=False)
