"""Who owns which field of a live object, and what that means for the fields a program ignores.

`ignore_changes` with server-side apply: a field that another manager owns, and ours does not, is left out of the
apply; else the live value is sent, so that it is neither changed nor dropped.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.kubernetes import paths
from sandbox.kubernetes.objects import metadata_of

Json = dict[str, Any]

ADOPTED_MANAGERS = frozenset(
    {"kubectl", "before-first-apply", "pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes"}
)
"""Managers whose plain updates the provider takes over before its first apply (pulumi-kubernetes, await.go)."""


def _entries(live: Json) -> list[Json]:
    found = metadata_of(live).get("managedFields")
    return found if isinstance(found, list) else []


def owns(fields: Any, path: Sequence[str | int]) -> bool:
    """Whether a `fieldsV1` tree has the path, or something below it. List items cannot be addressed."""
    for step in path:
        key = f"f:{step}"
        if isinstance(step, int) or not isinstance(fields, dict) or key not in fields:
            return False
        fields = fields[key]
    return True


def owners(live: Json, path: Sequence[str | int]) -> set[str]:
    """The managers that own a path of the live object."""
    return {str(entry["manager"]) for entry in _entries(live) if owns(entry.get("fieldsV1"), path)}


def without_ignored(desired: Json, live: Json, ignore: Iterable[str], manager: str) -> Json:
    """What to apply: ignored fields left out where another manager owns them, else at their live value.

    Paths into lists stay as declared: neither owners nor values of list items can be addressed.
    """
    result = copy.deepcopy(desired)
    for text in ignore:
        path = paths.parse(text)
        if any(isinstance(step, int) or step == "*" for step in path):
            continue
        who = owners(live, path)
        if who and manager not in who:
            _remove(result, path)
            continue
        found, value = paths.find(live, path)
        if found:
            _set(result, path, copy.deepcopy(value))
    return result


def adopted(live: Json, manager: str) -> list[Json] | None:
    """The managed fields with the plain updates of ours (creation is one) turned into applies; None: nothing to do."""
    keep: list[Json] = []
    taken: list[Json] = []
    ours: Json | None = None
    for entry in _entries(live):
        plain = not entry.get("subresource")
        if entry["manager"] == manager and entry["operation"] == "Apply" and plain:
            ours = entry
        elif plain and (
            (entry["operation"] == "Update" and entry["manager"] in ADOPTED_MANAGERS | {manager})
            or (entry["operation"] == "Apply" and entry["manager"] == "kubectl")
        ):
            taken.append(entry)
        else:
            keep.append(entry)
    if not taken:
        return None
    base = copy.deepcopy(ours if ours is not None else taken[0])
    for entry in taken:
        base["fieldsV1"] = _union(base["fieldsV1"], entry["fieldsV1"])
    return [*keep, {**base, "manager": manager, "operation": "Apply"}]


def must_force_preview(live: Json, manager: str) -> bool:
    """Whether a dry run has to force: a real update would first take over what `adopted` lists."""
    return adopted(live, manager) is not None


def _union(one: Json, other: Json) -> Json:
    result = dict(one)
    for key, value in other.items():
        result[key] = _union(result[key], value) if key in result else copy.deepcopy(value)
    return result


def _remove(obj: Json, path: paths.Path) -> None:
    found, parent = paths.find(obj, path[:-1])
    if found and isinstance(parent, dict):
        parent.pop(path[-1], None)


def _set(obj: Json, path: paths.Path, value: Any) -> None:
    parent = obj
    for step in path[:-1]:
        parent = parent.setdefault(str(step), {})
        if not isinstance(parent, dict):
            return
    parent[str(path[-1])] = value
