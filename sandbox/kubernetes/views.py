"""What an answer about readiness is made of: where to look, what the API server says there, the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """One kind to look at."""

    api_version: str
    kind: str
    namespace: str | None = None
    labels: str = ""
    fields: str = ""


@dataclass(frozen=True)
class Verdict:
    """Ready, or what is missing; `final` says that waiting longer cannot help."""

    missing: tuple[str, ...] = ()
    final: bool = False

    @property
    def ready(self) -> bool:
        return not self.missing


class View:
    """What the API server says at one moment, by kind and name."""

    def __init__(self, target: tuple[str, str], objects: Mapping[str, Mapping[str, Json]]) -> None:
        self._kind, self._name = target
        self._objects = objects

    @property
    def target(self) -> Json | None:
        return self._objects[self._kind].get(self._name)

    def all(self, kind: str) -> Iterator[Json]:
        yield from self._objects[kind].values()
