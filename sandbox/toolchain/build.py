"""Builds one program into the user cache: whole or not at all, once, by whoever comes first."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sandbox.cache import locked
from sandbox.home import user_cache
from sandbox.toolchain import go
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.programs import Program, required
from sandbox.toolchain.report import Report, Step

SDK = "github.com/pulumi/pulumi/sdk/v3"
EXECUTOR = "pulumi-language-python-exec"
"""The script that runs a Python program under the engine; it comes with the engine's SDK module."""


Compiler = Callable[[], str]
"""Finds the path of `go`, fetching it if need be; called only when something has to be built."""


def cached(program: Program) -> Path:
    """Where the cache keeps a program's executable. It is there only when it is complete."""
    return user_cache() / f"bin-{program.key()}" / program.name


def missing(programs: list[Program]) -> list[Program]:
    """The programs the cache lacks."""
    return [program for program in programs if not cached(program).is_file()]


def command(compiler: str, program: Program, output: Path) -> list[str]:
    """The `go build` of a program, to be run in its module's folder."""
    flags = ["-trimpath", "-ldflags", program.linker_flags, "-o", str(output)]
    return [compiler, "build", "-v", *flags, program.package]


def retrace(arguments: list[str], program: Program) -> str:
    """What a person types to see a failed Go command again."""
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in go.SETTINGS.items())
    return f"See it again with:\n  cd {shlex.quote(str(program.module))} && {settings} {shlex.join(arguments)}"


def _cause(output: str) -> str:
    text = output.lower()
    if "no space left" in text or "disk quota" in text:
        return (
            "The disk is full (about 4 GB of Go cache and 1 GB of programs are needed). "
            "Free some, or point SM_SANDBOX_CACHE and GOCACHE elsewhere.\n"
        )
    if any(sign in text for sign in ("dial tcp", "no such host", "i/o timeout", "connection refused")):
        return "The Go module proxy could not be reached: check the network, or set GOPROXY.\n"
    if "missing go.sum entry" in text or "updates to go.mod needed" in text:
        return "go.mod and go.sum are not tidy: run `go mod tidy` in that folder.\n"
    return ""


def _run(arguments: list[str], program: Program, log: Path, step: Step) -> None:
    """Run `go build`, count what it compiles, keep its output. Raises `ToolchainError` with the way to see it again."""
    lines: list[str] = []
    fetched = 0
    with (
        log.open("w") as kept,
        subprocess.Popen(
            arguments,
            cwd=program.module,
            env=go.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.append(line)
                kept.write(line)
                fetched += line.startswith("go: downloading")
                step.detail(f"{fetched} modules fetched, {len(lines) - fetched} packages compiled")
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        tail = "".join(f"  {line}" for line in lines[-8:])
        raise ToolchainError(
            f"{program.name} could not be built: go exited {process.returncode}.\n{tail}"
            f"{_cause(''.join(lines))}Log: {log}\n" + retrace(command(arguments[0], program, Path(os.devnull)), program)
        )


def _put(target: Path, make: Callable[[Path], None], report: Report) -> Path:
    """`target` as `make(temporary)` makes it; it gets its name only when it is whole."""
    if target.is_file():
        return target
    name = target.name
    on_wait = partial(report.note, f"{name} is being built by another process; waiting for it")
    with locked(target.with_name(f"{name}.lock"), on_wait):
        if not target.is_file():
            for left in target.parent.glob(f"{name}.building-*"):
                left.unlink()
            # A name of its own, because what an interrupted build started may still be writing to the other.
            temporary = target.with_name(f"{name}.building-{os.getpid()}")
            make(temporary)
            temporary.chmod(0o755)
            temporary.replace(target)
    return target


def build(program: Program, compiler: Compiler, title: str, report: Report) -> Path:
    """The program's executable in the cache, built if it is not there. Raises `ToolchainError`."""
    target = cached(program)

    def make(temporary: Path) -> None:
        go_path = compiler()
        with report.step(title, program.usually) as step:
            _run(command(go_path, program, temporary), program, target.with_name(f"{program.name}.log"), step)

    return _put(target, make, report)


def executor(pulumi: Program, compiler: Compiler, report: Report) -> Path:
    """The SDK's executor script in the cache, copied from the SDK's Go module of the version the engine is built with.

    Raises `ToolchainError`.
    """

    def make(temporary: Path) -> None:
        arguments = [compiler(), "mod", "download", "-json", f"{SDK}@{required(pulumi.go_mod, SDK)}"]
        answer = subprocess.run(
            arguments, cwd=pulumi.module, env=go.environment(), capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            output = f"{answer.stdout}{answer.stderr}".strip()
            raise ToolchainError(
                f"The Go module {SDK} could not be had:\n  {output}\n{_cause(output)}" + retrace(arguments, pulumi)
            )
        shutil.copyfile(Path(json.loads(answer.stdout)["Dir"]) / "python" / "cmd" / EXECUTOR, temporary)

    return _put(cached(pulumi).with_name(EXECUTOR), make, report)
