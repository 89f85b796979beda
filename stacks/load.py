"""Reads the stack's configuration, all of it, and refuses it as a whole when anything in it is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pulumi
from pydantic import ValidationError

from stacks.ending import REFUSED
from stacks.field_errors import Location, causes, place_of, problem_of
from stacks.misplaced import SEED_SECRETS, flagged_key, other_namespace, plain, secret_among_values, slips, take
from stacks.problem import PROJECT, Problem, not_overwritten, once, renamed, report, set_secret, steps
from stacks.remains import Contents, remains
from stacks.rules import check
from stacks.schema import SECRET_KEYS, Settings
from stacks.secrets import Secrets, expiry_warning, secrets_of, unreadable

SCALARS = ("release", "namespace")
"""Top-level keys whose value is text; every other one is an object."""


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


class Found(NamedTuple):
    """What a configuration says field by field."""

    settings: Settings | None
    """All of it; None where a field by itself is wrong."""
    rest: Settings
    """What is right of it."""
    unread: frozenset[str]
    """Secret keys of which it is not known whether they will have content."""
    problems: list[Problem]


def _fields(config: Mapping[str, str], flagged: Collection[str]) -> Found:
    document, problems = _document(config, flagged)
    left_out = {problem.path.partition(".")[0] for problem in problems if problem.code == "secret-not-allowed"}
    places: list[Location] = [(key,) for key in left_out]
    settings = None
    try:
        settings = Settings.model_validate_json(json.dumps(document))
    except ValidationError as error:
        places += [place_of(each) for each in error.errors(include_url=False)]
        found = [each for each in causes(error) if each["type"] != "missing" or each["loc"][0] not in left_out]
        problems += [problem_of(each) for each in found]
    # what a key was meant to be is not known either
    places += [steps(path) for problem in problems for path in renamed(problem.mend)]
    secrets = frozenset(key for problem in problems for key in SECRET_KEYS if set_secret(key, "") in problem.mend)
    whole = settings is not None and not places
    rest = settings if settings is not None and whole else remains(document, places)
    return Found(None if left_out else settings, rest, secrets, problems)


def fields(config: Mapping[str, str], flagged: Collection[str]) -> tuple[Settings | None, list[Problem]]:
    """The settings where every field by itself is right, and what is wrong before rules between fields are looked at.

    `config` is all of the stack's configuration by full key, objects as JSON text; `flagged` are the full keys that
    hold secrets. A section that is left out because it is flagged is not called missing, nor is anything else said that
    follows from its absence.
    """
    found = _fields(config, flagged)
    return found.settings, found.problems


def read(config: Mapping[str, str], flagged: Collection[str]) -> tuple[Settings | None, list[Problem]]:
    """The settings, or everything that is wrong with them: each field, and what is between those that are right."""
    found = _fields(config, flagged)
    present = {key for key in SECRET_KEYS if config.get(f"{PROJECT}:{key}")}
    problems = found.problems + check(found.rest, Contents(present, found.unread))
    told = once(not_overwritten(problems, {key: _parsed(text) for key, text in config.items()}))
    return (None if told else found.settings), told


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
