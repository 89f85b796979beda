"""Reads the stack's configuration, all of it, and refuses it as a whole when anything in it is wrong."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pulumi
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.misplaced import (
    SEED_SECRETS,
    closest,
    flagged_key,
    meant_secret,
    not_there,
    other_namespace,
    plain,
    secret_among_values,
    slips,
    take,
)
from stacks.problem import PROJECT, Problem, remove_command, report, set_command, set_secret
from stacks.rules import check
from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.base import SHAPES
from stacks.schema.paths import dotted, field_at, keys_beside, of_another, section_of, values_at
from stacks.secrets import Secrets, expiry_warning, secrets_of, unreadable

REFUSED = 32
"""Exit code with which the language host takes the message as shown already."""

SCALARS = ("release", "namespace")
"""Top-level keys whose value is text; every other one is an object."""

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
    "too_short": "out-of-range",
    "too_long": "out-of-range",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
}
"""Pydantic's error types → reason codes; every other one is a wrong type."""


def unknown_key(location: tuple[int | str, ...], given: Any = None) -> Problem:
    """A key the schema does not have, with the one that was probably meant, or the place where there is one."""
    path, known, key = dotted(location), keys_beside(location), str(location[-1])
    if location == ("",):
        reason = "a key without a name"
        return Problem(
            f"{PROJECT}:", "unknown-key", reason, f"take the line `{PROJECT}:` without a name out of the file"
        )
    meant = meant_secret(key) if len(location) == 1 else None
    if meant is not None:
        return meant
    near = closest(key, known)
    elsewhere = None if near else not_there(location, given)
    if elsewhere is not None:
        return elsewhere
    near = None if near and of_another(path) else near
    reason = f"there is no such key here{f'; did you mean `{near}`?' if near else ''}"
    mend = f"rename it to `{dotted((*location[:-1], near))}`" if near else remove_command(path)
    return Problem(path, "unknown-key", reason, mend)


def problem_of(error: ErrorDetails) -> Problem:
    """A schema error as a person reads it. The value itself is never repeated: it may be a secret."""
    # a wrong key of a map is reported below it, as `[key]`
    location = error["loc"][:-1] if error["loc"][-1:] == ("[key]",) else error["loc"]
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
    return Problem(path, CODES.get(error["type"], "wrong-type"), message(error), mend)


def before(location: tuple[int | str, ...]) -> str:
    """What stands before a value in the stack file."""
    return "-" if isinstance(location[-1], int) else f"{location[-1]}:"


def written(location: tuple[int | str, ...]) -> str:
    """The line to write where no command can set what is missing, which is a section."""
    return f"write it in the stack file: {before(location)} {{...}}"


def can_be_left_out(location: tuple[int | str, ...]) -> bool:
    """Whether what stands at a path has a default, or is an item of a list or a map."""
    found = field_at(location)
    return found is None or not found.is_required()


def mended(error: ErrorDetails, location: tuple[int | str, ...]) -> str:
    """The command that mends a value. Null, a list and a map can only be left out: a command would set their text."""
    path, context = dotted(location), error.get("ctx", {})
    if "taken" in context:
        return " && ".join(remove_command(dotted((*location, key))) for key in context["taken"].split(", "))
    inside = re.match(
        r"`([^`]+)` (is no field|is missing|should be text|should be (?:an object|a list))?", part_of(error)
    )
    if inside is not None:
        return mended_inside(f"{path}.{inside[1]}", inside[2], part_of(error))
    value = wanted(error)
    if value == "null" or value[:1] in ("[", "{") or error["type"] in _WHOLE:
        return remove_command(path) if can_be_left_out(location) else written(location)
    bounds = [context[key] for key in ("gt", "ge", "lt", "le") if key in context]
    is_float = error["type"] == "float_type" or any(isinstance(bound, float) for bound in bounds)
    return set_command(path, value, "float" if is_float else "")


_WHOLE = ("model_type", "dict_type", "tuple_type", "list_type", "too_short", "too_long", "not_kubernetes")
"""Errors of what is no single value."""


def part_of(error: ErrorDetails) -> str:
    """What is wrong inside a piece of a pod, or nothing."""
    return str(error.get("ctx", {}).get("problem", ""))


def mended_inside(path: str, what: str | None, said: str) -> str:
    """The command that mends a field inside a piece of a pod."""
    near = re.search(r"did you mean `([^`]+)`", said)
    if near is not None:
        return f"rename it to `{path.rpartition('.')[0]}.{near[1]}`"
    if what in ("is no field", "should be an object", "should be a list"):
        return remove_command(path)
    return set_command(path, "VALUE", "string" if what == "should be text" else "")


_WORDS = {False: "no", True: "yes"}


def message(error: ErrorDetails) -> str:
    """What should be there instead, in words."""
    pattern = error.get("ctx", {}).get("pattern")
    text = f"should be {SHAPES[pattern]}" if pattern in SHAPES else error["msg"]
    return text[0].lower() + text[1:]


def wanted(error: ErrorDetails) -> str:
    """What the mending command sets: the one value there is, one of a few with the others beside it, or `VALUE`."""
    context = error.get("ctx", {})
    if "only" in context or "instead" in context:
        return str(context.get("only", context.get("instead")))
    if error["type"] in ("bool_type", "bool_parsing"):
        allowed = ["true", "false"]
    else:
        allowed = [part.strip("'") for part in re.split(r", | or ", str(context.get("expected", "")))]
    allowed = [{"True": "true", "False": "false"}.get(each, each) for each in allowed if each]
    bound = next((str(context[key]) for key in ("ge", "le") if key in context), "VALUE")
    return one_of(allowed or [bound])


def one_of(values: Sequence[str]) -> str:
    """The first of the values a key may have, with the others in a comment; `VALUE` where there are too many."""
    if not values:
        return "VALUE"
    return f"{values[0]}  # or {', '.join(values[1:])}" if values[1:] else values[0]


def causes(error: ValidationError) -> list[ErrorDetails]:
    """The errors of a validation, without a list called too short only because an item of it is wrong."""
    found = error.errors(include_url=False)

    def follows(each: ErrorDetails) -> bool:
        length = len(each["loc"])
        return each["type"] == "too_short" and any(
            other["loc"][:length] == each["loc"] and len(other["loc"]) > length for other in found
        )

    return [each for each in found if not follows(each)]


def _document(config: Mapping[str, str], flagged: Collection[str]) -> tuple[dict[str, Any], list[Problem]]:
    """The configuration as one object, and what is wrong with its secrets."""
    document: dict[str, Any] = {}
    problems: list[Problem] = []
    for full, text in config.items():
        namespace, _, key = full.partition(":")
        if namespace != PROJECT:
            problems += [each for each in (other_namespace(full),) if each is not None]
            continue
        if key in SECRET_KEYS:
            if full not in flagged:
                reason = f"{SECRET_KEYS[key]}, in clear"
                problems.append(Problem(key, "secret-in-clear", reason, set_secret(key, "FILE")))
            elif text:
                problems += unreadable(key, text)
            continue
        if full in flagged:
            problems += flagged_key(key, _parsed(text))
            continue
        document[key] = text if key in SCALARS else _parsed(text)
    problems += [
        secret_among_values(path) for path in SEED_SECRETS if not plain(document, path) and take(document, path)
    ]
    return document, problems + slips(document)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def fields(config: Mapping[str, str], flagged: Collection[str]) -> tuple[Settings | None, list[Problem]]:
    """The settings where every field by itself is right, and what is wrong before rules between fields are looked at.

    `config` is all of the stack's configuration by full key, objects as JSON text; `flagged` are the full keys that
    hold secrets. A section that is left out because it is flagged is not called missing, nor is anything else said that
    follows from its absence.
    """
    document, problems = _document(config, flagged)
    unread = {problem.path.partition(".")[0] for problem in problems if problem.code == "secret-not-allowed"}
    try:
        settings = Settings.model_validate_json(json.dumps(document))
    except ValidationError as error:
        found = [each for each in causes(error) if each["type"] != "missing" or each["loc"][0] not in unread]
        return None, problems + [problem_of(each) for each in found]
    return (None if unread else settings), problems


def read(config: Mapping[str, str], flagged: Collection[str]) -> tuple[Settings | None, list[Problem]]:
    """The settings, or everything that is wrong with them: field by field, then between fields."""
    settings, problems = fields(config, flagged)
    if settings is None:
        return None, problems
    present = {key for key in SECRET_KEYS if config.get(f"{PROJECT}:{key}")}
    problems += check(settings, present)
    return (None if problems else settings), problems


def load() -> tuple[Settings, Secrets]:
    """The stack's settings and secrets. Ends the program with one message when anything is wrong."""
    flagged = pulumi.runtime.config.get_config_secret_keys_env()
    settings, problems = read(pulumi.runtime.get_config_env(), flagged)
    if settings is None:
        pulumi.log.error(report(pulumi.get_stack(), problems))
        sys.exit(REFUSED)
    said = expiry_warning(pulumi.runtime.get_config_env(), datetime.now(UTC))
    if said:
        pulumi.log.warn(said)
    return settings, secrets_of(pulumi.Config(PROJECT))
