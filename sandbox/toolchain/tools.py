"""One folder with every program of the plane, for one entry on PATH."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.cache import made_once
from sandbox.home import CHECKOUT, user_cache
from sandbox.toolchain import build, go, stock
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.programs import Program, go_needed, programs
from sandbox.toolchain.report import Report

LANGUAGE_HOST = "pulumi-language-python"
HOST = CHECKOUT / "sandbox" / "languagehost"
START = f"""\
import sys
from {HOST.name}.lean import messages_only
messages_only()
from {HOST.name}.host import main
sys.exit(main())
"""
"""The language host's script: the folder it lies in, which Python looks into first, has the host beside it."""


@dataclass(frozen=True)
class Tools:
    """A folder of executables."""

    bin: Path

    @property
    def warm(self) -> Path:
        """What programs are forked from; it is not there beside a stock engine, which brings its own host."""
        return self.bin / HOST.name / "warm.py"

    def path(self, name: str) -> Path:
        """The executable `name`. Raises `ToolchainError` for one the toolchain does not have."""
        found = self.bin / name
        if not os.access(found, os.X_OK):
            has = sorted(file.name for file in self.bin.iterdir() if file.is_file() and os.access(file, os.X_OK))
            raise ToolchainError(f"The toolchain has no {name}; it has: {', '.join(has)}")
        return found


def ensure(report: Report) -> Tools:
    """All programs of the plane; what the cache lacks is built, with progress on `report`.

    A `pulumi` or `kubectl` on PATH that is recent enough is used instead. Raises `ToolchainError`.
    """
    wanted = programs()
    found = {program.name: path for program in wanted if (path := stock.find(program)) is not None}
    own = [program for program in wanted if program.name not in found]
    try:
        return Tools(_assembled(found | _built(own, report), report))
    except OSError as error:
        raise ToolchainError(
            f"The programs could not be put into {user_cache()}: {error}\n"
            "SM_SANDBOX_CACHE names another folder; about 1 GB is needed there."
        ) from error


def _built(own: list[Program], report: Report) -> dict[str, Path]:
    """The executables of `own`, and the engine's executor script when the engine is among them."""
    lacking = build.missing(own)
    if lacking:
        report.note(
            f"Building {len(lacking)} of {len(own)} programs from source, once per user: "
            "about 10 min on two cores with nothing cached, 1 min with a warm Go cache."
        )
    compiler = cache(lambda: go.find(max(go_needed(program.go_mod) for program in own), report))
    built = {program.name: build.cached(program) for program in own}
    for number, program in enumerate(lacking, start=1):
        build.build(program, compiler, f"{program.name} ({number} of {len(lacking)})", report)
    for program in own:
        if program.name == "pulumi":
            built[build.EXECUTOR] = build.executor(program, compiler, report)
    return built


def launcher(interpreter: str, script: Path) -> str:
    """The language host's executable: its script, run by the interpreter that has the SDK."""
    return f'#!/bin/sh\nexec {shlex.quote(interpreter)} {shlex.quote(str(script))} "$@"\n'


def _assembled(executables: dict[str, Path], report: Report) -> Path:
    """The folder of links for exactly these executables, made once."""
    said = "\n".join([f"{name}={path}" for name, path in sorted(executables.items())] + [sys.executable])
    host = sorted(HOST.glob("*.py"))
    key = hashlib.sha256(b"".join([said.encode(), START.encode(), *(file.read_bytes() for file in host)])).hexdigest()

    def make(folder: Path) -> None:
        for name, path in executables.items():
            (folder / name).symlink_to(path)
        if build.EXECUTOR in executables:
            # The engine looks for its language host in the folder its own executable is really in: no symbolic link.
            (folder / "pulumi").unlink()
            (folder / "pulumi").hardlink_to(executables["pulumi"])
            (folder / HOST.name).mkdir()
            for file in host:
                shutil.copyfile(file, folder / HOST.name / file.name)
            script = folder / f"{LANGUAGE_HOST}.py"
            script.write_text(START)
            (folder / LANGUAGE_HOST).write_text(launcher(sys.executable, script))
            (folder / LANGUAGE_HOST).chmod(0o755)

    return made_once(
        user_cache() / f"tools-{key[:12]}", make, lambda: report.note("Waiting for another process's tools")
    )
