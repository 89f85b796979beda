"""Paths of the configuration, and what the schema has at them."""

from __future__ import annotations

import functools
import re
import typing
from collections.abc import Iterator
from enum import EnumType
from types import UnionType
from typing import Annotated, Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks.schema import Settings

ANY_KEY = "<key>"
"""In a path: a key of a map."""


def dotted(location: tuple[int | str, ...]) -> str:
    """A path as `pulumi config set --path` takes it: `pools.inference[1].state`, `costs["en:ensemble"]`."""
    return "".join(_step(part) for part in location).removeprefix(".")


def _step(part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[-A-Za-z0-9_]+", part) else f'["{part}"]'


def keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """The keys the schema has beside the last part of a path; none where the path leads nowhere."""
    section = section_at(location)
    return keys_of(section) if section else []


def section_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The section that holds the last part of a path; None where the path leads nowhere, or into a map."""
    model: Any = Settings
    in_map = False
    for part in location[:-1]:
        if isinstance(part, int) or in_map:
            in_map = False
            continue
        field = next((f for n, f in model.model_fields.items() if (f.alias or n) == part), None)
        model = section_of(field.annotation) if field else None
        if field is None or model is None:
            return None
        in_map = is_map(field.annotation)
    return None if in_map else model


def values_at(location: tuple[int | str, ...]) -> list[str]:
    """The values that the key at a path may have, where they are few."""
    found = field_at(location)
    annotation = found.annotation if found else None
    return [str(member) for member in annotation] if isinstance(annotation, EnumType) else []


def field_at(location: tuple[int | str, ...]) -> FieldInfo | None:
    """The field at a path; None in a list or a map, and where the path leads nowhere."""
    section = section_at(location)
    fields = section.model_fields.items() if section else ()
    return next((field for name, field in fields if (field.alias or name) == location[-1]), None)


def kind_at(location: tuple[int | str, ...]) -> Any:
    """The type of what stands at a path, items of lists and entries of maps too, with what it is checked for.

    None where the path leads nowhere.
    """
    kind: Any = Settings
    for part in location:
        kind = _kind_inside(kind, part)
    return kind


def _kind_inside(kind: Any, part: int | str) -> Any:
    plain, inner = bare(kind), typing.get_args(bare(kind))
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        found = (field for name, field in plain.model_fields.items() if (field.alias or name) == part)
        return next((Annotated[f.annotation, *f.metadata] if f.metadata else f.annotation for f in found), None)
    if typing.get_origin(plain) in (tuple, dict):
        return inner[1] if typing.get_origin(plain) is dict else inner[0]
    return next((found for found in (_kind_inside(each, part) for each in inner) if found is not None), None)


def bare(kind: Any) -> Any:
    """A type without what it is checked for."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is Annotated else kind


def is_list(kind: Any) -> bool:
    """Whether a type is a list, or may be one."""
    plain = bare(kind)
    kinds = [plain] if typing.get_origin(plain) else []
    if typing.get_origin(plain) in (typing.Union, UnionType):
        kinds = [bare(each) for each in typing.get_args(plain)]
    return any(typing.get_origin(each) is tuple for each in kinds)


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The model a field's type holds: itself, an optional one, the items of a list, the values of a map."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [section_of(each) for each in getattr(annotation, "__args__", ())]
    return next((each for each in inner if each is not None), None)


def is_map(annotation: Any) -> bool:
    """Whether a field's type is a map, whose keys the user chooses."""
    return typing.get_origin(annotation) is dict


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a section, as the stack file spells them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def places(key: str) -> list[str]:
    """Every path of the configuration at which there is such a key, lists aside."""
    return [path for path in _types() if path.rpartition(".")[2] == key]


def exists(path: str) -> bool:
    """Whether the configuration has such a key."""
    return path in _types()


def type_at(path: str) -> Any:
    """The type of the key at a path, lists aside.

    Raises:
        KeyError: there is no such key.
    """
    return _types()[path]


@functools.cache
def _types() -> dict[str, Any]:
    """Every path of the configuration in its order, lists aside, and the type of what stands there."""
    return dict(_fields(Settings, ""))


def of_another(path: str) -> bool:
    """Whether a key is right in another section of the same form, as one server's models are not another's."""
    below = path.partition(".")[2]
    return below != "" and any(each.partition(".")[2] == below for each in _types())


def keys_at(section: str) -> list[str]:
    """The keys of the section at a path, lists aside."""
    return [path.rpartition(".")[2] for path in _types() if path.rpartition(".")[0] == section]


def default_at(path: str) -> Any:
    """The default of the key at a path; None in a list or a map, whose items have none."""
    found = None if "[" in path else field_at(tuple(path.split(".")))
    return found.default if found else None


def _fields(model: type[BaseModel], above: str) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path, field.annotation
        inner = section_of(field.annotation)
        if inner is not None and typing.get_origin(field.annotation) is not tuple:
            yield from _fields(inner, f"{path}.{ANY_KEY}." if is_map(field.annotation) else f"{path}.")
