"""What is wrong with a configuration, told so that it can be mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PROJECT = "sm-realtime"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    path: str
    """Where: the path in the stack file, such as `pools.inference[1].state`; of another namespace, with it."""
    code: str
    """A constant that tests and tools match on."""
    reason: str
    """Why it is refused."""
    mend: str
    """The command or line that mends it."""

    @property
    def text(self) -> str:
        path = self.path if ":" in self.path else f"{PROJECT}:{self.path}"
        return f"{path}  [{self.code}]\n    why:  {self.reason}\n    mend: {self.mend}"


def report(stack: str, problems: Sequence[Problem]) -> str:
    """All problems as one message, in the order of their paths."""
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    return numbered(f"stacks/Pulumi.{stack}.yaml has {count}; nothing was changed.", problems)


def numbered(head: str, problems: Sequence[Problem]) -> str:
    """A first line and the problems under it."""
    ordered = sorted(problems, key=lambda problem: (problem.path, problem.code))
    lines = [f"  {number}. {problem.text}" for number, problem in enumerate(ordered, 1)]
    return "\n".join([head, *lines])


def set_command(path: str, value: object, kind: str = "") -> str:
    """The command that sets a value.

    By itself it takes whole numbers, `true` and `false` for what they are and everything else for text; the kind says
    otherwise (`float`, or `string` for text that looks like a number).
    """
    return f"pulumi config set {f'--type {kind} ' if kind else ''}--path '{path}' {value}"


def remove_command(path: str) -> str:
    """The command that takes a key away, or an item of a list."""
    return f"pulumi config rm --path '{path}'"


def set_secret(key: str, file: str) -> str:
    """The command that stores a secret encrypted, from a file so that it is in no shell history."""
    return f"pulumi config set --secret {key} < {file}"
