"""Refusing properties whose effect the stand-in does not play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure.errors import NotPlayedError
from sandbox.rpc import Json

ANY = object()
"""Every value may be given."""


def only(what: str, body: Json, allowed: Mapping[str, Any]) -> None:
    """Refuse a property that is not in `allowed`, or has another value than the ones given there.

    `allowed` maps a property to `ANY`, or to the tuple of the values that are played.
    """
    for name, value in body.items():
        if value is None:
            continue
        if name not in allowed:
            raise NotPlayedError(f"{what} with {name}")
        values = allowed[name]
        if values is not ANY and value not in values:
            shown = " or ".join(repr(v) for v in values)
            raise NotPlayedError(f"{what} with {name} {value!r}, only with {shown}")
