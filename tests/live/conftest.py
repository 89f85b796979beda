"""One platform for all live tests: a fresh copy of the checkout, stood up by `make up` as a newcomer would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from sandbox.home import Home
from sandbox.plane.ports import is_free
from sandbox.plane.record import Record, Running
from tests.yaml_file import read_yaml

Json = dict[str, Any]
CHECKOUT = Path(__file__).resolve().parents[2]
STACK = "sandbox"
SECONDS = 900
"""Until a live test is given up."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A live test waits for whole updates, beside other planes: longer than any other test may take."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(SECONDS))


@dataclass(frozen=True)
class Platform:
    """A standing platform: where its checkout is, and the environment `python -m sandbox env` gives."""

    checkout: Path
    environment: dict[str, str]
    first_up: str
    """What `make up` printed."""

    def run(self, *command: str, fails: bool = False, timeout: float = 600) -> str:
        """Run a command in the checkout; its output. `fails` says that it must not succeed."""
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
        assert (done.returncode != 0) == fails, told(command, done)
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        return self.run("pulumi", "--non-interactive", *arguments, "--stack", STACK, fails=fails)

    @property
    def saving_once(self) -> Platform:
        """The same, its engine writing the state at the end of an update and not for each step.

        An update of hundreds of objects takes a third of the time. What one that is cut off leaves is shown elsewhere.
        """
        return replace(self, environment=self.environment | {"PULUMI_SKIP_CHECKPOINTS": "true"})

    def sandbox(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "sandbox", *arguments)

    def kubectl(self, *arguments: str) -> str:
        return self.run("kubectl", *arguments)

    def output(self, name: str) -> str:
        return self.pulumi("stack", "output", name).strip()

    def objects(self, kind: str, *arguments: str) -> list[Json]:
        items = json.loads(self.kubectl("get", kind, "-A", "-o", "json", *arguments))["items"]
        assert isinstance(items, list)
        return items

    def steps(self, *arguments: str) -> dict[str, str]:
        """What a preview would do: `urn -> operation`, without what stays the same."""
        out = self.pulumi("preview", "--json", *arguments)
        steps = json.loads(out[out.index("{") :])["steps"]
        return {step["urn"]: step["op"] for step in steps if step["op"] != "same"}

    def keep_secrets(self, contents: Mapping[str, str]) -> None:
        """Encrypt these in the stack file, by key without the project's name: all at once, a command takes a while."""
        if contents:
            given = [part for key, text in contents.items() for part in ("--secret", f"{key}={text}")]
            self.pulumi("config", "set-all", *given)

    def update(self, *arguments: str) -> tuple[dict[str, str], str]:
        """Bring the stack up: what was done, as `urn -> operation` without what stayed the same, and what was said."""
        with tempfile.TemporaryDirectory() as folder:
            events = Path(folder) / "events"
            logging = replace(self, environment=self.environment | {"PULUMI_DEBUG_COMMANDS": "true"})
            said = logging.pulumi("up", "--yes", "--skip-preview", "--event-log", str(events), *arguments)
            logged = [json.loads(line) for line in events.read_text().splitlines()]
        steps = [event["resourcePreEvent"]["metadata"] for event in logged if "resourcePreEvent" in event]
        return {step["urn"]: step["op"] for step in steps if step["op"] != "same"}, said

    def state(self) -> Json:
        deployment = json.loads(self.pulumi("stack", "export"))["deployment"]
        assert isinstance(deployment, dict)
        return deployment

    def pending(self) -> list[str]:
        """What the state still owes: deletes not done and operations not finished."""
        state = self.state()
        deletes = [r["urn"] for r in state.get("resources", []) if r.get("delete")]
        return deletes + [o["resource"]["urn"] for o in state.get("pending_operations") or []]

    def stack_config(self) -> Json:
        """What the stack file of this copy says."""
        config = read_yaml(self.checkout / "stacks" / f"Pulumi.{STACK}.yaml")["config"]
        assert isinstance(config, dict)
        return config

    def configure(self, change: Callable[[Json], None]) -> None:
        """Edit the stack file of this copy."""
        path = self.checkout / "stacks" / f"Pulumi.{STACK}.yaml"
        document = read_yaml(path)
        change(document["config"])
        path.write_text(yaml.safe_dump(document, sort_keys=False))


def told(command: tuple[str, ...], done: subprocess.CompletedProcess[str]) -> str:
    """All that a command said; its errors once more at the end, where a log that was cut still has them."""
    lines = done.stdout.splitlines()
    errors = [line for at, line in enumerate(lines) if any("error:" in near for near in lines[max(0, at - 3) : at + 1])]
    return "\n".join([f"{' '.join(command)} exited {done.returncode}:", *lines, "Its errors:", *errors])


def plain_environment() -> dict[str, str]:
    """This process's own, without what points at a plane."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "SM_SANDBOX_HOME", "MAKE"))}


def shell_exports(text: str) -> dict[str, str]:
    """The environment of a shell that has evaluated `text`."""
    out = subprocess.run(["bash", "-c", f"{text}\nenv -0"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in out.split("\0") if "=" in line)


def copied_checkout(folder: Path) -> Path:
    """A fresh copy of this checkout in a folder: what git has of it, as it is now."""
    checkout = folder / "sm-realtime"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    for name in listed.splitlines():
        if (CHECKOUT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, checkout / name)
    return checkout


@contextmanager
def started(folder: Path) -> Iterator[Platform]:
    """A started plane with an empty stack, in a copy of this checkout; it goes down afterwards."""
    bare = Platform(copied_checkout(folder), plain_environment(), "")
    try:
        bare.sandbox("start")
        plane = Platform(bare.checkout, bare.environment | shell_exports(bare.sandbox("env")), "")
        plane.pulumi("stack", "select", "--create")
        yield plane
    finally:
        bare.sandbox("down")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    checkout = copied_checkout(tmp_path_factory.mktemp("clone"))
    bare = Platform(checkout, plain_environment(), "")
    try:
        first_up = bare.run("make", "up", timeout=900)
        exports = bare.run("make", "--silent", "env")
        yield Platform(checkout, shell_exports(exports), first_up)
    finally:
        take_down(bare)


@dataclass(frozen=True)
class Footprint:
    """What a plane has on this machine, by its own record: nothing else tells its supervisor from another's."""

    processes: dict[str, Running]
    ports: frozenset[int]

    @staticmethod
    def of(home: Home) -> Footprint:
        record = Record(home.plane)
        supervisor = {"supervisor": record.supervisor} if record.supervisor else {}
        files = [home.root / "ports.json", *home.root.glob("clusters/*/ports.json")]
        ports = {port for path in files if path.exists() for port in json.loads(path.read_text()).values()}
        return Footprint(record.processes() | supervisor, frozenset(ports))

    def left(self) -> list[str]:
        """What of it is there still."""
        alive = [f"{name} ({running.pid})" for name, running in self.processes.items() if running.process()]
        return alive + [f"port {port}" for port in sorted(self.ports) if not is_free(port)]


def take_down(bare: Platform) -> None:
    """`make down`, after which nothing may be left of what ran: by the plane's record, by path, by file."""
    home = Home(bare.checkout / ".sandbox")
    noted = Footprint.of(home)
    assert not noted.processes or noted.left(), "what cannot be seen while it runs cannot be missed afterwards"
    bare.run("make", "down")
    assert not noted.left(), f"still there after `make down`: {noted.left()}"
    of_checkout = [p.info for p in psutil.process_iter(["pid", "cmdline"])
                   if str(bare.checkout) in " ".join(p.info["cmdline"] or [])]  # fmt: skip
    assert not of_checkout, f"still running after `make down`: {of_checkout}"
    assert not home.root.exists(), sorted(home.root.iterdir())
