"""Servers and locations as the controller writes them for nginx, and which location nginx picks. Pure.

Sources: internal/configs/ingress.go, internal/configs/version1/{nginx.ingress.tmpl,template_helper.go}; nginx's manual,
`location`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.hosted.host import Json
from sandbox.ingress.config_map import Config, seconds
from sandbox.ingress.configuration import Accepted
from sandbox.ingress.validation import (
    CONNECT_TIMEOUT,
    PATH_REGEX,
    READ_TIMEOUT,
    SEND_TIMEOUT,
    SSL_REDIRECT,
    WEBSOCKETS,
    is_type,
    marks_of,
)

WILDCARD = ("", "")
"""Stands for the Secret of `-wildcard-tls-secret`."""


@dataclass(frozen=True)
class Location:
    """One location of a server."""

    modifier: str
    """`=`, `~`, `~*`, or none for a prefix."""
    pattern: str
    namespace: str
    service: str
    port: int | str
    websocket: bool
    read_seconds: float
    send_seconds: float = 60
    connect_seconds: float = 60
    quoted: bool = False
    """Whether the controller writes it in quotes, which it does for `path-regex` alone."""
    ingress: str = ""
    """The name of the Ingress it is of: a minion's own."""

    @property
    def head(self) -> str:
        """As it stands in nginx's configuration: only an expression has quotes around it."""
        quoted = f'"{self.pattern}"' if self.quoted else self.pattern
        return f"{self.modifier} {quoted}".strip()

    def matches(self, path: str) -> bool:
        if self.modifier == "=":
            return path == self.pattern
        if self.modifier:
            return re.search(self.pattern, path, re.IGNORECASE if self.modifier == "~*" else 0) is not None
        return path.startswith(self.pattern)


@dataclass(frozen=True)
class Server:
    """One host."""

    host: str
    secret: tuple[str, str] | None
    """Namespace and name of its TLS Secret; None: it does not listen with TLS."""
    locations: tuple[Location, ...]
    ssl_redirect: bool = True
    """Whether port 80 sends to TLS, where there is any."""


class NotLoadedError(Exception):
    """nginx refuses a server, and everything that would be loaded with it."""


def pick(locations: Sequence[Location], path: str) -> Location | None:
    """Exact first; else the first regular expression that matches; else the longest prefix."""
    matching = [each for each in locations if each.matches(path)]
    exact = next((each for each in matching if each.modifier == "="), None)
    expression = next((each for each in matching if each.modifier.startswith("~")), None)
    prefixes = [each for each in matching if not each.modifier]
    return exact or expression or max(prefixes, key=lambda each: len(each.pattern), default=None)


def servers(accepted: Accepted, config: Config) -> Iterator[Server]:
    """Raises `NotLoadedError`."""
    spec = accepted.ingress["spec"]
    namespace = accepted.ingress["metadata"]["namespace"]
    for rule in spec["rules"]:
        if rule["host"] not in accepted.hosts:
            continue
        found = list(_locations(accepted.ingress, rule, config))
        for minion, own in accepted.minions:
            (one,) = minion["spec"]["rules"]
            found += _locations(minion, one, config, own)
        if spec.get("defaultBackend") and not any(each.pattern == "/" for each in found):
            path = {"path": "/", "pathType": "Prefix", "backend": spec["defaultBackend"]}
            found.append(_location(accepted.ingress, path, config))
        _loadable(rule["host"], found)
        redirect = marks_of(accepted.ingress).get(SSL_REDIRECT, str(config.ssl_redirect)).lower() in ("true", "1", "t")
        yield Server(rule["host"], _secret(spec, namespace, rule["host"]), tuple(found), redirect)


def _secret(spec: Json, namespace: str, host: str) -> tuple[str, str] | None:
    for tls in spec.get("tls") or []:
        if host in (tls.get("hosts") or []):
            return (namespace, tls["secretName"]) if tls.get("secretName") else WILDCARD
    return None


def _locations(ingress: Json, rule: Json, config: Config, own: frozenset[str] | None = None) -> Iterator[Location]:
    for path in (rule.get("http") or {}).get("paths") or []:
        if own is None or (path.get("path") or "/") in own:
            yield _location(ingress, path, config)


def _location(ingress: Json, path: Json, config: Config) -> Location:
    marks = marks_of(ingress)
    service = path["backend"]["service"]
    regex = "" if is_type(ingress, "master") else marks.get(PATH_REGEX, "")
    modifier, pattern = _pattern(path, regex)
    port = service["port"]
    return Location(
        modifier=modifier,
        pattern=pattern,
        namespace=ingress["metadata"]["namespace"],
        service=service["name"],
        port=port.get("name") or port["number"],
        websocket=service["name"] in {name.strip() for name in marks.get(WEBSOCKETS, "").split(",")},
        read_seconds=seconds(marks.get(READ_TIMEOUT, "")) or config.read_seconds,
        send_seconds=seconds(marks.get(SEND_TIMEOUT, "")) or config.send_seconds,
        connect_seconds=seconds(marks.get(CONNECT_TIMEOUT, "")) or config.connect_seconds,
        quoted=bool(regex),
        ingress=ingress["metadata"]["name"],
    )


def _pattern(path: Json, regex: str) -> tuple[str, str]:
    """With `path-regex` an Exact path is written as `~ "^= /path"`, which matches nothing (issue 9509)."""
    text = path.get("path") or "/"
    exact = path.get("pathType") == "Exact"
    if regex == "exact":
        return "=", f"= {text}" if exact else text
    if regex:
        return ("~*" if regex == "case_insensitive" else "~"), f"^{'= ' if exact else ''}{text}"
    return ("=" if exact else ""), text


def _loadable(host: str, found: Sequence[Location]) -> None:
    seen = set()
    for each in found:
        if (each.modifier, each.pattern) in seen:
            raise NotLoadedError(f'duplicate location "{each.pattern}" in the server {host}')
        seen.add((each.modifier, each.pattern))
        # without quotes a brace begins a block, and what follows it is read as a directive
        if not each.quoted and "{" in each.pattern:
            rest = each.pattern.partition("{")[2]
            raise NotLoadedError(f'unknown directive "{rest}" after location {each.pattern} in the server {host}')
