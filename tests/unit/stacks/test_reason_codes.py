"""Every reason code, and every place that refuses something, has a case: cases that go away are missed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.clocks.rung import Code
from stacks.load import read
from stacks.problem import Problem
from tests.unit.cases import ERRORS, given
from tests.unit.graph import CHECKOUT
from tests.yaml_file import read_yaml

NAMES = """
address-unreadable agents-without-source annotation-not-supported bad-format budget-blocks capacity-below-session
capture-without-storage content-without-secret contradiction custom-without-models dns-outside dtype-without-gpu
duplicate-language duplicate-name duplicate-number flow-without-agents ignored-key image-of-another-recipe
language-not-accepted language-not-deployed language-without-costs language-without-recipe license-unreadable
listed-twice longer-than-the-lease min-above-max missing model-not-on-server mount-taken name-taken name-too-long
never-grows no-active-deployment no-active-generation no-gpu-driver no-local-disk no-redis no-such-node no-such-pool
no-such-volume no-trigger not-allowed not-kubernetes one-name-for-several operating-point-without-server other-agent
out-of-range overlapping-networks path-not-supported pod-too-large pool-newer-than-cluster pool-of-another-role
pool-too-old pool-too-small recipe-contradicts-point request-above-limit reserved-namespace secret-in-clear
secret-not-allowed secret-without-content server-without-gpu shorter-than-a-fail-over shorter-than-a-restart
shorter-than-a-session shorter-than-a-turn shorter-than-the-silence subnet-outside term-of-the-other-kind
two-active-deployments two-active-generations two-hosts two-redis two-triggers unknown-key unknown-language
unknown-target unknown-vm-size unquoted-number unquoted-word variable-taken version-mismatch volume-on-one-node
volume-taken without-effect wrong-path wrong-type
"""
"""Written by hand: what a tool may match on."""
CODES = set(NAMES.split())

ELSEWHERE = "stacks/platform/existing.py"
"""Refuses what it finds in a cluster, which no configuration has; `tests/unit/stacks/test_existing.py` shows it."""


def calls(file: Path) -> Iterator[ast.Call]:
    """The places of a file that make a problem."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Problem":
            yield node


PLACES = {
    str(file.relative_to(CHECKOUT)): list(calls(file))
    for file in sorted((CHECKOUT / "stacks").rglob("*.py"))
    if str(file.relative_to(CHECKOUT)) != ELSEWHERE
}


def test_every_code_has_a_case_and_no_case_has_another_one() -> None:
    assert {path.name.split(".")[2] for path in ERRORS} == CODES


def test_every_code_that_is_given_is_among_them() -> None:
    told = [each.args[1] for nodes in PLACES.values() for each in nodes]
    literal = {each.value for each in told if isinstance(each, ast.Constant)}
    assert literal | {each.value for each in Code} <= CODES


def test_every_place_that_refuses_something_is_reached_by_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code has many of them; a case of one says nothing of the others."""
    reached: set[tuple[str, int]] = set()
    made = Problem.__init__

    def noted(self: Problem, *values: Any, **named: Any) -> None:
        caller = sys._getframe(1)
        reached.add((caller.f_code.co_filename, caller.f_lineno))
        made(self, *values, **named)

    monkeypatch.setattr(Problem, "__init__", noted)
    for path in ERRORS:
        read(*given(read_yaml(path)))
    assert reached
    missed = [
        f"{file}:{node.lineno}"
        for file, nodes in PLACES.items()
        for node in nodes
        if not any((str(CHECKOUT / file), line) in reached for line in range(node.lineno, (node.end_lineno or 0) + 1))
    ]
    assert missed == []
