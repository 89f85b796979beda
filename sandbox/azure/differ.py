"""The difference between old and new inputs as azure-native reports it, and drift folded back into inputs.

What the engine sees decides whether an update is in place or a replacement, so paths, kinds and the delete-first
default follow provider/pkg/provider/diff.go and provider.go (`Diff`, `Read`). Pure functions over plain JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.proto.provider_pb2 import PropertyDiff

from sandbox.azure.catalogue import Kind
from sandbox.rpc import Json

CREATE_BEFORE_DELETE = "__createBeforeDelete"
"""azure-native's mark on the inputs of a resource it named itself, at random."""

_REPLACING = {
    PropertyDiff.ADD: PropertyDiff.ADD_REPLACE,
    PropertyDiff.DELETE: PropertyDiff.DELETE_REPLACE,
    PropertyDiff.UPDATE: PropertyDiff.UPDATE_REPLACE,
}


@dataclass(frozen=True)
class Difference:
    """Every changed path with its kind (a `PropertyDiff.Kind`)."""

    changes: dict[str, PropertyDiff.Kind.ValueType] = field(default_factory=dict)
    delete_before_replace: bool = False

    @property
    def replaces(self) -> list[str]:
        return sorted(path for path, kind in self.changes.items() if kind in _REPLACING.values())


def difference(kind: Kind, old: Json, new: Json) -> Difference:
    """What an update from `old` to `new` inputs changes, and what of it forces a replacement."""
    forcing = kind.replaces | set(kind.path_inputs)
    changes: dict[str, PropertyDiff.Kind.ValueType] = {}
    for path, pattern, change in _compare(old, new, "", ""):
        # Below a forcing object a changed value replaces; one that comes or goes there does not (diff.go).
        above = [pattern[: dot.start()] for dot in re.finditer(r"\.", pattern)]
        forced = pattern in forcing or (change == PropertyDiff.UPDATE and any(name in forcing for name in above))
        changes[path] = _REPLACING[change] if forced else change
    found = Difference(changes)
    delete_first = bool(found.replaces)
    if isinstance(old.get(CREATE_BEFORE_DELETE), bool):
        delete_first = not old[CREATE_BEFORE_DELETE]
    return Difference(changes, delete_first)


def _compare(old: Any, new: Any, path: str, pattern: str) -> Iterator[tuple[str, str, PropertyDiff.Kind.ValueType]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            inner, inner_pattern = _step(path, name), f"{pattern}.{name}" if pattern else name
            if name not in old:
                yield inner, inner_pattern, PropertyDiff.ADD
            elif name not in new:
                yield inner, inner_pattern, PropertyDiff.DELETE
            elif not (inner == "location" and _same_location(old[name], new[name])):
                yield from _compare(old[name], new[name], inner, inner_pattern)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            inner = f"{path}[{index}]"
            if index >= len(old):
                yield inner, pattern + "[]", PropertyDiff.ADD
            elif index >= len(new):
                yield inner, pattern + "[]", PropertyDiff.DELETE
            else:
                yield from _compare(old[index], new[index], inner, pattern + "[]")
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, pattern, PropertyDiff.UPDATE


def _step(path: str, name: str) -> str:
    if re.fullmatch(r"[\w/-]+", name) is None:
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def _same_location(old: Any, new: Any) -> bool:
    return isinstance(old, str) and isinstance(new, str) and location(old) == location(new)


def location(text: str) -> str:
    """`West Europe` and `westeurope` are one."""
    return text.replace(" ", "").lower()


def fold_drift(inputs: Json, before: Json, now: Json) -> Json:
    """The inputs a refresh records: what changed in Azure between two answers is copied into them, nothing else.

    `before` and `now` are the old and new state in input shape (provider.go, `Read`; diff.go, `applyDiff`).
    """
    folded = {name: value for name, value in inputs.items() if not (name in before and name not in now)}
    for name, value in now.items():
        if name not in before:
            folded[name] = value
        elif before[name] != value:
            folded[name] = _fold(inputs[name], before[name], value) if name in inputs else value
    return folded


def _fold(base: Any, before: Any, now: Any) -> Any:
    if isinstance(base, dict) and isinstance(before, dict) and isinstance(now, dict):
        return fold_drift(base, before, now)
    if isinstance(base, list) and isinstance(before, list) and isinstance(now, list):
        known = min(len(base), len(before))
        return [_fold(base[i], before[i], item) if i < known else item for i, item in enumerate(now)]
    return now
