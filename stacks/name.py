"""The name of one object the program makes in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """One object."""

    kind: str
    namespace: str | None
    """None for what belongs to the whole cluster."""
    name: str
    path: str = ""
    """The key that decides the name; empty where it is the program's own."""
    made: bool = True
    """Whether the program makes it; a Secret may also be there already."""


def of_kinds(kinds: str, namespace: str | None, name: str, path: str = "") -> Iterator[Name]:
    """One name that several kinds have."""
    return (Name(kind, namespace, name, path) for kind in kinds.split())


def fetched_or_made(stored: bool, here: str, name: str, path: str, made: bool = True) -> Iterator[Name]:
    """A Secret, or one that an operator makes and the object it makes it of."""
    if stored:
        yield Name("ExternalSecret", here, name, path)
    yield Name("Secret", here, name, path, made and not stored)
