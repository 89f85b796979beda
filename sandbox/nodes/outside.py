"""A Redis outside the cluster, as far as pods reach it: the setting `outside` says which names lead where on loopback.

What answers there is really asked: a name alone, or something that is no Redis, is none.
"""

from __future__ import annotations

import ssl
from contextlib import closing
from ipaddress import ip_address
from socket import create_connection
from urllib.parse import unquote, urlsplit

SECONDS = 1.0
"""For an answer of a server on this machine."""


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


def _command(*words: str) -> bytes:
    return b"".join([f"*{len(words)}\r\n".encode(), *(f"${len(w.encode())}\r\n{w}\r\n".encode() for w in words)])


def redis(url: str, default_port: int, setting: str) -> str | None:
    """None when a Redis answers there and takes what the address says of user, password and database; else why not."""
    parts = urlsplit(url if "://" in url else f"//{url}")
    where = f"{parts.hostname}:{parts.port or default_port}"
    target = reachable(setting).get(where)
    if target is None:
        return f"{where}: lookup {parts.hostname}: no such host"
    login = [unquote(word) for word in (parts.username, parts.password) if word]
    words = [["AUTH", *login]] if parts.password else []
    words += [["SELECT", parts.path.strip("/")]] if parts.path.strip("/") else []
    try:
        with closing(create_connection(target, SECONDS)) as plain:
            secured = parts.scheme == "rediss"
            made = ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname) if secured else plain
            with closing(made), made.makefile("rb") as answers:
                for each in [*words, ["PING"]]:
                    made.sendall(_command(*each))
                    answer = answers.readline().decode(errors="replace").strip()
                    if not answer.startswith("+"):
                        return f"{where}: {each[0]}: {answer or 'no answer'}"
    except OSError as error:
        return f"{where}: {error}"
    return None
