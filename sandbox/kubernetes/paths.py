"""Property paths as the engine writes them: `spec.replicas`, `data["a.b"]`, `spec.ports[0].port`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

Path = tuple[str | int, ...]

_STEP = re.compile(
    r"""
    (?:^|\.)(?P<name>[^.\[\]"]+)     # a plain name, after a dot or at the start
    | (?:^|\.)?\[(?P<index>\d+|\*)\] # an index, or every element
    | \["(?P<quoted>(?:[^"\\]|\\.)*)"\]
    """,
    re.VERBOSE,
)


def parse(text: str) -> Path:
    """The steps of a path; `*` stays a step of its own. Raises `ValueError` for anything that is not a path."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or match.end() == position:
            raise ValueError(f'"{text}" is not a property path (at character {position + 1})')
        if match["name"] is not None:
            steps.append(match["name"])
        elif match["quoted"] is not None:
            steps.append(match["quoted"].replace('\\"', '"'))
        else:
            steps.append("*" if match["index"] == "*" else int(match["index"]))
        position = match.end()
    if not steps:
        raise ValueError("a property path must not be empty")
    return tuple(steps)


def render(path: Path) -> str:
    """The path as the engine reads it back."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif any(character in step for character in '."[]'):
            text += '["' + step.replace('"', '\\"') + '"]'
        else:
            text += f".{step}" if text else step
    return text


def covers(pattern: Path, path: Path) -> bool:
    """Whether `path` is what `pattern` names or lies below it (`*` in the pattern stands for any step)."""
    return len(pattern) <= len(path) and all(p in ("*", s) for p, s in zip(pattern, path[: len(pattern)], strict=True))


def find(value: Any, path: Sequence[str | int]) -> tuple[bool, Any]:
    """Whether the path exists in the value, and what stands there."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return False, None
            value = value[step]
        else:
            if not isinstance(value, dict) or step not in value:
                return False, None
            value = value[step]
    return True, value
