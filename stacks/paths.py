"""Paths of the configuration, and what the schema has at them."""

from __future__ import annotations

import re
from enum import EnumType
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stacks.misplaced import is_map, keys_of, section_of
from stacks.schema import Settings


def dotted(location: tuple[int | str, ...]) -> str:
    """A path as `pulumi config set --path` takes it: `pools.inference[1].state`, `costs["en:ensemble"]`."""
    return "".join(_step(part) for part in location).removeprefix(".")


def _step(part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[-A-Za-z0-9_]+", part) else f'["{part}"]'


def keys_at(location: tuple[int | str, ...]) -> list[str]:
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
