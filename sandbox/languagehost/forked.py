"""A program started by fork from the process that `warm.py` is: the language host's end of the socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

PLACE = "SM_SANDBOX_WARM"
"""The variable that names the socket."""
ANSWER_SECONDS = 5.0
"""How long the answer may take; it takes the import of one package at most, which is 0.5 s."""


class Forked:
    """A program that runs: what `asyncio.subprocess.Process` is for one that was spawned."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._end = asyncio.create_task(self._status())

    @property
    def returncode(self) -> int | None:
        return self._end.result() if self._end.done() else None

    async def wait(self) -> int:
        """The exit code, or the negative number of the signal that ended it."""
        return await asyncio.shield(self._end)

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self._connection.send(bytes([number]))

    async def _status(self) -> int:
        with self._connection, contextlib.suppress(OSError, struct.error):
            (code,) = struct.unpack("!i", await asyncio.get_running_loop().sock_recv(self._connection, 4))
            return int(code)
        return -signal.SIGKILL  # its parent is gone, and has taken it along


async def fork(
    place: str, python: str, arguments: Sequence[str], environment: Mapping[str, str], folder: str, program: str
) -> Forked | None:
    """`python -u <arguments>` in `folder`, writing where this process does; None where only a plain start is right.

    `place` is the socket's path and `program` what the executor runs.
    """
    request = {
        "python": python,
        "arguments": list(arguments),
        "environment": dict(environment),
        "folder": folder,
        "program": program,
    }
    text, loop = json.dumps(request).encode(), asyncio.get_running_loop()
    connection = socket.socket(socket.AF_UNIX)
    connection.setblocking(False)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await _connect(connection, Path(place))
            socket.send_fds(connection, [struct.pack("!I", len(text))], [1, 2])
            await loop.sock_sendall(connection, text)
            if await loop.sock_recv(connection, 1) == b"+":
                connection.send(b"+")  # from here on it is the only one
                return Forked(connection)
    except (OSError, TimeoutError):
        pass
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


async def _connect(connection: socket.socket, place: Path) -> None:
    """By the folder's descriptor, since paths of sockets are short. Raises `OSError`, for another user's as well."""
    folder = os.open(place.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        await asyncio.get_running_loop().sock_connect(connection, f"/proc/self/fd/{folder}/{place.name}")
    finally:
        os.close(folder)
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if user != os.getuid():
        raise PermissionError(f"{place} is another user's")
