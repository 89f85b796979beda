"""The engine's commands on one plane, with a stack file of its own: the checkout's stays as it is."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import JsonValue

from sandbox import recover
from sandbox.drill.overlay import PROJECT, laid_over
from sandbox.files import write_whole
from sandbox.home import CHECKOUT, Home
from sandbox.plane.errors import PlaneError
from sandbox.toolchain import Tools
from sandbox.up import STACK

Json = dict[str, Any]

BASE = CHECKOUT / "stacks" / f"Pulumi.{STACK}.yaml"
"""The stack file every scenario begins with."""

WITHIN = 900.0
"""Seconds one command gets."""
LOOKS = 0.05
"""Seconds between two looks at the engine's log of events."""
SHOWN = 40
"""Lines of a command's output that are told when it went wrong."""


class EngineError(PlaneError):
    """A command did not end as it should."""


@dataclass
class Engine:
    """One stack on one plane."""

    home: Home
    tools: Tools
    environment: Mapping[str, str]
    stack: str = STACK
    seconds: float = 0.0
    """How long its commands have run, all together."""
    _document: Json = field(default_factory=dict)

    @property
    def stack_file(self) -> Path:
        return self.home.root / f"Pulumi.{self.stack}.yaml"

    def begin(self, *overlays: Mapping[str, JsonValue]) -> None:
        """The configuration from here on: the sandbox's stack file with these laid over it."""
        self._document = begun_with(*overlays)
        self._write()

    @property
    def document(self) -> Json:
        """The stack file as it is now."""
        return self._document

    @property
    def pools(self) -> Json | None:
        """What the configuration says of the pools; None before there is one."""
        found: Json | None = self._document.get("config", {}).get(f"{PROJECT}:pools")
        return found

    def change(self, overlay: Mapping[str, JsonValue]) -> Json:
        """Lay it over what there is; what there was, for `put_back`."""
        before = self._document
        self._document = laid_over(before, overlay)
        self._write()
        return before

    def put_back(self, document: Json) -> None:
        self._document = document
        self._write()

    def _write(self) -> None:
        write_whole(self.stack_file, yaml.safe_dump(self._document, sort_keys=False))

    async def up(self, *options: str) -> str:
        """`pulumi up`; what a killed one has left is mended first. Raises `EngineError`."""
        await asyncio.to_thread(self._mend)
        return await self._succeeds("up", "--yes", "--skip-preview", *options)

    async def refused(self) -> str:
        """What `pulumi up` says when it fails. Raises `EngineError` when it does not."""
        return await self._fails("up", "--yes")

    async def destroy_refused(self) -> str:
        """What `pulumi destroy` says when it fails. Raises `EngineError` when it does not."""
        return await self._fails("destroy", "--yes", "--run-program")

    async def preview(self) -> list[Json]:
        """The steps of a preview, with what each resource is and would be. Raises `EngineError`."""
        said = await self._succeeds("preview", "--json")
        steps = json.loads(said[said.index("{") :])["steps"]
        assert isinstance(steps, list)
        return steps

    async def killed(self, at: str) -> None:
        """`pulumi up`, killed once it has begun the step of the resource of that name. Raises `EngineError`."""
        log = self.home.root / "events"
        log.unlink(missing_ok=True)
        process = await self._start("up", "--yes", "--skip-preview", "--event-log", str(log))
        out = asyncio.create_task(process.communicate())
        try:
            async with asyncio.timeout(WITHIN):
                while at not in begun(log):
                    if process.returncode is not None:
                        said = (await out)[0].decode()
                        raise EngineError(f"`pulumi up` ended before it had begun {at}:\n{last(said)}")
                    await asyncio.sleep(LOOKS)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await out

    def _mend(self) -> None:
        recover.free_lock(self.home, self.stack, lambda _: None)
        recover.whole_files(self.home, self.stack, lambda _: None)
        stack = recover.Stack(str(self.tools.path("pulumi")), self.stack, self.environment, self.home.root)
        recover.mend(self.home, stack, lambda _: None)

    async def export(self) -> Json:
        """The stack's state. Raises `EngineError`."""
        said = await self._succeeds("stack", "export")
        found: Json = json.loads(said[said.index("{") :])
        return found

    async def select(self) -> None:
        """The stack, made if need be. Raises `EngineError`.

        From a folder of the plane's: beside a project the engine writes a stack file for a stack that has none.
        """
        project = {"name": PROJECT, "runtime": "python"}
        write_whole(self.home.root / "Pulumi.yaml", yaml.safe_dump(project))
        await self._succeeds("stack", "--cwd", str(self.home.root), "select", "--create")

    async def _succeeds(self, *arguments: str) -> str:
        code, out = await self._run(*arguments)
        if code != 0:
            raise EngineError(f"`pulumi {arguments[0]}` exited {code}: {why(out)}\n{last(out)}")
        return out

    async def _fails(self, *arguments: str) -> str:
        code, out = await self._run(*arguments)
        if code == 0:
            raise EngineError(f"`pulumi {arguments[0]}` should have been refused, and was not:\n{last(out)}")
        return out

    async def _run(self, *arguments: str) -> tuple[int, str]:
        began = time.monotonic()
        process = await self._start(*arguments)
        try:
            async with asyncio.timeout(WITHIN):
                out, _ = await process.communicate()
        except TimeoutError as late:
            raise EngineError(f"`pulumi {arguments[0]}` took more than {WITHIN:.0f} s") from late
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            self.seconds += time.monotonic() - began
        assert process.returncode is not None
        return process.returncode, out.decode()

    async def _start(self, command: str, *arguments: str) -> asyncio.subprocess.Process:
        own = [] if command == "stack" else ["--config-file", str(self.stack_file)]
        return await asyncio.create_subprocess_exec(
            self.tools.path("pulumi"), "--non-interactive", command, *arguments, "--stack", self.stack, *own,
            cwd=CHECKOUT,
            env={**self.environment, "PULUMI_DEBUG_COMMANDS": "true"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip


def begun_with(*overlays: Mapping[str, JsonValue]) -> Json:
    """The sandbox's stack file with these laid over it."""
    document: Json = yaml.safe_load(BASE.read_text())
    for each in overlays:
        document = laid_over(document, each)
    return document


def begun(log: Path) -> set[str]:
    """Logical names of the resources whose steps an engine's log of events says have begun and change something."""
    if not log.exists():
        return set()
    names = set()
    for line in log.read_text().splitlines(keepends=True):
        if line.endswith("\n") and "resourcePreEvent" in (event := json.loads(line)):
            meta = event["resourcePreEvent"]["metadata"]
            if meta["op"] != "same":
                names.add(meta["urn"].rsplit("::", 1)[1])
    return names


def last(said: str) -> str:
    """The last lines of an output, without the empty ones."""
    lines = [line for line in said.splitlines() if line.strip()]
    return "\n".join(lines[-SHOWN:])


def why(said: str) -> str:
    """The first line of an output that tells an error and is no mere heading; else its first one."""
    told = [line.partition("error: ")[2] for line in said.splitlines() if "error: " in line]
    return next((line for line in told if not line.startswith("update failed")), "see below")
