"""Files of the state folder: written whole or not at all, read with a text for whoever finds a torn one.

Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sandbox.plane.errors import PlaneError

FRESH = ".new"
"""How the name of a file ends that is not in its place yet; one that a crash left is removed by `make down`."""

ROOM = 200 * 2**20
"""Bytes that must be free before a cluster is created: an update of the sandbox's stack writes about 130 MB, most of
it etcd's log, and a full disk afterwards stops everything at once."""


def write_whole(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Replace the file at once: a reader or a crash sees the old content or the new one, never a part.

    What could not be written whole leaves nothing behind. Raises `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=FRESH, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):  # the last step may have been done
            Path(name).unlink()
        raise


def read_json(path: Path, mend: str) -> Any:
    """What the file holds. Raises `PlaneError` with `mend`, what to do about it, when it is no JSON."""
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise PlaneError(f"{path} cannot be read: {error}.\n{mend}") from error


def is_full(error: OSError) -> bool:
    """Whether the error says that no room is left."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def full(folder: Path) -> str:
    """What to do about a full disk, for the terminal."""
    return (
        f"The disk of {folder} is full: {ROOM // 2**20} MB are needed there. Free some, or name a folder on another "
        "disk: make down, then SM_SANDBOX_HOME=/another/folder make up"
    )


def check_room(folder: Path, room: int = ROOM) -> None:
    """Raises `PlaneError` when less than `room` bytes are free where the folder, which exists, lies."""
    if shutil.disk_usage(folder).free < room:
        raise PlaneError(full(folder))
