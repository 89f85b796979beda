"""A Redis outside the cluster, as one is bought: a sentinel, a password, TLS by an authority of its own.

Server and sentinel are real. No package carries a Redis that was built with TLS: in front of each stands one that is.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.exceptions import RedisError

from sandbox.plane.pki import Authority, Pair
from tests.conftest import Loop
from tests.redis.nodes import free_port, link, served, until

HOST, PORT = "redis.example.org", 26379
PRIMARY = "127.77.0.5"
"""Where the server listens, and what the sentinel therefore calls it."""
PASSWORD = "made-up"


@dataclass(frozen=True)
class Outside:
    """How it is reached."""

    url: str
    """The address of the sentinel."""
    setting: str
    """The value of `outside` with which pods reach both."""
    authority: str
    """The certificate of the authority, as PEM."""


@contextmanager
def behind_sentinel(tools: Path, folder: Path) -> Iterator[Outside]:
    """All of it, for as long as this lasts."""
    authority = Authority(folder, "redis-authority")
    server = authority.issue(Pair(folder / "redis.crt", folder / "redis.key"), HOST, hosts=(HOST, PRIMARY))
    loop = Loop()
    try:
        with served(tools, folder, PASSWORD, PRIMARY) as primary, _sentinel(tools, folder, primary) as sentinel:
            behind = ((PRIMARY, primary), ("127.0.0.1", sentinel))
            fronts = [loop.run(_front(server, *each)) for each in behind]
            names = (f"{PRIMARY}:{primary}", f"{HOST}:{PORT}")
            setting = ",".join(
                f"{name}=127.0.0.1:{front.sockets[0].getsockname()[1]}"
                for name, front in zip(names, fronts, strict=True)
            )
            yield Outside(f"rediss://:{PASSWORD}@{HOST}:{PORT}", setting, authority.pem.decode())
    finally:
        loop.close()


@contextmanager
def _sentinel(tools: Path, folder: Path, primary: int) -> Iterator[int]:
    """A sentinel of the server at that port; its own port."""
    port, conf = free_port(), folder / "sentinel.conf"
    conf.write_text(
        f"port {port}\nbind 127.0.0.1\nrequirepass {PASSWORD}\nsentinel monitor mymaster {PRIMARY} {primary} 1\n"
        f"sentinel auth-pass mymaster {PASSWORD}\n"
    )
    command = [str(tools / "redis-server"), str(conf), "--sentinel"]
    with (folder / "sentinel.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        until(_knows(port), 60, "the sentinel knows its primary")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


def _knows(port: int) -> Callable[[], bool]:
    def asked() -> bool:
        try:
            with link("127.0.0.1", port, PASSWORD) as connection:
                return bool(connection.execute_command("SENTINEL", "get-master-addr-by-name", "mymaster"))
        except (RedisError, OSError):
            return False

    return asked


async def _front(files: Pair, address: str, port: int) -> asyncio.Server:
    """Ends TLS before a server on loopback."""

    async def carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(address, port)
        await asyncio.gather(_pipe(reader, there[1]), _pipe(there[0], writer), return_exceptions=True)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    return await asyncio.start_server(carried, "127.0.0.1", 0, ssl=context)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
    finally:
        writer.close()
