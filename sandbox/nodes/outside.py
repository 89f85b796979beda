"""A Redis outside the cluster, as far as pods reach it: the setting `outside` says which names lead where on loopback.

What answers there is really asked: a name alone, or something that is no Redis, is none.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BufferedRWPair
from ipaddress import ip_address
from socket import create_connection
from typing import Any, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

Stream: TypeAlias = "BufferedRWPair[Any, Any]"

SECONDS = 1.0
"""For an answer of a server on this machine."""
REDIS_PORT, SENTINEL_PORT = 6379, 26379
"""Where a server and a sentinel listen when an address has no port."""
MASTER_SET = "mymaster"
"""The primary's name among its sentinels, which the vendor's programs know (contract: control plane 9.1)."""


class NoAnswerError(Exception):
    """Why there is no Redis, in words for a log."""


def reachable(setting: str) -> dict[str, tuple[str, int]]:
    """`host:port=address:port` joined by commas, as a table. Raises `ValueError` for what is not on loopback."""
    found: dict[str, tuple[str, int]] = {}
    for entry in filter(None, setting.split(",")):
        name, _, target = entry.partition("=")
        address, _, port = target.rpartition(":")
        if not ip_address(address).is_loopback:
            raise ValueError(f"{target} is not on loopback")
        found[name] = (address, int(port))
    return found


@dataclass(frozen=True)
class _Client:
    """A client with the address it was given."""

    parts: SplitResult
    reachable: Mapping[str, tuple[str, int]]
    authorities: str

    def ask(self, host: str, port: int, *commands: tuple[str, ...]) -> str | list[str]:
        """The last answer to the commands, after a login where the address has one. Raises `NoAnswerError`."""
        where = f"{host}:{port}"
        login = tuple(unquote(word) for word in (self.parts.username, self.parts.password) if word)
        answer: str | list[str] = ""
        with self._connected(host, port) as stream:
            for command in (("AUTH", *login), *commands) if self.parts.password else commands:
                stream.write(_written(*command))
                stream.flush()
                answer = _read(stream)
                if isinstance(answer, str) and (not answer or answer.startswith("-")):
                    raise NoAnswerError(f"{where}: {command[0]}: {answer or 'no answer'}")
        return answer

    @contextmanager
    def _connected(self, host: str, port: int) -> Iterator[Stream]:
        target = self.reachable.get(f"{host}:{port}")
        if target is None:
            raise NoAnswerError(f"{host}:{port}: lookup {host}: no such host")
        try:
            with closing(create_connection(target, SECONDS)) as plain:
                if self.parts.scheme != "rediss":
                    with plain.makefile("rwb") as stream:
                        yield stream
                    return
                trusted = ssl.create_default_context()
                if self.authorities:
                    trusted.load_verify_locations(cadata=self.authorities)
                with closing(trusted.wrap_socket(plain, server_hostname=host)) as made, made.makefile("rwb") as stream:
                    yield stream
        except OSError as error:
            raise NoAnswerError(f"{host}:{port}: {error}") from error


def _written(*words: str) -> bytes:
    return b"".join([f"*{len(words)}\r\n".encode(), *(f"${len(w.encode())}\r\n{w}\r\n".encode() for w in words)])


def _read(stream: Stream) -> str | list[str]:
    """An answer: a line, a text or the texts of an array. Raises `ValueError` for what no Redis says."""
    line = stream.readline().decode(errors="replace").strip()
    if line[:1] == "$":
        return str(stream.read(int(line[1:]) + 2).decode(errors="replace"))
    if line[:1] != "*":
        return line
    return [str(_read(stream)).strip() for _ in range(int(line[1:]))]


def redis(url: str, sentinel: bool, setting: str, authorities: str = "", database: str = "") -> str | None:
    """None when a primary answers there and takes what the address says of user, password and database; else why not.

    With `sentinel` the address is a sentinel's, and the primary that it names is asked. `authorities` are certificates
    (PEM) that count beside this machine's; `database` is the number of another one that is used.
    """
    parts = urlsplit(url if "://" in url else f"//{url}")
    client = _Client(parts, reachable(setting), authorities)
    host, port = parts.hostname or "", parts.port or (SENTINEL_PORT if sentinel else REDIS_PORT)
    selected = [("SELECT", each) for each in (parts.path.strip("/"), database) if each]
    try:
        if sentinel:
            host, number = list(client.ask(host, port, ("SENTINEL", "get-master-addr-by-name", MASTER_SET)))
            port = int(number)
        told = client.ask(host, port, *selected, ("INFO", "replication"))
    except NoAnswerError as error:
        return str(error)
    except ValueError:
        return f"{host}:{port}: what answers there is no Redis"
    if "role:slave" in told:
        return f"{host}:{port}: READONLY You can't write against a read only replica."
    return None if "role:master" in told else f"{host}:{port}: what answers there is no Redis server"
