"""Secrets among values: where the chart has them, and where people put them. None is ever copied."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operations.importing.tree import GONE, Path, get, remove
from stacks.load import dotted
from stacks.misplaced import SEED_SECRETS, exists, is_plain
from stacks.problem import Problem

NAME = re.compile(
    r"(password|passwd|secret|token|(api|access|private)[-_]?key|conn(ection)?[-_]?str(ing)?)$", re.IGNORECASE
)
"""Names whose values are secrets, in all likelihood."""

IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
"""An address with a password in it."""


SPEAKER_KEYS = ("transcribers", "transcriber", "speakerId", "keys")
"""Not keys, but their names in an existing Secret."""


@dataclass(frozen=True)
class Secret:
    """A secret at the chart's own place."""

    path: str
    key: str
    """The flat key here."""
    encoded: bool
    """Whether it stands there in base64."""

    def command(self, file: str, stack: str) -> str:
        """How to store it without showing it: from the values file straight into the stack's encrypted ones."""
        decode = " | base64 -d" if self.encoded else ""
        return f"{from_file(self.path, file)}{decode} | pulumi config set --secret {self.key} --stack {stack}"


def from_file(path: str, file: str) -> str:
    """The command that prints what stands at a path of a values file."""
    steps = "".join(f".{part}" if part.isidentifier() else f'["{part}"]' for part in path.split("."))
    return f"yq -r {shlex.quote(steps if steps.startswith('.') else f'.{steps}')} {shlex.quote(file)}"


def taken(values: dict[str, Any]) -> tuple[list[Secret], list[Problem]]:
    """The secrets at the chart's places, taken out of the values, and those for which there is no flat key any more.

    Empty text is the chart's own default.
    """
    found: dict[str, tuple[Secret, Any]] = {}
    problems: list[Problem] = []
    for path, secret in SEED_SECRETS.items():
        steps = tuple(path.split("."))
        value = get(values, steps)
        if value is GONE or is_plain(path, value):
            continue
        remove(values, steps)
        if value in (None, ""):
            continue
        first, stored = found.setdefault(secret.key, (Secret(path, secret.key, secret.encoded), value))
        if value != stored:
            reason = f"`{secret.key}` holds one content, here that of `{first.path}`; this is another one"
            mend = "keep one of the two, or make a Secret of this one in the cluster and name it"
            problems.append(Problem(path, "another-content", reason, mend))
    return [each for each, _ in found.values()], problems


def hidden(values: dict[str, Any]) -> list[Problem]:
    """What looks like a secret at another place, taken out of the values."""
    found = []
    for path in sorted(_hidden(values, ()), key=lambda path: [str(part).rjust(4) for part in path], reverse=True):
        reason = "by its name or form this is a secret, and a stack file keeps it in clear"
        mend = "make a Secret of it in the cluster and refer to it (valueFrom.secretKeyRef), or set it by a flat key"
        found.append(Problem(dotted(path), "secret-in-clear", reason, mend))
        remove(values, path)
    return found


def _named(path: Path, value: Any) -> bool:
    """Whether text is a secret by the name of its key; that of an annotation only refers to one."""
    if not isinstance(value, str) or not value or exists(dotted(path)):
        return False
    name, above = str(path[-1]), [str(part).lower() for part in path[:-1]]
    if value.startswith("os.environ/") or path[:-1] == SPEAKER_KEYS:
        return False
    refers = name.lower().startswith("existing") or any(part.endswith(("annotations", "labels")) for part in above)
    return NAME.search(name) is not None and not refers


def _hidden(tree: Any, path: Path) -> Iterator[Path]:
    if isinstance(tree, list):
        for index, each in enumerate(tree):
            yield from _hidden(each, (*path, index))
    elif isinstance(tree, dict):
        name = tree.get("name")
        if isinstance(name, str) and NAME.search(name) and isinstance(tree.get("value"), str) and tree["value"]:
            yield path
            return
        for key, each in tree.items():
            if _named((*path, key), each) or (isinstance(each, str) and IN_URL.search(each)):
                yield (*path, key)
            else:
                yield from _hidden(each, (*path, key))
    elif isinstance(tree, str) and IN_URL.search(tree):
        yield path
