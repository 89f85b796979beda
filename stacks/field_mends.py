"""What mends a field that is wrong by itself: the command that sets what was meant, or the line to write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, to_json

from stacks.misplaced import closest
from stacks.problem import RENAME, remove_command, set_command
from stacks.schema.paths import dotted, field_at, is_list, kind_at, section_of

Location = tuple[int | str, ...]

WHOLE = ("model_type", "dict_type", "tuple_type", "list_type", "too_short", "too_long", "not_kubernetes")
"""Errors of what is no single value."""

TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
"""Words for a switch, small letters."""

SPOKEN = re.compile(r"[A-Za-z0-9][-_.A-Za-z0-9]{0,62}")
"""Text that may be repeated where it is of a form of its own: a name or a code, no address, no line."""


def before(location: Location) -> str:
    """What stands before a value in the stack file."""
    return "-" if isinstance(location[-1], int) else f"{location[-1]}:"


def written(location: Location) -> str:
    """The line to write where no command can set what is missing, which is a section or a list of them."""
    kind = kind_at(location)
    return f"write it in the stack file: {before(location)} {'[...]' if is_list(kind) else '{...}'}"


def can_be_left_out(location: Location) -> bool:
    """Whether what stands at a path has a default, or is an item of a list or a map."""
    found = field_at(location)
    return found is None or not found.is_required()


def mended(error: ErrorDetails, location: Location) -> str:
    """The command that mends a value. A command would set a list or a map as text: they are written, or left out."""
    path, context = dotted(location), error.get("ctx", {})
    if "taken" in context:
        return " && ".join(remove_command(dotted((*location, key))) for key in context["taken"].split(", "))
    inside = re.match(
        r"`([^`]+)` (is no field|is missing|should be text|should be (?:an object|a list))?", _part_of(error)
    )
    if inside is not None:
        return _mended_inside(f"{path}.{inside[1]}", inside[2], _part_of(error))
    if error["input"] is not None and error["type"] in ("tuple_type", "list_type"):
        return _as_list(location, error["input"])
    if error["input"] is not None and error["type"] in ("model_type", "dict_type") and isinstance(location[-1], int):
        return _as_item(location, error["input"])
    if error["type"] == "wrong_type":
        return written(location)
    value = _wanted(error, location)
    if value == "null" or value[:1] in ("[", "{") or error["type"] in WHOLE:
        return remove_command(path) if can_be_left_out(location) else written(location)
    bounds = [context[key] for key in ("gt", "ge", "lt", "le") if key in context]
    is_float = error["type"] == "float_type" or any(isinstance(bound, float) for bound in bounds)
    return set_command(path, value, "float" if is_float else "")


def _as_list(location: Location, given: Any) -> str:
    """One value that should be the item of a list: commands where it may be repeated, else the line to write."""
    item = (*location, 0)
    if is_spoken(kind_at(item), given):
        return f"{remove_command(dotted(location))} && {set_command(dotted(item), _said(given))}"
    return written(location)


def _as_item(location: Location, given: Any) -> str:
    """A single value that should be an object with the one key that the object must have."""
    section = section_of(kind_at(location))
    keys = [] if section is None else [f.alias or n for n, f in section.model_fields.items() if f.is_required()]
    if len(keys) != 1:
        return f"write it in the stack file: {before(location)} {{...}}"
    value = _said(given) if is_spoken(kind_at((*location, keys[0])), given) else "..."
    return f"write it in the stack file: {before(location)} {{{keys[0]}: {value}}}"


def is_spoken(kind: Any, given: Any) -> bool:
    """Whether a value is right for a type that no secret is of, so that it may be repeated.

    These are numbers, switches, words of a choice, and short texts of a form of their own.
    """
    if isinstance(given, str):
        free = TypeAdapter(kind).json_schema()
        shaped = any(key in free for key in ("pattern", "enum", "const"))
        return shaped and SPOKEN.fullmatch(given) is not None and _is_valid(kind, given)
    return isinstance(given, int | float) and _is_valid(kind, given)


def _is_valid(kind: Any, given: Any) -> bool:
    if kind is None:
        return False
    try:
        TypeAdapter(kind).validate_json(to_json(given), strict=True)
    except ValidationError:
        return False
    return True


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _part_of(error: ErrorDetails) -> str:
    """What is wrong inside a piece of a pod, or nothing."""
    return str(error.get("ctx", {}).get("problem", ""))


def _mended_inside(path: str, what: str | None, said: str) -> str:
    """The command that mends a field inside a piece of a pod."""
    near = re.search(r"did you mean `([^`]+)`", said)
    if near is not None:
        return f"{RENAME}`{path.rpartition('.')[0]}.{near[1]}`"
    if what in ("is no field", "should be an object", "should be a list"):
        return remove_command(path)
    return set_command(path, "VALUE", "string" if what == "should be text" else "")


def allowed(error: ErrorDetails) -> list[str]:
    """The few values that a key may have."""
    if error["type"] in ("bool_type", "bool_parsing"):
        return ["true", "false"]
    parts = [part.strip("'") for part in re.split(r", | or ", str(error.get("ctx", {}).get("expected", "")))]
    return [{"True": "true", "False": "false"}.get(each, each) for each in parts if each]


def _wanted(error: ErrorDetails, location: Location) -> str:
    """What the mending command sets.

    That is the only value there is, the one that was meant, one of a few with the others beside it, or `VALUE`.
    """
    context = error.get("ctx", {})
    if "only" in context or "instead" in context:
        return str(context.get("only", context.get("instead")))
    values, given, kind = allowed(error), error["input"], kind_at(location)
    near = closest(given, values) if isinstance(given, str) else None
    meant = next((_said(each) for each in _meant(given) if _is_valid(kind, each)), near)
    if meant is not None:
        return meant
    bound = next((str(context[key]) for key in ("ge", "le") if key in context), "VALUE")
    if isinstance(context.get("gt"), int):
        bound = str(context["gt"] + 1)
    return one_of(values or [bound])


def _meant(given: Any) -> Iterator[int | float | bool]:
    """The numbers and switches that a value of another type can stand for."""
    text = str(given).strip().lower() if isinstance(given, str | int | float) else ""
    if re.fullmatch(r"-?[0-9]{1,18}(\.0+)?", text):
        yield int(text.partition(".")[0])
    if re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", text):
        yield float(text)
    if text in TRUTHS:
        yield TRUTHS[text]


def one_of(values: Sequence[str]) -> str:
    """The first of the values a key may have, with the others in a comment; `VALUE` where there are too many."""
    if not values:
        return "VALUE"
    return f"{values[0]}  # or {', '.join(values[1:])}" if values[1:] else values[0]
