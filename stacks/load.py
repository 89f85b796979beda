"""Reads the stack's configuration, all of it, and refuses it as a whole when anything in it is wrong."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pulumi
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.misplaced import (
    SEED_SECRETS,
    is_map,
    keys_of,
    meant_secret,
    not_there,
    other_namespace,
    secret_among_values,
    section_of,
    slips,
)
from stacks.problem import PROJECT, Problem, report, set_command, set_secret
from stacks.rules import check
from stacks.schema import FLOW_SECRETS, SECRET_KEYS, Settings

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
    "string_too_short": "out-of-range",
    "too_short": "out-of-range",
    "too_long": "out-of-range",
    "greater_than": "out-of-range",
    "greater_than_equal": "out-of-range",
    "less_than": "out-of-range",
    "less_than_equal": "out-of-range",
}
"""Pydantic's error types → reason codes; every other one is a wrong type."""


@dataclass(frozen=True)
class Secrets:
    """The secrets of the stack, never in clear."""

    license_json: pulumi.Output[str] | None
    registry_password: pulumi.Output[str] | None
    hugging_face_token: pulumi.Output[str] | None
    flow: Mapping[str, pulumi.Output[str]]
    """Key of Flow's Secret → its content, those that are set."""


def dotted(location: tuple[int | str, ...]) -> str:
    """A path as `pulumi config set --path` takes it: `pools.inference[1].state`, `costs["en:ensemble"]`."""
    return "".join(_step(part) for part in location).removeprefix(".")


def _step(part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[-A-Za-z0-9_]+", part) else f'["{part}"]'


def keys_at(location: tuple[int | str, ...]) -> list[str]:
    """The keys the schema has beside the last part of a path; none where the path leads nowhere."""
    model: Any = Settings
    in_map = False
    for part in location[:-1]:
        if isinstance(part, int) or in_map:
            in_map = False
            continue
        field = next((f for n, f in model.model_fields.items() if (f.alias or n) == part), None)
        model = section_of(field.annotation) if field else None
        if field is None or model is None:
            return []
        in_map = is_map(field.annotation)
    return [] if in_map else keys_of(model)


def unknown_key(location: tuple[int | str, ...]) -> Problem:
    """A key the schema does not have, with the one that was probably meant, or the place where there is one."""
    path, known, key = dotted(location), keys_at(location), str(location[-1])
    meant = meant_secret(key) if len(location) == 1 else None
    if meant is not None:
        return meant
    near = get_close_matches(key, known, n=1)
    elsewhere = None if near else not_there(path, key)
    if elsewhere is not None:
        return elsewhere
    reason = f"there is no such key here{f'; did you mean `{near[0]}`?' if near else ''}"
    remove = f"pulumi config rm --path '{path}'"
    mend = f"rename it to `{dotted((*location[:-1], near[0]))}`" if near else remove
    return Problem(path, "unknown-key", reason, mend)


def problem_of(error: ErrorDetails) -> Problem:
    """A schema error as a person reads it. The value itself is never repeated: it may be a secret."""
    # a wrong key of a map is reported below it, as `[key]`
    location = error["loc"][:-1] if error["loc"][-1:] == ("[key]",) else error["loc"]
    value = error["input"]
    path = dotted(location)
    if error["type"] == "extra_forbidden":
        return unknown_key(location)
    if error["type"] == "missing":
        return Problem(path, "missing", "it has no default", set_command(path, "VALUE"))
    if error["type"] == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        reason = "an unquoted number loses its zeros (1.10 becomes 1.1); this must be text"
        return Problem(path, "unquoted-number", reason, f'write it in quotes in the stack file: {location[-1]}: "..."')
    message = error["msg"][0].lower() + error["msg"][1:]
    wanted = error.get("ctx", {}).get("only", "VALUE")
    return Problem(path, CODES.get(error["type"], "wrong-type"), message, set_command(path, wanted))


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
            continue
        if full in flagged:
            reason = "only flat keys made for it hold secrets; inside an object one would show in the state"
            remove = f"pulumi config rm {key}"
            problems.append(meant_secret(key) or Problem(key, "secret-not-allowed", reason, remove))
            continue
        document[key] = text if key in SCALARS else _parsed(text)
    problems += [secret_among_values(path) for path in SEED_SECRETS if _take(document, path)]
    return document, problems + slips(document)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _take(document: dict[str, Any], path: str) -> bool:
    """Remove the value at a path; whether there was one with content (the seed's own default is empty text)."""
    *above, last = path.split(".")
    parent: Any = document
    for part in above:
        parent = parent.get(part) if isinstance(parent, dict) else None
    return isinstance(parent, dict) and parent.pop(last, None) not in (None, "")


def read(config: Mapping[str, str], flagged: Collection[str]) -> tuple[Settings | None, list[Problem]]:
    """The settings, or everything that is wrong with them.

    `config` is all of the stack's configuration by full key, objects as JSON text; `flagged` are the full keys that
    hold secrets. Rules between fields are looked at once every field by itself is right.
    """
    document, problems = _document(config, flagged)
    try:
        settings = Settings.model_validate_json(json.dumps(document))
    except ValidationError as error:
        return None, problems + [problem_of(each) for each in causes(error)]
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
    config = pulumi.Config(PROJECT)
    flow = {name: config.get_secret(key) for name, (key, _) in FLOW_SECRETS.items()}
    return settings, Secrets(
        license_json=config.get_secret("licenseJson"),
        registry_password=config.get_secret("registryPassword"),
        hugging_face_token=config.get_secret("huggingFaceToken"),
        flow={name: value for name, value in flow.items() if value is not None},
    )
