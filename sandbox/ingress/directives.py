"""The nginx directives that the controller's snippets may hold here: `map`, `add_header`, `proxy_set_header`.

Everything else is refused, as a word would be that nginx does not know: the whole configuration with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.hosted.host import RefusedError

ALWAYS_STATUS = frozenset({200, 201, 204, 206, 301, 302, 303, 304, 307, 308})
"""Answers that get a header added without `always` (ngx_http_headers_module); 101 is none of them."""

_WORD = re.compile(r'\s*(?:#[^\n]*\n)?\s*("(?:[^"\\]|\\.)*"|[;{}]|[^\s;{}"]+)')
_VARIABLE = re.compile(r"\$([a-z_][a-z0-9_]*)")
_BUILT_IN = frozenset({"request_id", "host", "remote_addr", "scheme", "request_uri"})


@dataclass(frozen=True)
class Added:
    """One `add_header`."""

    name: str
    value: str
    always: bool


@dataclass(frozen=True)
class Headers:
    """What the snippets do to the headers of an answer and of the request to the upstream."""

    maps: Mapping[str, tuple[str, Mapping[str, str]]]
    """Variable → its source and the results by value (`default` among them)."""
    http: tuple[Added, ...]
    server: tuple[Added, ...]
    location: tuple[Added, ...]
    upstream: tuple[tuple[str, str], ...]
    """`proxy_set_header` of the location: those of other levels are dropped, since every location has its own."""

    def answered(self, status: int, variables: Mapping[str, str]) -> dict[str, str]:
        """Headers added to an answer: the innermost level that has any."""
        added = self.location or self.server or self.http
        wanted = [each for each in added if each.always or status in ALWAYS_STATUS]
        values = {each.name: self.value(each.value, variables) for each in wanted}
        return {name: value for name, value in values.items() if value}

    def forwarded(self, variables: Mapping[str, str]) -> dict[str, str]:
        values = {name: self.value(value, variables) for name, value in self.upstream}
        return {name: value for name, value in values.items() if value}

    def value(self, text: str, variables: Mapping[str, str]) -> str:
        """The text with its variables; `variables` has `request_id` and the request's `http_…`."""

        def one(match: re.Match[str]) -> str:
            name = match[1]
            if name in self.maps:
                source, results = self.maps[name]
                found = self.value(source, variables)
                return self.value(results.get(found, results.get("default", "")), variables)
            return variables.get(name, "")

        return _VARIABLE.sub(one, text)


def read(http: str, server: str, location: str) -> Headers:
    """The three snippets together. Raises `RefusedError` for what nginx, or the stand-in, would not take."""
    maps: dict[str, tuple[str, Mapping[str, str]]] = {}
    added: dict[str, list[Added]] = {"http": [], "server": [], "location": []}
    upstream: list[tuple[str, str]] = []
    for level, text in (("http", http), ("server", server), ("location", location)):
        for words, block in _statements(text, level):
            match words:
                case ["map", source, name] if block is not None and level == "http" and name.startswith("$"):
                    maps[name.removeprefix("$")] = (source, _results(block))
                case ["add_header", name, value] if block is None:
                    added[level].append(Added(name, value, False))
                case ["add_header", name, value, "always"] if block is None:
                    added[level].append(Added(name, value, True))
                case ["proxy_set_header", name, value] if block is None:
                    if level == "location":
                        upstream.append((name, value))
                case _:
                    raise _rejected(f"{level}-snippets: the stand-in does not know the directive {' '.join(words)}")
    headers = Headers(maps, tuple(added["http"]), tuple(added["server"]), tuple(added["location"]), tuple(upstream))
    _check_variables(headers)
    return headers


def _rejected(why: str) -> RefusedError:
    return RefusedError("NginxRejects", f"nginx: configuration file test failed: {why}")


def _statements(text: str, level: str) -> list[tuple[list[str], list[list[str]] | None]]:
    """Directives with their words, and the inner ones of a block."""
    found: list[tuple[list[str], list[list[str]] | None]] = []
    words: list[str] = []
    inner: list[list[str]] | None = None
    head: list[str] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _WORD.match(stripped, position)
        if match is None:
            raise _rejected(f"{level}-snippets: unexpected text at {stripped[position : position + 20]!r}")
        position, word = match.end(), match[1]
        if word == "{" and inner is None and words:
            head, words, inner = words, [], []
        elif word == "}" and inner is not None and not words:
            found.append((head, inner))
            inner = None
        elif word == ";" and words:
            if inner is None:
                found.append((words, None))
            else:
                inner.append(words)
            words = []
        elif word in "{};":
            raise _rejected(f'{level}-snippets: unexpected "{word}"')
        else:
            words.append(word[1:-1].replace('\\"', '"') if word.startswith('"') else word)
    if words or inner is not None:
        raise _rejected(f'{level}-snippets: unexpected end of file, expecting ";" or "}}"')
    return found


def _results(block: list[list[str]]) -> dict[str, str]:
    results = {}
    for words in block:
        if len(words) != 2:
            raise _rejected("map: every line is a value and its result")
        results[words[0]] = words[1]
    return results


def _check_variables(headers: Headers) -> None:
    texts = [each.value for each in (*headers.http, *headers.server, *headers.location)]
    texts += [value for _, value in headers.upstream]
    for source, results in headers.maps.values():
        texts += [source, *results.values()]
    for name in (name for text in texts for name in _VARIABLE.findall(text)):
        if name not in _BUILT_IN | headers.maps.keys() and not name.startswith("http_"):
            raise _rejected(f'unknown "{name}" variable')


NONE = read("", "", "")
"""No snippets at all."""
