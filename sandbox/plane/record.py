"""`plane.json`: which processes and ports are this plane's, so that a crashed run can be cleaned up safely.

A process is known by its id *and* its start time: an id alone may belong to a stranger by the time it is read.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from sandbox.files import write_whole

Json = dict[str, Any]

CLOCK_SLACK = 2.0
"""Seconds by which two readings of one start time may differ: the kernel keeps it relative to the boot time, which
moves when the machine's clock is set. No process id comes round again that fast."""

ASKED = 10.0
"""Seconds a leftover process gets to end after SIGTERM."""


@dataclass(frozen=True)
class Running:
    """One process: its id and its start time in seconds since the epoch."""

    pid: int
    started: float

    @staticmethod
    def of(pid: int) -> Running:
        """The process with this id now. Raises `psutil.NoSuchProcess`."""
        return Running(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The live process, or None when it ended (whoever may have its id now)."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < CLOCK_SLACK
        except psutil.NoSuchProcess:
            return None
        return found if same and not has_ended(found) else None


class Record:
    """The file. One process at a time writes it: the supervisor while it lives, then whoever cleans up after it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _read(self) -> Json:
        try:
            content = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            return {}  # written whole or not at all: a torn file is a foreign one and holds nothing of ours
        return content if isinstance(content, dict) else {}

    def _write(self, content: Json) -> None:
        write_whole(self.path, json.dumps(content, indent=2) + "\n")

    def processes(self) -> dict[str, Running]:
        """Every recorded child by name; whether it still lives is another question."""
        return {name: Running(**entry) for name, entry in self._read().get("processes", {}).items()}

    def add(self, name: str, running: Running) -> None:
        content = self._read()
        content.setdefault("processes", {})[name] = asdict(running)
        self._write(content)

    def remove(self, name: str) -> None:
        content = self._read()
        if content.get("processes", {}).pop(name, None) is not None:
            self._write(content)

    @property
    def supervisor(self) -> Running | None:
        entry = self._read().get("supervisor")
        return Running(**entry) if entry else None

    @property
    def providers(self) -> dict[str, int]:
        """The port of each provider stand-in; empty until the plane is ready."""
        return dict(self._read().get("providers", {}))

    def begin(self, supervisor: Running) -> None:
        """A new run: nothing but its supervisor is there yet."""
        self._write({"supervisor": asdict(supervisor), "providers": {}, "processes": {}})

    def ready(self, providers: dict[str, int]) -> None:
        self._write(self._read() | {"providers": providers})

    def fail(self, reason: str) -> None:
        """The plane could not be brought up, in words for the person who started it."""
        self._write(self._read() | {"failed": reason})

    @property
    def failed(self) -> str | None:
        reason = self._read().get("failed")
        return str(reason) if reason is not None else None

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)

    def leftovers(self) -> dict[str, psutil.Process]:
        """Recorded children that still live."""
        return {name: live for name, entry in self.processes().items() if (live := entry.process()) is not None}


def has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more. A zombie has ended too: some machines' first process reaps orphans only now and then."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end(process: psutil.Process, grace: float = ASKED) -> bool:
    """Ask the process to end and wait; whether `grace` (seconds) was enough. If not, it is killed."""
    with contextlib.suppress(psutil.NoSuchProcess):  # then it has ended
        process.terminate()
    if _wait(process, grace):
        return True
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
    _wait(process, grace)
    return False


def _wait(process: psutil.Process, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not has_ended(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def clean(record: Record) -> int:
    """End what a crashed run left, and forget it; how many processes there were."""
    leftovers = list(record.leftovers().values())
    for process in reversed(leftovers):  # one by one: an API server whose etcd is gone takes long to end
        end(process)
    record.clear()
    return len(leftovers)
