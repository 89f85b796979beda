"""The command `import-values`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from operations.generated import write
from operations.importing.base import Base, with_room
from operations.importing.changed import OtherDefault, idle_controller, other_defaults
from operations.importing.plan import Plan, plan
from operations.importing.reading import ValuesError, read
from operations.importing.stack_file import text
from operations.stack import stand_in
from stacks.load import read as read_config
from stacks.problem import PROJECT, Problem
from stacks.schema import Settings

LEFT_SOMETHING = 3
"""Exit code when the file was written and some values have no place in it."""

RELEASE = "realtime"
NO_RELEASE = (
    f"no values file has it, and --release was not told: {RELEASE}. The objects of a release of another name have "
    "other names, and would stay beside these"
)

STACK = re.compile(r"Pulumi\.([A-Za-z0-9_.-]+)\.yaml")

# lines are wrapped by the reader's terminal, never inside a pipe
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, soft_wrap=True, highlight=False)


@dataclass(frozen=True)
class Result:
    """A plan with the file it makes."""

    plan: Plan
    document: dict[str, Any]
    settle: list[Problem]
    """What the program will say of the file once the secrets are set and the cluster is told."""
    missing: list[str]
    """Keys to fill in by hand."""
    defaults: list[OtherDefault]


def result(values: dict[str, Any], base: Base, release: str, namespace: str | None, file: str) -> Result:
    """The plan and the document for a chart's values, which a file holds."""
    named: dict[str, Any] = {"release": release, **({"namespace": namespace} if namespace else {})}
    made = plan(values, {**base.complete(), **named}, file)
    complete = {**base.complete(), **named, **made.kept}
    settings = Settings.model_validate_json(json.dumps(complete))
    sections, raised = with_room(base.sections(), settings)
    made.notes += [*raised, *idle_controller(settings)]
    settle = _problems({**with_room(base.complete(), settings)[0], **named, **made.kept}, made)
    told = [*made.mapped, *(path for path, _ in made.notes), *(each.path for each in made.refused)]
    document = {**named, **made.kept, **sections}
    return Result(made, document, settle, base.missing, other_defaults(settings, told))


def _problems(document: dict[str, Any], made: Plan) -> list[Problem]:
    """What the loader says, with the secrets that are to be set by the commands."""
    config = {f"{PROJECT}:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in document.items()}
    secret = {f"{PROJECT}:{each.key}": stand_in(each.key) for each in made.secrets}
    return read_config(config | secret, list(secret))[1]


def _fail(problem: Problem) -> typer.Exit:
    err.print(f"{problem.path}  [{problem.code}]\n    why:  {problem.reason}\n    mend: {problem.mend}", markup=False)
    return typer.Exit(1)


def _read(file: Path) -> dict[str, Any]:
    try:
        return read(file.read_text(encoding="utf-8"), str(file))
    except ValuesError as error:
        raise _fail(error.problem) from error
    except UnicodeDecodeError as error:
        raise _fail(Problem(str(file), "no-yaml", "it is no text in UTF-8", "save it as UTF-8")) from error
    except OSError as error:
        mend = "helm get values RELEASE -o yaml > values.yaml"
        raise _fail(Problem(str(file), "no-file", error.strerror or "it cannot be read", mend)) from error


def _before(target: Path, *, force: bool) -> dict[str, Any]:
    """What stands at the place of the stack file."""
    if not target.exists():
        return {}
    if not force:
        mend = "name another file, or replace this one with --force; its secrets stay"
        raise _fail(Problem(str(target), "file-exists", "it is there already; nothing was changed", mend))
    try:
        before = yaml.safe_load(target.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = "what stands there is no stack file, so its secrets cannot be kept"
        raise _fail(Problem(str(target), "no-yaml", reason, f"mv {target} {target}.old")) from error
    return before if isinstance(before, dict) else {}


def _head(file: Path, made: Result) -> list[str]:
    lines = [f"Made of {file.name} by `python -m operations import-values`."]
    if made.missing:
        lines += ["Required and not told yet; `pulumi preview` refuses the stack until they are here:"]
        lines += [f"  {PROJECT}:{path}" for path in made.missing]
    return lines


def command(
    file: Annotated[Path, typer.Argument(metavar="VALUES", help="values file of the chart (helm get values -o yaml)")],
    target: Annotated[Path, typer.Option("--out", help="the stack file to write: stacks/Pulumi.NAME.yaml")],
    release: Annotated[
        str | None, typer.Option(help="name of the Helm release, part of several object names; if not told, realtime")
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="namespace of the platform")] = None,
    subscription_id: Annotated[str | None, typer.Option(help="azure.subscriptionId")] = None,
    location: Annotated[str | None, typer.Option(help="azure.location")] = None,
    resource_group: Annotated[str | None, typer.Option(help="azure.resourceGroup")] = None,
    cluster_name: Annotated[str | None, typer.Option(help="azure.clusterName")] = None,
    kubernetes_version: Annotated[str | None, typer.Option(help="of the cluster and the pools, such as 1.35.9")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="replace a stack file that is there; its secrets stay")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the report as JSON on standard output")] = False,
) -> None:
    """Turn a values file of the chart into a stack file, and say what became of each value.

    Exit code: 0 all values are kept, 3 written but some values have no place here, 1 nothing was written.
    """
    name = STACK.fullmatch(target.name)
    if name is None:
        raise _fail(
            Problem(str(target), "bad-name", "Pulumi finds a stack by its file", "--out stacks/Pulumi.NAME.yaml")
        )
    values, before = _read(file), _before(target, force=force)
    base = Base(subscription_id, location, resource_group, cluster_name, kubernetes_version)
    named = RELEASE if release is None else release
    _told(base, named, namespace)
    made = result(values, base, named, namespace, str(file))
    if release is None:
        made.plan.notes.append(("release", NO_RELEASE))
    try:
        write(target, text(made.document, _head(file, made), before))
    except OSError as error:
        mend = "name a folder that exists and can be written"
        raise _fail(Problem(str(target), "not-written", error.strerror or "it cannot be written", mend)) from error
    report = _report(made, file, target, name[1])
    typer.echo(json.dumps(report, indent=1, ensure_ascii=False)) if as_json else _show(report)
    raise typer.Exit(LEFT_SOMETHING if report["refused"] else 0)


def _told(base: Base, release: str, namespace: str | None) -> None:
    """Refuse options that the schema would refuse later."""
    document = {**base.complete(), "release": release, **({"namespace": namespace} if namespace else {})}
    config = {f"{PROJECT}:{key}": v if isinstance(v, str) else json.dumps(v) for key, v in document.items()}
    for problem in read_config(config, [])[1]:
        raise _fail(Problem(problem.path, problem.code, problem.reason, "correct the option for it"))


def _report(made: Result, file: Path, target: Path, stack: str) -> dict[str, Any]:
    def problems(found: list[Problem]) -> list[dict[str, str]]:
        ordered = sorted(found, key=lambda each: (each.path, each.code))
        return [{"path": p.path, "code": p.code, "why": p.reason, "mend": p.mend} for p in ordered]

    secrets = [
        {"path": each.path, "key": each.key, "command": each.command(str(file), stack)} for each in made.plan.secrets
    ]
    return {
        "out": str(target),
        "stack": stack,
        "mapped": made.plan.mapped,
        "renamed": [{"path": each.path, "here": each.here, "text": each.text} for each in made.plan.renamed],
        "defaults": [{"path": each.key, "chart": each.chart, "here": each.here} for each in made.defaults],
        "notes": [{"path": path, "text": note} for path, note in sorted(made.plan.notes)],
        "secrets": secrets,
        "refused": problems(made.plan.refused),
        "missing": made.missing,
        "settle": problems(made.settle),
    }


def _show(report: dict[str, Any]) -> None:
    """The report for a person."""
    out.print(f"{report['out']}: {len(report['mapped'])} values kept, {len(report['refused'])} left out.", markup=False)
    renamed = [(each["path"], each["here"], each["text"]) for each in report["renamed"]]
    _table("Another name here", ("key", "here", "note"), renamed)
    defaults = [(each["path"], each["chart"], each["here"]) for each in report["defaults"]]
    _table("Another default here", ("key that the file does not set", "in the chart", "here"), defaults)
    _table("Understood as", ("key", "as"), [(each["path"], each["text"]) for each in report["notes"]])
    left = [(each["path"], each["code"], each["why"], each["mend"]) for each in report["refused"]]
    _table("Left out", ("key", "code", "why", "mend"), left)
    settle = [(each["path"], each["code"], each["why"], each["mend"]) for each in report["settle"]]
    _table("To settle before the first update", ("key", "code", "why", "mend"), settle)
    _table("Required and not told yet", ("key",), [(each,) for each in report["missing"]])
    steps = [f"pulumi stack init {report['stack']}", *(each["command"] for each in report["secrets"])]
    out.print("\nNext:", markup=False)
    for step in [*steps, f"pulumi preview --stack {report['stack']}"]:
        out.print(f"  {step}", markup=False)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print()
    out.print(table, markup=False)
