"""What the engine has made, as its state has it, and fields of it changed. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sandbox.drill.ladder.rows import Change
from sandbox.plane.errors import PlaneError

Json = dict[str, Any]

MANAGER = "__fieldManager"
NAMES = {"ManagedCluster": "resourceName", "AgentPool": "agentPoolName", "MaintenanceConfiguration": "configName"}
"""By kind of a resource in Azure: the input that names it."""


@dataclass(frozen=True)
class Standing:
    """An object of the cluster, or a resource in Azure."""

    token: str
    id: str
    kind: str
    name: str
    inputs: Json
    """What the program asked for: an object of the cluster as it was applied."""
    manager: str = ""
    """Who owns its fields; empty for a resource in Azure."""


@dataclass(frozen=True)
class Changed:
    """One of them, and what is to be other."""

    what: Standing
    changes: tuple[Change, ...]


def standing(state: Mapping[str, Any]) -> list[Standing]:
    """What can be changed, of `pulumi stack export`."""
    return [found for each in state["deployment"].get("resources") or [] if (found := _of(each)) is not None]


def _of(resource: Mapping[str, Any]) -> Standing | None:
    token, inputs = str(resource["type"]), resource.get("inputs") or {}
    kind = token.rpartition(":")[2]
    if token.startswith("kubernetes:") and "metadata" in inputs:
        inputs = {name: value for name, value in inputs.items() if not name.startswith("__")}
        manager = str((resource.get("outputs") or {}).get(MANAGER, ""))
        return Standing(token, str(resource["id"]), kind, str(inputs["metadata"]["name"]), inputs, manager)
    if kind in NAMES and NAMES[kind] in inputs:
        return Standing(token, str(resource["id"]), kind, str(inputs[NAMES[kind]]), dict(inputs))
    return None


def changed(there: Sequence[Standing], changes: Sequence[Change]) -> list[Changed]:
    """Everything that is other with these changes. Raises `PlaneError` for a change that changes nothing."""
    found = {(each.token, each.id): (each, list[Change]()) for each in there}
    for change in changes:
        named = [each for each in there if each.kind == change.kind and fnmatchcase(each.name, change.name)]
        touched = [each for each in named if written(each.inputs, [change]) != each.inputs]
        if not touched:
            raise PlaneError(f"{change.kind}/{change.name} {'.'.join(change.field)}: nothing is other for it")
        for each in touched:
            found[each.token, each.id][1].append(change)
    return [Changed(each, tuple(own)) for each, own in found.values() if own]


def written(obj: Json, changes: Sequence[Change]) -> Json | None:
    """The object with these changes; None: it goes."""
    after: Json | None = copy.deepcopy(obj)
    for change in changes:
        if not change.field:
            return None
        _set(after, change.field, change.to)
    return after


def restored(now: Json, before: Json, changes: Sequence[Change]) -> Json:
    """An object as it is now, with the changed fields as they were before."""
    after = copy.deepcopy(now)
    for change in changes:
        _set(after, change.field, _value(before, change.field))
    return after


def _set(obj: Any, field: Sequence[str], value: Any) -> None:
    """Write a field, or take it away where there is no value."""
    *way, last = field
    for step in way:
        if value is not None and isinstance(obj, dict):
            obj.setdefault(step, {})
        obj = _step(obj, step)
    if isinstance(obj, dict):
        if value is None:
            obj.pop(last, None)
        else:
            obj[last] = value


def _value(obj: Any, field: Sequence[str]) -> Any:
    for step in field:
        obj = _step(obj, step)
    return copy.deepcopy(obj)


def _step(value: Any, step: str) -> Any:
    """A part of it, of a list the item of that name; None where there is none."""
    if isinstance(value, list):
        return next((item for item in value if isinstance(item, dict) and item.get("name") == step), None)
    return value.get(step) if isinstance(value, dict) else None
