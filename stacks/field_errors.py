"""What is wrong with a field by itself: the schema's errors in words of ours, each with what mends it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.field_mends import allowed, before, mended, one_of, written
from stacks.misplaced import SAME, TWO_WAYS, closest, meant_secret, not_there, one_level_down
from stacks.newer import NEWER
from stacks.problem import PROJECT, RENAME, Problem, remove_command, set_command
from stacks.schema.base import SHAPES
from stacks.schema.paths import dotted, field_at, keys_beside, of_another, section_of, values_at

Location = tuple[int | str, ...]

CODES = {
    "extra_forbidden": "unknown-key",
    "missing": "missing",
    "literal_error": "not-allowed",
    "enum": "not-allowed",
    "not_allowed": "not-allowed",
    "not_kubernetes": "not-kubernetes",
    "secret_in_clear": "secret-in-clear",
    "string_pattern_mismatch": "bad-format",
    "bad_format": "bad-format",
    "too_old": "out-of-range",
    "string_too_short": "out-of-range",
    "string_too_long": "out-of-range",
    "too_short": "out-of-range",
    "too_long": "out-of-range",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
}
"""Pydantic's error types → reason codes; every other one is a wrong type."""

WORDS = {
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a number that is not endless",
    "string_type": "should be text",
    "model_type": "should be an object",
    "dict_type": "should be an object",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "none_required": "should be null",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "string_too_short": "should not be empty",
    "string_too_long": "should have at most {max_length} characters",
    "too_short": "should have an entry at least",
    "too_long": "should have at most {max_length} entries",
}
"""Pydantic's error types → what should be there, in our words; the other types are ours, and bring theirs."""

BOUNDS = ("gt", "ge", "lt", "le")


def unknown_key(location: Location, given: Any = None) -> Problem:
    """A key the schema does not have, with the one that was probably meant, or the place where there is one."""
    path, known, key = dotted(location), keys_beside(location), str(location[-1])
    if location == ("",):
        reason = "a key without a name"
        return Problem(
            f"{PROJECT}:", "unknown-key", reason, f"take the line `{PROJECT}:` without a name out of the file"
        )
    if path in NEWER:
        return Problem(path, "unknown-key", f"there is no such key here: {NEWER[path]}", remove_command(path))
    meant = meant_secret(key) if len(location) == 1 else None
    if meant is not None:
        return meant
    twin = TWO_WAYS.get(key)
    if twin in known:
        meant_path = dotted((*location[:-1], twin))
        reason = f"the vendor's text has `{key}` and `{twin}`; the key is `{meant_path}`"
        return Problem(path, "wrong-path", reason, f"{RENAME}`{meant_path}`")
    near = SAME[key] if SAME.get(key) in known else closest(key, known)
    elsewhere = one_level_down(location, given) if near else not_there(location, given)
    if elsewhere is not None:
        return elsewhere
    near = None if near and of_another(path) else near
    reason = f"there is no such key here{f'; did you mean `{near}`?' if near else ''}"
    mend = f"{RENAME}`{dotted((*location[:-1], near))}`" if near else remove_command(path)
    return Problem(path, "unknown-key", reason, mend)


def place_of(error: ErrorDetails) -> Location:
    """Where an error is: a wrong key of a map is reported below it, as `[key]`."""
    location = error["loc"]
    return location[:-1] if location[-1:] == ("[key]",) else location


def problem_of(error: ErrorDetails) -> Problem:
    """A schema error as a person reads it. A value is repeated only where what may stand there is no secret."""
    location = place_of(error)
    value = error["input"]
    path = dotted(location)
    if error["type"] == "extra_forbidden":
        return unknown_key(location, value)
    if error["type"] == "missing":
        found = field_at(location)
        whole = found is not None and section_of(found.annotation) is not None
        mend = written(location) if whole else set_command(path, one_of(values_at(location)))
        return Problem(path, "missing", "it has no default", mend)
    if error["type"] == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        reason = "an unquoted number loses its zeros (1.10 becomes 1.1); this must be text"
        return Problem(
            path, "unquoted-number", reason, f'write it in quotes in the stack file: {before(location)} "..."'
        )
    if error["type"] == "string_type" and isinstance(value, bool):
        reason = "this must be text; unquoted, `no`, `off`, `yes` and `on` are false or true to readers of YAML 1.1"
        return Problem(
            path, "unquoted-word", reason, f'write it in quotes, such as {before(location)} "{_WORDS[value]}"'
        )
    if "take_out" in error.get("ctx", {}):
        return Problem(path, CODES[error["type"]], message(error), "take it out of the JSON text in the stack file")
    mend = remove_command(path) if location != error["loc"] else mended(error, location)
    return Problem(path, CODES.get(error["type"], "wrong-type"), f"{message(error)}{_because(error, location)}", mend)


def _because(error: ErrorDetails, location: Location) -> str:
    """Why a key has one value, as its description says; the other errors bring their own reason."""
    field = field_at(location) if error["type"] == "literal_error" and len(allowed(error)) == 1 else None
    said = (field.description or "").removesuffix(".") if field else ""
    return f": {said[0].lower()}{said[1:]}" if said else ""


_WORDS = {False: "no", True: "yes"}


def message(error: ErrorDetails) -> str:
    """What should be there instead, in words."""
    context = error.get("ctx", {})
    if error["type"] in ("enum", "literal_error"):
        values = allowed(error)
        text = f"should be one of {', '.join(values)}" if values[1:] else f"should be {values[0]}"
    elif context.get("pattern") in SHAPES:
        text = f"should be {SHAPES[context['pattern']]}"
    else:
        numbers = {key: int(each) if each == int(each) else each for key, each in context.items() if key in BOUNDS}
        text = WORDS[error["type"]].format(**context | numbers) if error["type"] in WORDS else error["msg"]
    return text[0].lower() + text[1:]


def causes(error: ValidationError) -> list[ErrorDetails]:
    """The errors of a validation, without a list called too short only because an item of it is wrong."""
    found = error.errors(include_url=False)

    def follows(each: ErrorDetails) -> bool:
        length = len(each["loc"])
        return each["type"] == "too_short" and any(
            other["loc"][:length] == each["loc"] and len(other["loc"]) > length for other in found
        )

    return [each for each in found if not follows(each)]
