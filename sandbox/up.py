"""Run the program on the local plane with the real engine."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping

from sandbox import recover
from sandbox.cache import locked
from sandbox.home import CHECKOUT, Home
from sandbox.plane.errors import PlaneError
from sandbox.toolchain import Tools

Say = Callable[[str], None]

STACK = "sandbox"


def deploy(home: Home, tools: Tools, environment: Mapping[str, str], say: Say) -> dict[str, int]:
    """`pulumi up` with its output shown; how many resources it created, updated, deleted, and left ("same").

    What an earlier update that was killed has left is mended first. Raises `PlaneError` when the engine refuses or
    fails.
    """
    with locked(home.root / "update.lock", lambda: say("Another `make up` runs on this plane; waiting for it")):
        return _deploy(home, tools, environment, say)


def _deploy(home: Home, tools: Tools, environment: Mapping[str, str], say: Say) -> dict[str, int]:
    recover.free_lock(home, STACK, say)
    recover.whole_files(home, STACK, say)
    engine = str(tools.path("pulumi"))
    select = [engine, "stack", "select", "--create", STACK, "--non-interactive"]
    done = subprocess.run(select, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PlaneError(f"{_shown(select)} failed:\n{done.stdout}{done.stderr}".rstrip())
    recover.mend(home, recover.Stack(engine, STACK, environment, home.root), say)
    update = [engine, "up", "--yes", "--skip-preview", "--stack", STACK]
    if _run_shown(update, environment) != 0:
        raise PlaneError(
            f"{_shown(update)} failed: its messages are above.\n"
            "Once mended, `make up` goes on from here; so it does after the engine or the plane was killed.\n"
            f"What Azure and the cluster said: {home.log('supervisor')}, {home.log('kubernetes')}"
        )
    return _changes(engine, environment)


def output(name: str, tools: Tools, environment: Mapping[str, str]) -> str:
    """An output of the stack; empty where it has none of this name. Raises `PlaneError`."""
    command = [str(tools.path("pulumi")), "stack", "output", "--stack", STACK, "--json"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PlaneError(f"{_shown(command)} failed:\n{done.stderr}".rstrip())
    return str(json.loads(done.stdout).get(name) or "")


def _run_shown(command: list[str], environment: Mapping[str, str]) -> int:
    """Run with the terminal's own output; Ctrl-C is left to the command, which then ends in good order."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.Popen(command, cwd=CHECKOUT, env=environment).wait()
    finally:
        signal.signal(signal.SIGINT, before)


def _changes(engine: str, environment: Mapping[str, str]) -> dict[str, int]:
    """What the newest update of the stack did, by kind of step. Raises `PlaneError`."""
    history = [engine, "stack", "history", "--stack", STACK, "--json", "--page-size", "1", "--page", "1"]
    done = subprocess.run(history, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PlaneError(f"{_shown(history)} failed:\n{done.stderr}".rstrip())
    updates = json.loads(done.stdout)
    return dict(updates[0].get("resourceChanges") or {}) if updates else {}


def _shown(command: list[str]) -> str:
    return shlex.join(["pulumi", *command[1:]])
