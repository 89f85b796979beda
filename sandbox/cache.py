"""Folders of the per-user cache that are made once, whole, by whoever comes first.

Standard library only: the bootstrap imports it before any dependency is installed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WHOLE = ".whole"
"""The file written last into a folder that is made: a folder without it is half-made and is made anew."""


@contextmanager
def locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file `path` alone among all processes of the machine; it goes with its holder, however that ends.

    `on_wait` is called once when another process holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_whole(folder: Path) -> bool:
    return (folder / WHOLE).is_file()


def made_once(folder: Path, make: Callable[[Path], None], on_wait: Callable[[], None]) -> Path:
    """`folder`, made by `make(folder)` unless an earlier or concurrent call has.

    What an interrupted call left is removed first. The folder is made at its final path, because Python environments
    cannot be moved. Raises what `make` raises.
    """
    if is_whole(folder):
        return folder
    with locked(folder.with_name(f"{folder.name}.lock"), on_wait):
        if not is_whole(folder):
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            make(folder)
            (folder / WHOLE).touch()
    return folder
