"""A stack's file as the engine hands it to the program, but for its secrets, which nobody decrypts here."""

from __future__ import annotations

import json
from typing import Any

import yaml

from operations.reference import ROOT
from stacks.problem import PROJECT, Problem
from stacks.secrets import DATABASE, LICENSE, REDIS_ADDRESSES

FOLDER = ROOT / "stacks"

STAND_IN = {LICENSE: "{}", **dict.fromkeys(REDIS_ADDRESSES, "redis://to-be-set"), DATABASE: "sql://to-be-set"}


class StackError(Exception):
    """A stack file that cannot be looked at."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


def stand_in(key: str) -> str:
    """What stands for a secret's content while only the rest is looked at."""
    return STAND_IN.get(key, "to be set")


def configuration(stack: str) -> tuple[dict[str, str], list[str]]:
    """The configuration by full key, objects as JSON text, and the keys that hold secrets.

    Raises:
        StackError: there is no such file, or it is no stack file.
    """
    file = FOLDER / f"Pulumi.{stack}.yaml"
    at = f"stacks/{file.name}"
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        config = (document or {}).get("config") or {}
        return (
            {str(key): _text(str(key), value) for key, value in config.items()},
            [str(key) for key, value in config.items() if _is_secret(value)],
        )
    except FileNotFoundError as error:
        known = sorted(each.name.removeprefix("Pulumi.").removesuffix(".yaml") for each in FOLDER.glob("Pulumi.*.yaml"))
        mend = f"name one of these with --stack: {', '.join(known)}"
        raise StackError(Problem(at, "no-file", "there is no such stack file", mend)) from error
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise StackError(Problem(at, "no-file", reason, f"make {at} readable")) from error
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, ValueError, RecursionError) as error:
        raise StackError(Problem(at, "no-yaml", "it is no stack file in YAML", f"correct {at}")) from error


def _text(key: str, value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"secure"}:
        return stand_in(key.removeprefix(f"{PROJECT}:"))
    # an unquoted date is text for Pulumi
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _is_secret(value: Any) -> bool:
    """Whether the engine takes a value for a secret: it is one, or one is in it."""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(map(_is_secret, value.values()))
    return isinstance(value, list) and any(map(_is_secret, value))
