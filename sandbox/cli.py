"""The commands of `python -m sandbox`."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from sandbox import settings, shell, up
from sandbox.files import FRESH
from sandbox.home import Home
from sandbox.plane import daemon
from sandbox.plane.errors import PlaneError
from sandbox.toolchain import ToolchainError, Tools, ensure, report

app = typer.Typer(
    help="The local plane: the real engine and API server, with Azure, nodes and the vendor's controller played.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, soft_wrap=True, highlight=False)

INTERRUPTED = 130
"""The exit code of a command ended with Ctrl-C."""

STATE = ("clusters", "logs", "pulumi", "pulumi-home", "azure.json", "kubeconfig", "plane.json", "ports.json",
         "settings.json", "recovered.json", "update.lock", "lock", "warm.sock")  # fmt: skip
"""All that the plane writes into its state folder, and what a crash left of writing it: what `down` removes, and
nothing else."""


def _say(text: str) -> None:
    err.print(text, markup=False)


def _tools() -> Tools:
    return ensure(report())


def _start(home: Home, tools: Tools) -> None:
    started = daemon.start(home, tools, _say)
    home.backend.mkdir(parents=True, exist_ok=True)  # plain pulumi opens a folder, and makes none
    if started.cleaned:
        _say(f"Ended {started.cleaned} processes that an interrupted run had left.")
    _say(f"The local plane is up ({home.root})." if started.fresh else f"The local plane runs already ({home.root}).")


def _is_up(home: Home) -> bool:
    """Whether the plane is ready; says so when it is not."""
    state = daemon.state(home)
    if state is not daemon.State.UP:
        _say(f"The local plane {state}. Start it, or wait for it: python -m sandbox start")
    return state is daemon.State.UP


@app.command()
def start() -> None:
    """Start the local plane, or say that it runs. Recovers what a crash or a reboot interrupted."""
    _start(Home(), _tools())


@app.command()
def stop() -> None:
    """End every process of the local plane; its state stays."""
    ran = daemon.stop(Home(), _say)
    _say("The local plane is stopped." if ran else "The local plane does not run.")


@app.command()
def down() -> None:
    """End the local plane and remove its state."""
    home = Home()
    daemon.stop(home, _say)
    torn = [path for name in STATE for path in home.root.glob(f"{name}.*{FRESH}")]
    for path in (*torn, *(home.root / name for name in STATE)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if home.root.is_dir() and not any(home.root.iterdir()):
        home.root.rmdir()
    _say("The local plane is down and its state is removed.")


@app.command()
def status() -> None:
    """What runs: processes, ports, clusters, nodes. Exit code 1 when the plane, or a part of it, does not run."""
    home = Home()
    if not _is_up(home):
        raise typer.Exit(1)
    from sandbox import standing  # brings the API client, which takes as long to load as all the rest

    alive = standing.show_processes(home, out)
    standing.show_clusters(home, out)
    if not alive:
        _say("Some of it has ended; the supervisor starts it again, and its log says why it could not.")
        raise typer.Exit(1)


@app.command()
def env() -> None:
    """Shell exports with which plain pulumi and kubectl use the local plane. Exit code 1 when it does not run."""
    home, tools = Home(), _tools()
    up_now = _is_up(home)
    for name, value in shell.exports(home, tools).items():
        # What stands on PATH already stays behind ours.
        rest = ':"$PATH"' if name == "PATH" else ""
        typer.echo(f"export {name}={shlex.quote(value)}{rest}")
    if not up_now:
        raise typer.Exit(1)


@app.command()
def images() -> None:
    """The images the nodes know, and how long each takes to start and to stop here, in seconds of our own."""
    from sandbox.nodes.images import PULL_SECONDS, table  # brings the API client, as above

    shown = Table("image", "starts in (s)", "stops in (s)", box=None, pad_edge=False)
    for name, starts, stops in table():
        shown.add_row(name, f"{starts:g}", f"{stops:g}")
    out.print(shown)
    out.print(f"An image that is not on its node yet is pulled first: {PULL_SECONDS:g} s.", markup=False)
    out.print("No other registry has them; `python -m sandbox set mirrors HOST` makes one that does.", markup=False)


@app.command(name="up")
def up_(
    wait: Annotated[float, typer.Option(help="how long to wait for pods to be Ready, in seconds", min=1)] = 900,
) -> None:
    """Start the local plane, deploy the program on it, wait for its pods, show what stands."""
    began = time.monotonic()
    home, tools = Home(), _tools()
    _start(home, tools)
    environment = shell.environment(home, tools)
    before = time.monotonic()
    changes = up.deploy(home, tools, environment, _say)
    updated = time.monotonic() - before
    from sandbox import standing, starting  # as above

    standing.wait_ready(home, wait, err)
    standing.show_summary(home, tools, up.output("endpoint", tools, environment), out)
    _conclude(changes)
    factor = settings.read(home).time_factor
    took, stages = time.monotonic() - began, starting.path(standing.pods(home))
    out.print(starting.told(took, updated, stages, factor), markup=False)


def _conclude(changes: Mapping[str, int]) -> None:
    changed = {step: count for step, count in changes.items() if step != "same"}
    if changed:
        out.print("Changed: " + ", ".join(f"{count} {step}" for step, count in sorted(changed.items())), markup=False)
    else:
        out.print(f"Nothing changed: all {changes.get('same', 0)} resources are as the program says.", markup=False)


@app.command(name="set")
def set_(key: str, value: str) -> None:
    """Change a setting of the stand-ins (settings.json); the plane reads it at once."""
    known = {str(field.alias): field for field in settings.Settings.model_fields.values()}
    if key not in known:
        meant = "\n".join(f"    {alias}: {field.description}" for alias, field in known.items())
        raise PlaneError(f"There is no setting {key!r}. These exist:\n{meant}")
    before = settings.read().model_dump(by_alias=True)
    try:
        path = settings.write(settings.Settings.model_validate_strings(_texts(before) | {key: value}))
    except ValidationError as error:
        raise PlaneError(f"{key} cannot be {value!r}: {error.errors()[0]['msg']}") from error
    _say(f"{key} = {value} ({path})")


@app.command(name="node-image")
def node_image(
    wait: Annotated[float, typer.Option(help="how long to wait for the machines, in seconds", min=1)] = 900,
) -> None:
    """Let the week's node image come now. Exit code 1 when a pool could not be brought to it, or time is up."""
    home = Home()
    if not _is_up(home):
        raise typer.Exit(1)
    from sandbox.azure.node_image import ask, outcomes  # as above
    from sandbox.azure.store import Store

    asked = ask(home)
    until = time.monotonic() + wait
    while (found := outcomes(Store(home.azure), asked)) is None:
        if time.monotonic() >= until:
            _say("The machines are still being reimaged; `python -m sandbox status` shows them.")
            raise typer.Exit(1)
        time.sleep(1)
    for cluster, pools in found.items():
        for pool, told in pools.items():
            out.print(f"{cluster} {pool}: {told}" if pool else f"{cluster}: {told}", markup=False)
    if any(told.startswith("Status=") for pools in found.values() for told in pools.values()):
        raise typer.Exit(1)


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}


def main(arguments: list[str] | None = None) -> int:
    """The command's exit code; every error is a clear text on stderr."""
    home = Home()
    try:
        app(arguments)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _say("Interrupted. What was started goes on: `python -m sandbox status` shows it, `... stop` ends it.")
        return int(end.code or 0)
    except (PlaneError, ToolchainError) as error:
        _say(str(error))
        return 1
    except Exception as error:
        log = home.log("command")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(traceback.format_exc())
        _say(f"{type(error).__name__}: {error}\nThis is a fault of the sandbox itself; {log} says where.")
        return 1
    return 0
