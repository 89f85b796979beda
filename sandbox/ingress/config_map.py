"""The controller's map (internal/configs/configmaps.go): what is wrong in it is said and left out, or nginx refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.hosted.host import RefusedError
from sandbox.ingress import directives
from sandbox.ingress.directives import Headers

SNIPPETS = ("http-snippets", "server-snippets", "location-snippets")
TIMEOUTS = ("proxy-connect-timeout", "proxy-read-timeout", "proxy-send-timeout", "worker-shutdown-timeout")
SSL_REDIRECT = "ssl-redirect"
SWITCHES = (SSL_REDIRECT, "redirect-to-https", "http2", "hsts", "proxy-buffering", "access-log-off")
"""Read; only the first has an effect on what is played."""

_TRUE, _FALSE = ("true", "on", "1", "t", "yes"), ("false", "off", "0", "f", "no")

ERROR_LEVEL = "error-log-level"
_LEVELS = ("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")

_TIME = re.compile(r"(?:[0-9]+(?:ms|[yMwdhms])?\s*)+\Z")
_PART = re.compile(r"([0-9]+)(ms|[yMwdhms])?")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000, "": 1}


def seconds(text: str) -> float | None:
    """A time as nginx writes it; None for what is none."""
    if not _TIME.match(text):
        return None
    return float(sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


@dataclass(frozen=True)
class Snippets:
    """What the map adds to nginx's own text, as it stands there."""

    http: str = ""
    server: str = ""
    location: str = ""


@dataclass(frozen=True)
class Config:
    """What the map says, with nginx's defaults."""

    read_seconds: float = 60
    send_seconds: float = 60
    shutdown_seconds: float | None = None
    """How long an old worker keeps its connections; None is for ever."""
    connect_seconds: float = 60
    headers: Headers = directives.NONE
    snippets: Snippets = Snippets()
    ssl_redirect: bool = True
    error_level: str = "notice"


@dataclass(frozen=True)
class Warned:
    """Something in the map that has no effect."""

    reason: str
    message: str


def read(data: Mapping[str, str]) -> tuple[Config, list[Warned]]:
    """Raises `RefusedError` for what nginx does not load."""
    warnings: list[Warned] = []
    for key, value in data.items():
        if key in SWITCHES:
            if value.lower() not in _TRUE + _FALSE:
                warnings.append(Warned("InvalidValue", f"invalid value for '{key}': {value!r}, ignoring"))
        elif key not in (*SNIPPETS, *TIMEOUTS, ERROR_LEVEL):
            warnings.append(Warned("KeyNotPlayed", f"the stand-in knows no key '{key}'; the controller ignores others"))
    times: dict[str, float] = {}
    for key in TIMEOUTS:
        if key in data:
            read_as = seconds(data[key])
            if read_as is None:
                raise RefusedError("NginxRejects", f'nginx: configuration file test failed: "{key}" has {data[key]!r}')
            times[key] = read_as
    level = data.get(ERROR_LEVEL, "notice")
    if level not in _LEVELS:
        raise RefusedError("NginxRejects", f'nginx: configuration file test failed: invalid log level "{level}"')
    config = Config(
        read_seconds=times.get("proxy-read-timeout", 60),
        send_seconds=times.get("proxy-send-timeout", 60),
        shutdown_seconds=times.get("worker-shutdown-timeout"),
        connect_seconds=times.get("proxy-connect-timeout", 60),
        headers=directives.read(*(data.get(key, "") for key in SNIPPETS)),
        snippets=Snippets(*(data.get(key, "") for key in SNIPPETS)),
        ssl_redirect=data.get(SSL_REDIRECT, "").lower() not in _FALSE,
        error_level=level,
    )
    return config, warnings
