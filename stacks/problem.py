"""What is wrong with a configuration, told so that it can be mended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

PROJECT = "sm-realtime"

RENAME = "rename it to "
"""How a mend begins that gives a key another place; more than one is told where both may have been meant."""


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
    """All problems as one message, in an order in which what mends them can be done."""
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    return numbered(f"stacks/Pulumi.{stack}.yaml has {count}; nothing was changed.", problems)


def numbered(head: str, problems: Sequence[Problem]) -> str:
    """A first line and the problems under it."""
    lines = [f"  {number}. {problem.text}" for number, problem in enumerate(ordered(problems), 1)]
    return "\n".join([head, *lines])


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Problems in the order of the places that their mends change, with which the mends can be done one by one.

    The last item of a list comes first, so that one that is taken out does not move those that are still to be mended;
    and what is inside of something comes before it, which may be taken out itself.
    """
    return sorted(problems, key=lambda each: (_order(changed(each)), each.path, each.code))


def _order(path: str) -> list[tuple[bool, str, int]]:
    inside = [(False, "", -each) if isinstance(each, int) else (False, each, 0) for each in steps(path)]
    return [*inside, (True, "", 0)]


def changed(problem: Problem) -> str:
    """The place that what mends a problem changes first: its own, if no command says another."""
    found = re.search("--path '([^']+)'", problem.mend)
    return found[1] if found else problem.path


def steps(path: str) -> tuple[int | str, ...]:
    """The parts of a path as `pulumi config set --path` reads it."""
    found = re.findall(r'\["([^"]*)"\]|\[([0-9]+)\]|([^.\[\]]+)', path)
    return tuple(int(index) if index else plain or key for key, index, plain in found)


def once(problems: Iterable[Problem]) -> list[Problem]:
    """What one removal from a list mends as one problem, with every reason: done twice, it would remove the next."""
    told: list[Problem] = []
    for problem in problems:
        removal = re.fullmatch(r"pulumi config rm --path '[^']*\[[0-9]+\]'", problem.mend)
        first = next((at for at, each in enumerate(told) if removal and each.mend == problem.mend), None)
        if first is None:
            told.append(problem)
        elif problem.reason not in told[first].reason:
            told[first] = replace(told[first], reason=f"{told[first].reason}; and {problem.reason}")
    return told


def renamed(mend: str) -> list[str]:
    """The paths of ours that a key may be renamed to; none where something else mends it."""
    if not mend.startswith(RENAME):
        return []
    return [path.removeprefix(f"{PROJECT}:") for path in re.findall("`([^`]+)`", mend)]


def not_overwritten(problems: Iterable[Problem], config: Mapping[str, Any]) -> Iterator[Problem]:
    """Renaming a key to one that is set, or that another is renamed to, would overwrite that; then both are named.

    `config` is the whole configuration by full key, with objects as such.
    """
    taken: set[str] = set()
    for problem in problems:
        paths = renamed(problem.mend)
        there = next((path for path in paths if path in taken or _is_set(config, path)), None)
        taken |= set(paths)
        if there is None:
            yield problem
            continue
        remove = f"pulumi config rm {problem.path}" if ":" in problem.path else remove_command(problem.path)
        mend = f"`{there}` is set already: write there what is right of both, then {remove}"
        yield replace(problem, mend=mend)


def _is_set(config: Mapping[str, Any], path: str) -> bool:
    if ":" in path:
        return path in config
    top, *inner = steps(path)
    here = config.get(f"{PROJECT}:{top}")
    for step in inner:
        if isinstance(here, dict):
            here = here.get(str(step))
        else:
            here = here[step] if isinstance(here, list) and isinstance(step, int) and step < len(here) else None
    return here is not None


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
