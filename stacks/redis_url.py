"""The address of an external Redis, as it is written or in base64, as the seed writes it."""

from __future__ import annotations

import base64
import binascii
import re

_ADDRESS = re.compile(r"(rediss?://\S+|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?:[0-9]{1,5})")


class RedisUrlError(ValueError):
    """What is given is no address; the text does not repeat it."""


def redis_url(text: str) -> str:
    """The address itself. Raises `RedisUrlError`."""
    given = text.strip()
    if _ADDRESS.fullmatch(given):
        return given
    try:
        decoded = base64.b64decode("".join(given.split()), validate=True).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    if _ADDRESS.fullmatch(decoded):
        return decoded
    raise RedisUrlError("neither `redis://…`, `rediss://…` (with TLS) nor `host:port`, as it is or in base64")
