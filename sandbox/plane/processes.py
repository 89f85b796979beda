"""Child processes: started with a log of their own, recorded, restarted when they die, ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.files import full
from sandbox.plane.errors import PlaneError
from sandbox.plane.record import Record, Running

# Held until its id is on record: when the parent dies before that, `read` meets the end of its input and the child
# goes too, so that no process is ever unknown.
_HELD = 'read -r go && exec "$0" "$@" </dev/null'

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a child that died is started again: doubled at each death."""

STEADY = 60.0
"""Seconds after which a child counts as steady and its next death is a first one again."""


_FULL = "no space left on device"
_FRAME = re.compile(r"goroutine \d+ |\t+/|\s*$|created by |[\w./*()\[\]{}-]+\(.*\)( in goroutine \d+)?$|exit status")
"""Lines of a Go program's stack: what it said before them is what matters."""


@dataclass(frozen=True)
class Program:
    """One program to run: `name` is also its log's."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    grace: float = 10.0
    """Seconds between SIGTERM and SIGKILL."""


@dataclass
class _Child:
    program: Program
    process: asyncio.subprocess.Process
    since: float
    deaths: int = 0
    keeper: asyncio.Task[None] | None = None
    spawning: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a new process takes the place of a dead one, so that stopping meets the one or the other."""


class Children:
    """The children of this process. All methods belong to one event loop."""

    def __init__(
        self, record: Record, log: Callable[[str], Path], say: Callable[[str], None], prefix: str = ""
    ) -> None:
        """`log` gives the log file of a program's name; `say` takes events for the parent's own log; `prefix` goes
        before the names on record."""
        self._record, self._log, self._say, self._prefix = record, log, say, prefix
        self._children: dict[str, _Child] = {}

    async def start(self, program: Program) -> None:
        """Start the program and keep it running. Raises `PlaneError` when one of this name runs, and `OSError`."""
        if program.name in self._children:
            raise PlaneError(f"{program.name} runs already")
        child = _Child(program, await self._spawn(program), time.monotonic())
        self._children[program.name] = child
        child.keeper = asyncio.create_task(self._keep(child), name=f"keeper of {program.name}")

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        path = self._log(program.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", _HELD, *program.command, cwd=program.folder, env=dict(program.environment),
                stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        assert process.stdin is not None
        try:
            self._record.add(self._prefix + program.name, Running.of(process.pid))
        except BaseException:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                process.kill()
            await process.wait()
            raise
        process.stdin.write(b"go\n")
        process.stdin.close()
        return process

    async def _keep(self, child: _Child) -> None:
        while True:
            code = await child.process.wait()
            lived = time.monotonic() - child.since
            child.deaths = 1 if lived > STEADY else child.deaths + 1
            name = child.program.name
            ended, pause = f"{name} ended with {code} after {lived:.0f} s", _pause(child)
            self._say(f"{ended}; started again in {pause:g} s (see {self._log(name)})")
            await asyncio.sleep(pause)
            await self._again(child)

    async def _again(self, child: _Child) -> None:
        """Put a new process in the dead one's place, however often that fails, on a full disk for example."""
        while True:
            async with child.spawning:
                try:
                    child.process, child.since = await self._spawn(child.program), time.monotonic()
                    return
                except OSError as error:
                    child.deaths += 1
                    why = f"{child.program.name} could not be started again ({error})"
            self._say(f"{why}; the next try is in {_pause(child):g} s")
            await asyncio.sleep(_pause(child))

    async def until(
        self, condition: Callable[[], Awaitable[bool]], names: Sequence[str], what: str, timeout: float
    ) -> None:
        """Wait until `condition` holds.

        Raises `PlaneError` when one of the children `names` dies first, or when `timeout` (seconds) runs out; `what`
        says in that case what was not ready.
        """
        deadline, pause = time.monotonic() + timeout, 0.02
        deaths = {name: self._children[name].deaths for name in names}
        while not await condition():
            for name in names:
                if self._children[name].deaths > deaths[name]:
                    raise PlaneError(f"{name} ended while it started.\n{self.tail(name)}")
            if time.monotonic() > deadline:
                raise PlaneError(f"{what} not ready within {timeout:.0f} s.\n{self.tail(names[0])}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.2)

    def tail(self, name: str, lines: int = 8) -> str:
        """The end of a child's log, and where the rest is."""
        path = self._log(name)
        said = path.read_text(errors="replace").splitlines() if path.exists() else []
        text = [line for line in said if not _FRAME.match(line)][-lines:]
        cause = [full(path.parent)] if any(_FULL in line for line in text) else []
        return "\n".join([*cause, f"The end of {path}:", *(f"    {line[:300]}" for line in text)])

    async def stop(self) -> None:
        """End all children, the last started first; returns when none is left."""
        for child in reversed(self._children.values()):
            async with child.spawning:
                if child.keeper is not None:
                    child.keeper.cancel()
                    await asyncio.wait([child.keeper])
            await self._end(child)
        self._children.clear()

    async def _end(self, child: _Child) -> None:
        process, name = child.process, child.program.name
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), child.program.grace)
            except TimeoutError:
                self._say(f"{name} did not end within {child.program.grace:g} s and was killed")
                process.kill()
                await process.wait()
        try:
            self._record.remove(self._prefix + name)
        except OSError as error:  # it stays on record as one that has ended
            self._say(f"the record of {name} could not be removed: {error}")


def _pause(child: _Child) -> float:
    """Seconds until a child that died, or could not be started, is tried again."""
    return min(SHORTEST_PAUSE * 2.0 ** min(child.deaths - 1, 16), LONGEST_PAUSE)
