"""What changes between an object as it is and as it should be, and whether that takes a replacement.

What it is: the live object as last read, pruned to the shape of the old inputs, so that fields set by controllers
never show up and drift in ours does after a refresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.kubernetes import paths
from sandbox.kubernetes.forcenew import force_new_paths, forces_new
from sandbox.kubernetes.objects import AUTONAMED, is_built_in, is_true, name_of, namespace_of, with_metadata
from sandbox.kubernetes.paths import Path
from sandbox.kubernetes.quantity import is_quantity_at, same_amount
from sandbox.kubernetes.state import Recorded, normalized, prune
from sandbox.rpc import UNKNOWN

Json = dict[str, Any]


class Kind(StrEnum):
    """The kinds of change of the provider protocol (`PropertyDiff.Kind`)."""

    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True)
class Change:
    kind: Kind
    replaces: bool

    @property
    def protocol_name(self) -> str:
        return f"{self.kind}_REPLACE" if self.replaces else str(self.kind)


@dataclass(frozen=True)
class ObjectDiff:
    """The changes by rendered path, and the order of a replacement."""

    changes: dict[str, Change] = field(default_factory=dict)
    delete_before_replace: bool = False

    @property
    def replaces(self) -> list[str]:
        return sorted(path for path, change in self.changes.items() if change.replaces)


@dataclass(frozen=True)
class Mutability:
    """The provider's settings that decide whether maps are changed in place."""

    config_maps: bool
    secrets: bool


def diff(
    old: Recorded, new_inputs: Json, *, namespaced: bool, mutability: Mutability, ignore: Sequence[str]
) -> ObjectDiff:
    """The difference between what is recorded and the new inputs. Raises `ValueError` for a malformed ignore path."""
    new = normalized(new_inputs)
    api_version, kind = str(new.get("apiVersion")), str(new.get("kind"))
    built_in = is_built_in(api_version)
    is_now = prune(old.live, normalized(old.inputs), built_in=built_in)
    if name_of(new):
        is_now = with_metadata(is_now, name=name_of(old.live))
    default = "default" if namespaced else None
    is_now = with_metadata(is_now, namespace=(namespaced and namespace_of(is_now)) or default)
    new = with_metadata(new, namespace=(namespaced and namespace_of(new)) or default)

    forcing = force_new_paths(
        api_version,
        kind,
        immutable=new.get("immutable") is True,
        config_maps_mutable=mutability.config_maps,
        secrets_mutable=mutability.secrets,
    )
    changes = compare(is_now, new, forcing, built_in=built_in)
    ignored = [paths.parse(text) for text in ignore]
    kept = {
        paths.render(path): change
        for path, change in changes.items()
        if not any(paths.covers(pattern, path) for pattern in ignored)
    }
    same_place = name_of(new) == name_of(old.live) and (namespace_of(new) or "") == (
        namespace_of(old.live) or (default or "")
    )
    must_delete_first = (
        any(change.replaces for change in kept.values())
        and name_of(new) not in ("", UNKNOWN)
        and not is_true(new, AUTONAMED)
        and same_place
    )
    return ObjectDiff(kept, must_delete_first)


def compare(old: Json, new: Json, forcing: Iterable[str] = (), *, built_in: bool = True) -> dict[Path, Change]:
    """Every path at which the two differ; maps key by key, lists element by element."""
    found: dict[Path, Change] = {}
    patterns = tuple(forcing)

    def note(path: Path, kind: Kind, value: Any) -> None:
        found[path] = Change(kind, forces_new(path, value, patterns))

    def walk(path: Path, before: Any, after: Any) -> None:
        if isinstance(before, dict) and isinstance(after, dict):
            for key in {**before, **after}:
                step((*path, key), before.get(key, _ABSENT), after.get(key, _ABSENT))
        elif isinstance(before, list) and isinstance(after, list):
            for index in range(max(len(before), len(after))):
                step((*path, index), _at(before, index), _at(after, index))
        elif not _equal(before, after, path, built_in):
            note(path, Kind.UPDATE, after)

    def step(path: Path, before: Any, after: Any) -> None:
        if before is _ABSENT:
            note(path, Kind.ADD, after)
        elif after is _ABSENT:
            note(path, Kind.DELETE, None)
        else:
            walk(path, before, after)

    walk((), old, new)
    return found


_ABSENT = object()


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _ABSENT


def _equal(before: Any, after: Any, path: Path, built_in: bool) -> bool:
    if isinstance(before, bool) is not isinstance(after, bool):
        return False
    if before == after:
        return True
    return built_in and is_quantity_at(path) and same_amount(before, after)
