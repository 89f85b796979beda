"""The mend of every problem in the cases: a command or a line, and what can be tried is tried: it mends."""

from __future__ import annotations

import functools
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from stacks.load import read
from stacks.problem import PROJECT, Problem, report
from stacks.schema import SECRET_KEYS
from tests.unit.cases import ERRORS, SCALARS, given, name
from tests.yaml_file import read_yaml

COMMANDS = ("pulumi config set", "pulumi config rm", "kubectl create secret generic")
"""How a command begins; one after another they are joined by `&&`."""

LINES = re.compile(
    "|".join(
        (
            r"rename it to `[^`]+`((, `[^`]+`)* or `[^`]+`)?",
            r"`[^`]+` is set already: write there what is right of both, then pulumi config rm .+",
            r"take (it|the line `sm-realtime:` without a name) out of the (file|JSON text in the stack file)",
            r'write it in quotes in the stack file: (-|[A-Za-z]+:) "\.\.\."',
            r'write it in quotes, such as (-|[A-Za-z]+:) "(no|yes)"',
            r"write it in the stack file: ([-A-Za-z0-9_]+:|-) (\{(name: )?\.\.\.\}|\[\.\.\.\])",
            r"write it in the stack file: - \{name: [-a-z0-9]+\}",
            r"write it in the stack file, in [A-Za-z0-9.]+: - \{name: [-a-z0-9]+, \.\.\.\}",
            r"write a further generation: \{.+\}",
        )
    )
)
"""What is written in the stack file by hand, where no command can do it."""

RENAME = re.compile("rename it to `([^`]+)`")

OPEN = re.compile(r"\b(VALUE|NAME|HOST|DOMAIN|RANGE|PRESET)$")
"""What the user has to put in."""

Config = dict[str, str]


def steps(path: str) -> list[str | int]:
    """A path as `pulumi config set --path` reads it."""
    found = re.findall(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)', path)
    return [int(index) if index else key or plain for key, index, plain in found]


class Stack:
    """The configuration of a case, and what the commands of Pulumi 3.255 do to it."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.config, self.flagged = given(case)

    def _section(self, key: str) -> Any:
        text = self.config.get(f"{PROJECT}:{key}", "{}")
        return text if key in SCALARS else json.loads(text)

    def _keep(self, key: str, value: Any) -> None:
        self.config[f"{PROJECT}:{key}"] = value if key in SCALARS else json.dumps(value)

    def put(self, path: str, value: Any) -> None:
        top, *inner = steps(path)
        document: Any = {"": self._section(str(top))}
        here, way = document, ["", *inner]
        for step, after in zip(way[:-1], inner, strict=True):
            empty: Any = [] if isinstance(after, int) else {}
            if isinstance(here, list) and step == len(here):
                here.append(empty)
            elif isinstance(here, dict) and here.get(str(step)) is None:
                here[str(step)] = empty
            here = here[step]
        if isinstance(here, list) and way[-1] == len(here):
            here.append(value)
        else:
            here[way[-1]] = value
        self._keep(str(top), document[""])

    def take(self, path: str) -> Any:
        """Take away what stands at a path; nothing where the path leads nowhere."""
        if ":" in path.partition("[")[0]:
            return self.config.pop(path, None)
        top, *inner = steps(path)
        if not inner:
            self.flagged = [each for each in self.flagged if each != f"{PROJECT}:{top}"]
            text = self.config.pop(f"{PROJECT}:{top}", None)
            return (
                None
                if text is None
                else text
                if top in SCALARS or not text.startswith(("{", "["))
                else json.loads(text)
            )
        document = here = self._section(str(top))
        for step in inner[:-1]:
            here = here.get(step) if isinstance(here, dict) else here[step]
            if here is None:
                return None
        value = here.pop(inner[-1], None) if isinstance(here, dict) else here.pop(inner[-1])
        self._keep(str(top), document)
        return value

    def tried(self, problem: Problem) -> bool:
        """Do what mends a problem; whether all of it could be done without asking anybody."""
        renamed = RENAME.fullmatch(problem.mend)
        if renamed is not None:
            value = self.take(problem.path)
            self.put(renamed[1].removeprefix(f"{PROJECT}:"), json.loads(value) if ":" in problem.path else value)
            return True
        secrets = re.findall(r"pulumi config set --secret (\S+) < \S+$", problem.mend)
        assert set(secrets) <= SECRET_KEYS.keys()
        commands = [each for each in problem.mend.split(" && ") if "--secret " not in each]
        asks = OPEN.search(problem.mend.partition("  #")[0]) or any(
            word in problem.mend for word in ("set-all", "--plain")
        )
        if asks or not commands or LINES.fullmatch(problem.mend):
            return False
        for command in commands:
            self.run(command)
        return True

    def run(self, command: str) -> None:
        words = shlex.split(command, comments=True)
        if words[:3] == ["pulumi", "config", "rm"]:
            self.take(words[-1])
        elif words[:3] == ["pulumi", "config", "set"]:
            kind = words[words.index("--type") + 1] if "--type" in words else ""
            self.put(words[words.index("--path") + 1], read_as(words[-1], kind))


def read_as(text: str, kind: str) -> Any:
    """A value as the command line takes it: only whole numbers and truth values are no text by themselves."""
    if kind == "float":
        return float(text)
    if kind == "" and text in ("true", "false"):
        return text == "true"
    return int(text) if kind == "" and re.fullmatch(r"0|-?[1-9][0-9]*", text) else text


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("5", "", 5),
        ("5", "string", "5"),
        ("0.5", "", "0.5"),
        ("0.5", "float", 0.5),
        ("true", "", True),
        ("007", "", "007"),
    ],
)
def test_values_are_read_as_the_command_line_reads_them(text: str, kind: str, value: Any) -> None:
    """Seen with Pulumi 3.255.0."""
    assert read_as(text, kind) == value
    assert type(read_as(text, kind)) is type(value)


@functools.cache
def problems(path: Path) -> list[Problem]:
    return read(*given(read_yaml(path)))[1]


@pytest.mark.parametrize("path", ERRORS, ids=name)
def test_a_mend_is_a_command_or_a_line_of_the_stack_file(path: Path) -> None:
    for each in problems(path):
        commands = [] if LINES.fullmatch(each.mend) else each.mend.split(" && ")
        assert all(command.startswith(COMMANDS) for command in commands), each.mend


@pytest.mark.parametrize("path", ERRORS, ids=name)
def test_a_mend_mends(path: Path) -> None:
    """A command, or a new name: with it, what was wrong is wrong no more. What the user has to put in is not tried."""
    for each in problems(path):
        stack = Stack(read_yaml(path))
        if stack.tried(each):
            left = read(stack.config, stack.flagged)[1]
            same = [
                other for other in left if (other.path, other.code, other.reason) == (each.path, each.code, each.reason)
            ]
            assert same == []
            renamed = RENAME.fullmatch(each.mend)
            assert renamed is None or renamed[1] not in {
                o.path for o in left if o.code in ("unknown-key", "wrong-path")
            }


def printed(path: Path) -> list[str]:
    """What mends a configuration, from the first line of its report to the last."""
    return re.findall(r"^    mend: (.+)$", report("sandbox", problems(path)), re.M)


def by_itself(mend: str) -> bool:
    """Whether a mend is commands that need nobody to say more."""
    commands = mend.split(" && ")
    begins = all(each.startswith(("pulumi config set --path ", "pulumi config set --type ", "pulumi config rm "))
                 for each in commands)  # fmt: skip
    return begins and OPEN.search(mend.partition("  #")[0]) is None


def in_order(path: Path) -> bool:
    """Whether all that mends a case can be done without asking anybody."""
    return all(by_itself(mend) for mend in printed(path))


GONE = "taken out"


def marked(stack: Stack, command: str) -> None:
    """A command on a configuration that keeps the places of what is taken out of its lists."""
    words = shlex.split(command, comments=True)
    way = [] if ":" in words[-1] else steps(words[-1])
    if words[2] == "rm" and way and isinstance(way[-1], int):
        stack.put(words[-1], GONE)
    else:
        stack.run(command)


def without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_marks(each) for key, each in value.items()}
    return [without_marks(each) for each in value if each != GONE] if isinstance(value, list) else value


def as_values(stack: Stack) -> dict[str, Any]:
    return {
        key: without_marks(json.loads(text)) if text[:1] in ("{", "[") else text for key, text in stack.config.items()
    }


def test_mends_done_from_the_first_to_the_last_leave_what_was_right() -> None:
    """No command finds nothing to change, and what is left is the configuration with the faulty entries gone.

    Cases in which something is to be put in are not among them.
    """
    paths = [path for path in ERRORS if in_order(path)]
    for path in paths:
        stack, wanted = Stack(read_yaml(path)), Stack(read_yaml(path))
        for mend in printed(path):
            for command in mend.split(" && "):
                stack.run(command)
                marked(wanted, command)
        assert as_values(stack) == as_values(wanted), name(path)
        told = {(each.path, each.code) for each in problems(path)}
        assert {(each.path, each.code) for each in read(stack.config, stack.flagged)[1]} & told == set(), name(path)
    assert sum(len(printed(path)) > 1 for path in paths) > 30
