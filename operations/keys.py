"""Every key of the configuration: its path, type, default, description, and what kind of key it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.base import only_value
from stacks.schema.paths import ANY_KEY, section_of

ANY_ITEM = "[]"
"""In a path: an item of a list."""

OURS = ("azure", "pools", "ingress", "redis", "sessions", "protection", "pullSecret", "release", "namespace")
"""Top-level keys that the chart does not have."""

UNREAD = re.compile(r"nothing reads|read by nothing|no template reads|can never take effect", re.IGNORECASE)


class Kind(StrEnum):
    """What becomes of a key."""

    EFFECTIVE = "effective"
    """It reaches a field of an object."""
    FIXED = "fixed"
    """Only its default is accepted, and the reason stands with it."""
    INERT = "inert"
    """Nothing reads it; only its default is accepted."""
    SECRET = "secret"
    """A flat key of its own, kept encrypted."""


@dataclass(frozen=True)
class Key:
    """One key."""

    path: str
    """As the stack file has it: `pools.inference[].vmSize`, `proxy.proxy.deployments.<key>.active`."""
    kind: Kind
    type: str
    default: Any
    """As JSON; None also where there is none."""
    required: bool
    description: str
    ours: bool
    section: bool
    """Whether it only holds other keys."""
    field: FieldInfo | None = None


def keys() -> list[Key]:
    """Every key of the configuration, in the order of the schema, the secrets last."""
    return [*_of(Settings, "", None, ours=False), *_secrets()]


def _secrets() -> Iterator[Key]:
    for key, description in SECRET_KEYS.items():
        text = f"{description[0].upper()}{description[1:]}."
        yield Key(key, Kind.SECRET, "text", None, False, text, ours=True, section=False)


def _of(model: type[BaseModel], above: str, instance: BaseModel | None, *, ours: bool) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        default = _default(field, name, instance)
        mine = ours or path in OURS or (field.description or "").startswith("Ours")
        inner = section_of(field.annotation)
        plain = inner is not None and not is_list(field.annotation) and not is_map(field.annotation)
        required = field.is_required() and instance is None
        shown = None if plain else to_jsonable_python(default, by_alias=True, exclude_none=True)
        yield Key(path, kind_of(field), type_of(field), shown, required, field.description or "", mine, plain, field)
        if inner is None:
            continue
        step = f"{ANY_ITEM}." if is_list(field.annotation) else f".{ANY_KEY}." if is_map(field.annotation) else "."
        below = default if plain and isinstance(default, inner) else None
        yield from _of(inner, f"{path}{step}", below, ours=mine)


def _default(field: FieldInfo, name: str, instance: BaseModel | None) -> Any:
    if instance is not None:
        return getattr(instance, name)
    return None if field.is_required() else field.get_default(call_default_factory=True)


def is_list(annotation: Any) -> bool:
    """Whether a field's type is a list."""
    return any(get_origin(each) is tuple for each in members(annotation))


def is_map(annotation: Any) -> bool:
    """Whether a field's type is a map, whose keys the user chooses."""
    return any(get_origin(each) is dict for each in members(annotation))


def members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union but for null, or the type itself; without their annotations."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(each for part in get_args(annotation) if part is not NoneType for each in members(part))
    return (annotation,)


def kind_of(field: FieldInfo) -> Kind:
    """Whether a field takes another value than its default, and whether anything would read it."""
    one = only_value(field)
    if one is None:
        return Kind.EFFECTIVE
    return Kind.INERT if UNREAD.search(f"{one.reason} {field.description}") else Kind.FIXED


NAMES = {bool: "bool", int: "int", float: "number", str: "text", NoneType: "null"}


def type_of(field: FieldInfo) -> str:
    """A field's type as a person reads it."""
    bounds = [f"{sign} {value}" for each in field.metadata for sign, value in _bounds(each)]
    return ", ".join([_type(field.annotation), *bounds])


def _bounds(constraint: Any) -> Iterator[tuple[str, Any]]:
    for sign, name in (("≥", "ge"), (">", "gt"), ("≤", "le"), ("<", "lt")):
        if hasattr(constraint, name):
            yield sign, getattr(constraint, name)


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(each) for each in inner)
    if origin is Literal:
        return " or ".join(f"`{_word(each)}`" for each in inner)
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return "object" if inner[1] is Any else f"map of {_type(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    return NAMES.get(annotation, "object")


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
