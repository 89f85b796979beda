"""The annotation `pulumi.com/waitFor`: `condition=Type[=Status]`, `jsonpath={.path}[=value]`, or a JSON list of them.

The JSONPath is the part of kubectl's that `kubectl wait` is used with: names, quoted names, indexes, `[*]` and
filters on equality. Anything else is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.objects import RefusedError, metadata_of

Json = dict[str, Any]
Step = Callable[[Any], list[Any]]

_STEPS = re.compile(
    r"""
    \.(?P<name>[A-Za-z0-9_\-/]+(?:\\\.[A-Za-z0-9_\-/]+)*)
    | \[(?P<index>\d+)\]
    | (?P<all>\[\*\])
    | \[['"](?P<quoted>[^'"]+)['"]\]
    | \[\?\(@\.(?P<key>[A-Za-z0-9_\-]+)\s*==\s*["'](?P<wanted>[^"']*)["']\)\]
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Expectation:
    """One thing to wait for: its text, and whether an object fulfils it."""

    text: str
    met: Callable[[Json], bool]


def parse(annotation: str) -> list[Expectation]:
    """The expectations in an annotation. Raises `RefusedError` for what cannot be read."""
    try:
        listed = json.loads(annotation)
    except ValueError:
        listed = [annotation]
    if not isinstance(listed, list) or not listed or not all(isinstance(text, str) for text in listed):
        raise RefusedError(f"pulumi.com/waitFor: at least one condition must be specified, got {annotation!r}")
    return [_expectation(text) for text in listed]


def _expectation(text: str) -> Expectation:
    if text.startswith("condition="):
        kind, _, status = text.removeprefix("condition=").partition("=")
        return Expectation(text, lambda obj: _has_condition(obj, kind, status or "True"))
    if text.startswith("jsonpath="):
        steps, wanted = _json_path(text.removeprefix("jsonpath="))
        return Expectation(text, lambda obj: _matches(obj, steps, wanted))
    raise RefusedError(f'pulumi.com/waitFor: expected a "jsonpath=" or "condition=" prefix, got "{text}"')


def _has_condition(obj: Json, kind: str, status: str) -> bool:
    current = obj.get("status") or {}
    for condition in current.get("conditions") or []:
        if str(condition.get("type", "")).lower() != kind.lower():
            continue
        seen = condition.get("observedGeneration", current.get("observedGeneration"))
        if isinstance(seen, int) and seen < int(metadata_of(obj).get("generation") or 0):
            return False
        return str(condition.get("status", "")).lower() == status.lower()
    return False


def _json_path(text: str) -> tuple[list[Step], str | None]:
    match = re.fullmatch(r"(?:\{(?P<braced>[^}]*)\}|(?P<bare>[^=]*))(?:=(?P<wanted>.*))?", text)
    path = (match["braced"] if match["braced"] is not None else match["bare"]) if match else ""
    if match is None or not path:
        raise RefusedError(f'pulumi.com/waitFor: "{text}" is not of the form {{.path}} or {{.path}}=value')
    if not path.startswith((".", "[")):
        path = f".{path}"
    steps: list[Step] = []
    position = 0
    while position < len(path):
        found = _STEPS.match(path, position)
        if found is None:
            raise RefusedError(f'pulumi.com/waitFor: cannot read "{path[position:]}" of the JSONPath "{path}"')
        steps.append(_step(found))
        position = found.end()
    wanted = match["wanted"]
    return steps, wanted.strip("'\"") if wanted is not None else None


def _step(found: re.Match[str]) -> Step:
    if found["index"] is not None:
        index = int(found["index"])
        return lambda value: value[index : index + 1] if isinstance(value, list) else []
    if found["all"] is not None:
        return lambda value: (
            value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
        )
    if found["key"] is not None:
        key, wanted = found["key"], found["wanted"]
        return lambda value: (
            [item for item in value if isinstance(item, dict) and str(item.get(key)) == wanted]
            if isinstance(value, list)
            else []
        )
    name = found["quoted"] if found["quoted"] is not None else found["name"].replace("\\.", ".")
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _matches(obj: Json, steps: list[Step], wanted: str | None) -> bool:
    values: list[Any] = [obj]
    for step in steps:
        values = [item for value in values for item in step(value)]
    if wanted is None:
        return bool(values)
    return len(values) == 1 and _text(values[0]) == wanted


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
