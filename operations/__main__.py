"""The commands of `python -m operations`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from operations import clocks, clocks_page, differences, importing, reference, schema
from operations.generated import is_fresh, write

app = typer.Typer(
    help="Commands for whoever runs the platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

Write = Annotated[bool, typer.Option("--write", help="write the file")]
Check = Annotated[bool, typer.Option("--check", help="fail when the file is stale")]


def _made(file: Path, text: str, command: str, *, writes: bool, checks: bool) -> None:
    if writes:
        write(file, text)
    elif checks and not is_fresh(file, text):
        err.print(f"{file} is stale. Mend: python -m operations {command} --write", markup=False)
        raise typer.Exit(1)
    elif not checks:
        typer.echo(text, nl=False)


@app.command("reference")
def reference_command(writes: Write = False, checks: Check = False) -> None:
    """Every key with its type, default and what it reaches: docs/reference/values.md; the other pages beside it."""
    try:
        text = reference.page()
    except reference.StaleError as error:
        err.print(f"what these keys reach is not recorded, or they are no keys: {error}", markup=False)
        err.print("Mend: python -m tests.reach && python -m operations reference --write", markup=False)
        raise typer.Exit(1) from error
    _made(reference.FILE, text, "reference", writes=writes, checks=checks)
    _made(clocks_page.FILE, clocks_page.text(), "reference", writes=writes, checks=checks)
    _made(differences.FILE, differences.text(), "reference", writes=writes, checks=checks)


@app.command("schema")
def schema_command(writes: Write = False, checks: Check = False) -> None:
    """The JSON schema of a stack file, for editors: stacks/schema.json."""
    _made(schema.FILE, schema.text(), "schema", writes=writes, checks=checks)


app.command("clocks")(clocks.command)
app.command("import-values")(importing.command)

if __name__ == "__main__":
    app()
