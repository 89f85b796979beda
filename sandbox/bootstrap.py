"""The Python environment of the checkout: made on first use, found at once afterwards.

    python3 -m sandbox.bootstrap           prints the interpreter that has everything of requirements.lock
    python3 -m sandbox.bootstrap --lock    pins requirements.txt and all it pulls in anew, in requirements.lock

Standard library only. Progress goes to stderr, so that a Makefile can take the path from stdout. The environment is
the user's, not the checkout's: a second checkout with the same pins starts at once.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from sandbox.cache import is_whole, made_once
from sandbox.home import CHECKOUT, user_cache

OLDEST_PYTHON = (3, 11)
UV_VERSION = "0.13.9"
"""The installer: it makes the environment in seconds where pip takes a minute. Pinned, so that a new release of it
cannot change what a checkout gets; 0.13.9 is the newest one this was tried with."""

LOCK = CHECKOUT / "requirements.lock"
REQUIREMENTS = CHECKOUT / "requirements.txt"


class Cause(Enum):
    """What made an install fail, where its output tells; the value is the remedy."""

    DISK = (
        "The disk is full. About 0.5 GB is needed for the environment, 1 GB for the built programs and 4 GB for Go's "
        "own cache: free some, or point SM_SANDBOX_CACHE (and GOCACHE) at folders on another disk."
    )
    NETWORK = (
        "The Python package index could not be reached. Check the network; behind a mirror or a proxy set "
        "PIP_INDEX_URL or HTTPS_PROXY, as for pip."
    )
    OFFER = "The package index does not offer a pinned version for this Python and platform."


class BootstrapError(Exception):
    """Why the environment could not be made, and what mends it, in words for the person at the terminal."""

    def __init__(self, message: str, cause: Cause | None = None) -> None:
        super().__init__(message if cause is None else f"{message}\n{cause.value}")
        self.cause = cause


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def cause_of(output: str) -> Cause | None:
    """What the output of a failed pip or uv says went wrong; None when it says nothing we know."""
    text = output.lower()
    signs = {
        Cause.DISK: ("no space left", "os error 28", "disk quota exceeded"),
        Cause.NETWORK: ("connection", "dns error", "name resolution", "timed out", "client error"),
        Cause.OFFER: ("no matching distribution", "no solution found"),
    }
    return next((cause for cause, words in signs.items() if any(word in text for word in words)), None)


def _run(command: list[str]) -> None:
    """Run one step with its headlines on stderr. Raises `BootstrapError` when it fails."""
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", UV_PYTHON_DOWNLOADS="never")
    if "PIP_INDEX_URL" in environment:
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    for inherited in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(inherited, None)
    lines: list[str] = []
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if _is_headline(line):
                say(f"    {lines[-1]}")
    if process.returncode != 0:
        for line in lines[-8:]:
            if line and not _is_headline(line):
                say(f"    {line}")
        raise BootstrapError(f"Failed: {' '.join(command)}", cause_of("\n".join(lines)))


def _is_headline(line: str) -> bool:
    """uv and pip indent their details."""
    return bool(line.strip()) and not line.startswith(" ")


def _venv(folder: Path) -> None:
    try:
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    except BootstrapError as error:
        if importlib.util.find_spec("ensurepip") is None:
            raise BootstrapError(
                f"{sys.executable} cannot make virtual environments (it lacks ensurepip). "
                "Install it: on Debian and Ubuntu `apt install python3-venv`."
            ) from error
        raise


def _waiting(what: str) -> Callable[[], None]:
    return lambda: say(f"{what} is being made by another process; waiting for it")


def _uv_folder() -> Path:
    return user_cache() / f"uv-{UV_VERSION}-{platform_tag()}"


def _uv() -> str:
    """The pinned uv, from an environment of its own in the user cache. Raises `BootstrapError`."""

    def make(folder: Path) -> None:
        say(f"Fetching the installer uv {UV_VERSION} (once; about 10 s)")
        _venv(folder)
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--retries", "2", f"uv=={UV_VERSION}"])

    return str(made_once(_uv_folder(), make, _waiting("The installer")) / "bin" / "uv")


def platform_tag() -> str:
    """What an environment is tied to: the interpreter's version and place, the system, the processor."""
    place = hashlib.sha256(f"{sys.base_prefix} {sys.platform} {platform.machine()}".encode()).hexdigest()[:8]
    return f"{sys.implementation.cache_tag}-{place}"


def install(folder: Path, *packages: str) -> None:
    """Make a Python environment at `folder` (which exists, empty) that has exactly `packages` (installer arguments).

    With uv; without it, and where uv fails (it does not read pip's configuration files), with plain pip. Raises
    `BootstrapError`.
    """
    python = str(folder / "bin" / "python")
    try:
        uv = _uv()
        _run([uv, "venv", "-q", "--allow-existing", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "--no-deps", "--python", python, *packages])
    except BootstrapError as error:
        unreachable = error.cause is Cause.NETWORK and not is_whole(_uv_folder())
        if error.cause is Cause.DISK or unreachable:
            raise  # pip would fetch from the same index onto the same disk
        say(f"{error}\nWithout uv, then: with pip, which takes about a minute.")
        _venv(folder)
        _run([python, "-m", "pip", "install", "--no-deps", "--retries", "2", *packages])


def environment() -> Path:
    """The interpreter of the environment with everything of requirements.lock, made if it is not there yet.

    No process is started when it is. Raises `BootstrapError`.
    """
    key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]

    def make(folder: Path) -> None:
        say("Making the Python environment (once; about 20 s, and a minute more where nothing is cached)")
        install(folder, "-r", str(LOCK))
        say(f"The Python environment is ready: {folder}")

    name = f"env-{platform_tag()}-{key}"
    return made_once(user_cache() / name, make, _waiting("The Python environment")) / "bin" / "python"


def lock() -> None:
    """Write requirements.lock anew from requirements.txt; pins that still fit stay. Raises `BootstrapError`."""
    options = "--universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q"
    _run([_uv(), "pip", "compile", *options.split(), "--output-file", str(LOCK), str(REQUIREMENTS)])
    say(f"{LOCK.name} pins {len(LOCK.read_text().splitlines())} packages.")


def main(arguments: list[str]) -> int:
    """The command; its exit code. Errors are one clear text on stderr."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        found = platform.python_version()
        say(
            f"Python {wanted} or newer is needed; {sys.executable} is {found}.\n"
            f"Install one and name it: make PYTHON=python{wanted} up"
        )
        return 1
    goal = LOCK.name if arguments else "The Python environment"
    try:
        if arguments == ["--lock"]:
            lock()
        elif arguments:
            say("usage: python3 -m sandbox.bootstrap [--lock]")
            return 2
        else:
            print(environment())
    except BootstrapError as error:
        say(f"{goal} could not be made.\n{error}")
        return 1
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = Cause.DISK.value if full else "Point SM_SANDBOX_CACHE at a folder that can be written."
        say(f"{goal} could not be made: {error}\n{remedy}")
        return 1
    except KeyboardInterrupt:
        say("Stopped; the next run begins anew.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
