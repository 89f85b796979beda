"""A real nginx, run as the controller in a pod runs it (internal/nginx/manager.go): start, reload, quit.

Only here are seconds divided by the factor of a run: what is rendered keeps those of the objects.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

import psutil

from sandbox.ingress.rendering import MAIN, VERSION, Place, Rendered, version
from sandbox.ingress.routing import NotLoadedError

RELOAD_SECONDS = 60
"""How long the controller waits for a worker with the new configuration (`-nginx-reload-timeout`, 60000 ms)."""

POLL_SECONDS = 0.01
STOPPING = "is shutting down"


class Nginx:
    """One nginx: a master and its workers, with files of its own."""

    def __init__(self, program: Path, place: Place, factor: float = 1.0) -> None:
        self._program, self._place, self._factor = program, place, factor
        self._process: asyncio.subprocess.Process | None = None
        self._version = 0
        self._log = Path(place.lib) / "log"

    @property
    def log(self) -> str:
        """What master and workers have said, requests among it."""
        return self._log.read_text(errors="replace")

    @property
    def workers(self) -> dict[int, bool]:
        """The workers there are, by pid, and whether each has been told to stop."""
        found: dict[int, bool] = {}
        for process in self._children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                found[process.pid] = STOPPING in " ".join(process.cmdline())
        return found

    def _children(self) -> list[psutil.Process]:
        if self._process is None or self._process.returncode is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []

    async def start(self, rendered: Rendered) -> None:
        """Returns when a worker answers. Raises `NotLoadedError`."""
        self._write(rendered)
        self._sweep()
        await self._command("-t")
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments(), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        await self._answers()

    async def reload(self, rendered: Rendered) -> None:
        """Returns when a worker with the new configuration answers; the old ones may not have been told to stop yet.

        Raises `NotLoadedError`; what was loaded before is served on then.
        """
        self._write(rendered)
        await self._command("-s", "reload")
        await self._answers()

    async def quit(self) -> None:
        """As the controller at SIGTERM: nginx ends by itself, when the last of its workers has."""
        await self._command("-s", "quit")

    async def ended(self) -> int:
        """Wait for the end; the exit code, below zero for a signal."""
        return await self._process.wait() if self._process is not None else 0

    async def told(self, workers: set[int]) -> None:
        """Wait until each of these workers is shutting down or gone."""
        await _until(lambda: all(stopping for pid, stopping in self.workers.items() if pid in workers))

    async def left(self, workers: set[int], number: int) -> None:
        """Wait until so many of these workers are left: one without a session goes as soon as it is told."""
        await _until(lambda: len(workers & self.workers.keys()) == number)

    async def gone(self, workers: set[int]) -> None:
        """Wait until none of these workers is left."""
        await self.left(workers, 0)

    async def kill(self) -> None:
        """As a container is killed: all of it at once."""
        if self._process is None:
            return
        children = self._children()
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        await self._process.wait()

    def _sweep(self) -> None:
        """Sockets of a container that was killed: its folder outlives it (their pull request 8455)."""
        for left in Path(self._place.lib).glob("*.sock"):
            left.unlink()

    def _write(self, rendered: Rendered) -> None:
        self._version += 1
        etc = Path(self._place.etc)
        files = rendered.divided(self._factor) | {VERSION: version(self._version, self._place)}
        for folder in (etc / "conf.d", etc / "secrets", Path(self._place.lib)):
            folder.mkdir(parents=True, exist_ok=True)
        for old in (etc / "conf.d").iterdir():
            if f"conf.d/{old.name}" not in files:
                old.unlink()
        for name, content in files.items():
            path = etc / name
            path.touch(mode=0o600)
            path.write_text(content)

    def _arguments(self) -> list[str]:
        # the program's own folders for temporary files lie below its prefix
        return [str(self._program), "-p", f"{self._place.lib}/", "-c", f"{self._place.etc}/{MAIN}", "-e", "stderr"]

    async def _command(self, *more: str) -> None:
        """Raises `NotLoadedError`: every command reads the configuration first."""
        process = await asyncio.create_subprocess_exec(
            *self._arguments(), *more,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise NotLoadedError(said.decode(errors="replace"))

    async def _answers(self) -> None:
        async with asyncio.timeout(RELOAD_SECONDS):
            while await self._loaded(self._place.version_socket) != self._version:
                if self._process is not None and self._process.returncode is not None:
                    raise NotLoadedError(self.log)
                await asyncio.sleep(POLL_SECONDS)

    @staticmethod
    async def _loaded(socket: str) -> int | None:
        """The version of the configuration of a worker that takes connections."""
        try:
            reader, writer = await asyncio.open_unix_connection(socket)
        except OSError:
            return None
        try:
            writer.write(b"GET /configVersion HTTP/1.0\r\n\r\n")
            answer = await reader.read()
        except OSError:
            return None
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        number = answer.rpartition(b"\r\n\r\n")[2]
        return int(number) if number.isdigit() else None


async def _until(condition: Callable[[], bool]) -> None:
    """nginx tells nobody when a worker stops: it has to be looked at."""
    while True:
        if condition():
            return
        await asyncio.sleep(POLL_SECONDS)
