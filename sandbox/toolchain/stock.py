"""The programs a machine may already have: a `pulumi` and a `kubectl` on PATH that are recent enough."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from sandbox.home import user_cache
from sandbox.toolchain.programs import Program

Version = tuple[int, int, int]


def parse(text: str) -> Version | None:
    """(3, 255, 0) of "v3.255.0"; None for anything else, also for pre-releases and development builds."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", text.strip())
    return (int(found.group(1)), int(found.group(2)), int(found.group(3))) if found else None


def pulumi_suffices(found: Version, needed: Version) -> bool:
    """A CLI speaks to SDKs of its own major version that are no newer than itself."""
    return found[0] == needed[0] and found >= needed


def kubectl_suffices(found: Version, server: Version) -> bool:
    """Kubernetes supports a kubectl within one minor version of the API server."""
    return found[0] == server[0] and abs(found[1] - server[1]) <= 1


def on_path(name: str, path: str | None = None) -> Path | None:
    """The first executable `name` on PATH that is not one of the sandbox's own."""
    cache = user_cache().resolve()
    for folder in (path if path is not None else os.environ.get("PATH", "")).split(os.pathsep):
        candidate = Path(folder or ".") / name
        if candidate.is_file() and os.access(candidate, os.X_OK) and not candidate.resolve().is_relative_to(cache):
            return candidate.absolute()
    return None


def _answer(arguments: list[str]) -> str:
    """What a program prints about its version; empty when it cannot."""
    quiet = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            arguments, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _pulumi_version(executable: Path) -> Version | None:
    return parse(_answer([str(executable), "version"]))


def _kubectl_version(executable: Path) -> Version | None:
    try:
        answer = json.loads(_answer([str(executable), "version", "--client", "-o", "json"]) or "{}")
    except ValueError:
        return None
    # Distributions append a name of their own ("v1.35.4-dispatcher"); the release is what counts.
    return parse(str(answer.get("clientVersion", {}).get("gitVersion", "")).split("-")[0])


def find(program: Program, path: str | None = None) -> Path | None:
    """The machine's own executable that does instead of building `program`, or None.

    A `pulumi` counts only with its Python language host beside it.
    """
    checks: dict[str, tuple[Callable[[Path], Version | None], Callable[[Version, Version], bool]]] = {
        "pulumi": (_pulumi_version, pulumi_suffices),
        "kubectl": (_kubectl_version, kubectl_suffices),
    }
    if program.name not in checks:
        return None
    version_of, suffices = checks[program.name]
    executable, needed = on_path(program.name, path), parse(program.version)
    if executable is None or needed is None:
        return None
    if program.name == "pulumi" and not (executable.resolve().parent / "pulumi-language-python").is_file():
        return None
    found = version_of(executable)
    return executable if found is not None and suffices(found, needed) else None
