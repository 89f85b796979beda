"""A process that programs are forked from, and programs for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.languagehost import forked, warm

SECONDS = 60.0


def environment() -> dict[str, str]:
    """A program's, where nothing else is wanted."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@dataclass
class World:
    """One such process, its socket, and the programs' folder."""

    process: subprocess.Popen[bytes]
    folder: Path
    python: str

    @property
    def program(self) -> Path:
        return self.folder / "program"

    @property
    def place(self) -> Path:
        return self.folder / "warm.sock"

    def log(self) -> list[str]:
        return (self.folder / "warm.log").read_text().splitlines()

    def refusals(self) -> list[str]:
        """Why programs were not forked."""
        return [line for line in self.log() if line != "ready"]

    def script(self, text: str) -> Path:
        path = self.folder / f"script-{zlib.crc32(text.encode())}"
        path.write_text(text)
        return path

    async def start(self, script: Path, *arguments: str, **variables: str) -> forked.Forked | None:
        """The script's process; None where it was refused."""
        command, given = [str(script), *arguments], environment() | variables
        program = str(self.program)
        return await forked.fork(str(self.place), self.python, command, given, program, program)

    async def run(self, script: Path, *arguments: str, **variables: str) -> int:
        """How the script ended."""
        started = await self.start(script, *arguments, **variables)
        assert started is not None, self.refusals()
        return await started.wait()

    async def until_loaded(self, *modules: str) -> None:
        """Run a program that imports these, until a new one begins with all of them."""
        said = self.folder / "loaded"
        script = self.script(
            f"import sys\nopen({str(said)!r}, 'w').write(str(set({modules!r}) <= set(sys.modules)))\n"
            + "".join(f"import {module}\n" for module in modules)
        )
        deadline = time.monotonic() + SECONDS
        while await self.run(script) == 0 and said.read_text() != "True":
            assert time.monotonic() < deadline, f"{modules} are never loaded beforehand"


@contextmanager
def world(folder: Path, python: str = sys.executable) -> Iterator[World]:
    """The process, listening."""
    (folder / "program").mkdir(parents=True, exist_ok=True)
    with (folder / "warm.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-u", warm.__file__, "warm.sock"],
            cwd=folder, env=environment() | {"OF_THE_PARENT": "x"},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    made = World(process, folder, python)
    try:
        deadline = time.monotonic() + SECONDS
        while "ready" not in made.log():
            assert process.poll() is None, made.log()
            assert time.monotonic() < deadline, "it never listens"
            time.sleep(0.01)
        yield made
    finally:
        process.kill()
        process.wait()
