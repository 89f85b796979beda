"""A graph as fields, and what differs between two."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml

from sandbox.azure.catalogue import KINDS
from tests.unit.graph import Graph, Resource
from tests.unit.knobs import Loss, losses, same_inputs

Fields = dict[str, tuple[str, ...]]
"""Object (`SessionGroup/transcribers-en`) → paths in it; none where the object itself comes or goes."""

CREATE_ONLY = " (create only)"
"""After the path of a field in whose changes the engine does not look: it counts when the object is made."""


def object_of(resource: Resource) -> str:
    """Its kind and logical name: the same whatever its name in the cluster is."""
    return f"{resource.type.rpartition(':')[2]}/{resource.name}"


def shown(resource: Resource) -> str:
    """Its kind and what it is called in the cluster or in Azure; where that is made up of a hash, without it."""
    kind = resource.type.rpartition(":")[2]
    if resource.kubernetes:
        return f"{kind}/{resource.object_name}"
    if resource.type not in KINDS:
        return object_of(resource)
    name = str(resource.inputs[KINDS[resource.type].name_input])
    if UUID.fullmatch(name):
        return object_of(resource)
    return f"{kind}/{GENERATION.sub('…', name) if kind == 'AgentPool' else name}"


UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GENERATION = re.compile(r"(?<=\d\d)[0-9a-f]{5}$")
"""The end of a generation's name, after its number: a hash of what is immutable in it."""
HASH = re.compile(r"[0-9a-f]{16,64}")
"""A hash of what a pod mounts: it follows from the content, which is named by itself."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf with its path; what is text of a structure in its parts, lists by the names of their items."""
    inside = _inside(value)
    if inside is not None:
        yield from leaves(inside, f"{path}:")
    elif isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path and not path.endswith(":") else f"{path}{key}")
    elif (name := _named(value)) is not None:
        yield f"{path}[]", json.dumps([each[name] for each in value])
        for each in value:
            rest = {key: part for key, part in each.items() if key != name}
            yield from leaves(rest, f"{path}[{each[name]}]")
    elif isinstance(value, list) and value and all(isinstance(each, str) and each.startswith("--") for each in value):
        for name, items in _flags(value).items():
            yield f"{path}[{name}]", json.dumps(items)
    elif not (".annotations." in path and isinstance(value, str) and HASH.fullmatch(value)):
        yield path, json.dumps(value, sort_keys=True)


NAMES = ("name", "secretKey", "model_name")
"""What tells the items of a list apart: of most, of an ExternalSecret, of the models of the LLM proxy."""


def _named(value: Any) -> str | None:
    """The key by which each item of a list has a name of its own."""
    if not (isinstance(value, list) and value and all(isinstance(each, dict) for each in value)):
        return None
    return next((key for key in NAMES if len({str(each[key]) for each in value if key in each}) == len(value)), None)


def _flags(arguments: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in arguments:
        found.setdefault(each.partition("=")[0], []).append(each)
    return found


def _inside(value: Any) -> Any:
    """The structure that a text of several parts spells, in JSON or YAML; None for other text."""
    if not isinstance(value, str) or not (value.startswith(("{", "[")) or (":" in value and "\n" in value)):
        return None
    try:
        found = yaml.load(value, yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
    return found if isinstance(found, dict | list) and found else None


def flat(resource: Resource) -> dict[str, str]:
    """Every field of a resource, with what the engine is told beside them."""
    secret = resource.secret_paths  # compared whole, so that nothing of it becomes a path
    found = dict(leaves({key: each for key, each in resource.inputs.items() if key not in secret}))
    found |= {key: json.dumps(resource.inputs[key], sort_keys=True) for key in secret}
    return {**found, "(protected)": str(resource.protect)}


def alike(old: Resource, new: Resource) -> bool:
    """Whether two resources are flat the same without flattening them: most are, and a large text costs much."""
    return same_inputs(old, new) and (old.secret_paths, old.protect) == (new.secret_paths, new.protect)


def changed(before: Graph, after: Graph) -> Fields:
    """What differs between two graphs, by object."""
    old, new = ({object_of(each): each for each in graph.resources if each.custom} for graph in (before, after))
    found: Fields = {}
    for name in sorted(old.keys() ^ new.keys()):
        found[name] = ()
    for name in sorted(old.keys() & new.keys()):
        if alike(old[name], new[name]):
            continue
        was, now = flat(old[name]), flat(new[name])
        paths = [path for path in was.keys() | now.keys() if was.get(path) != now.get(path)]
        if paths:
            found[name] = tuple(sorted(_marked(new[name], path) for path in paths))
    return found


def _marked(resource: Resource, path: str) -> str:
    ignored = any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in resource.ignore_changes)
    return f"{path}{CREATE_ONLY}" if ignored else path


UNGUARDED = ", unguarded"
"""After what is lost without a hook that would ask for live sessions first."""


def lost(before: Graph, after: Graph) -> tuple[str, ...]:
    """What a change of a key, or taking it back, replaces or deletes."""
    found = [*losses(before, after), *losses(after, before)]
    return tuple(sorted({text for each in found for text in _texts(each)}))


def _texts(loss: Loss) -> Iterator[str]:
    """One for each path that forces the replacement, so that what several keys say adds up."""
    parts = [replace(loss, paths=(path,)) for path in loss.paths] or [loss]
    yield from (f"{part}{'' if loss.resource.before_delete else UNGUARDED}" for part in parts)


def pairs(fields: Fields) -> frozenset[tuple[str, str]]:
    """Object and path, one by one."""
    return frozenset((name, path) for name, paths in fields.items() for path in paths or ("",))


def fields_of(found: frozenset[tuple[str, str]]) -> Fields:
    """The other way round."""
    return {name: tuple(sorted(p for n, p in found if n == name and p)) for name in sorted({n for n, _ in found})}
