"""A skipped test shows nothing: what `make test` installs is there, and what is skipped all the same is known."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis import nodes
from tests.unit.graph import CHECKOUT

TESTS = CHECKOUT / "tests"
SKIPPED = {
    "sandbox/test_toolchain.py": "this machine has a stock pulumi",
    "sandbox/test_language_host.py": "this machine has a stock pulumi, which brings its own language host",
    "sandbox/test_warm_refusals.py": "takes root: another user is needed",
}
"""Files → what a test in them may be skipped for: nothing that a package or a command would mend."""


def skips(file: Path) -> Iterator[str]:
    """The reasons of every skip in a file."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("skip", "skipif", "importorskip"):
            reason = [each.value for each in node.keywords if each.arg == "reason"] or node.args
            yield ast.literal_eval(reason[-1])


def test_nothing_is_skipped_that_could_be_mended() -> None:
    found = {str(file.relative_to(TESTS)): list(skips(file)) for file in sorted(TESTS.rglob("*.py"))}
    assert {file: each for file, each in found.items() if each} == {file: [why] for file, why in SKIPPED.items()}


def test_a_program_that_is_missing_is_a_failure_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(nodes, "CARRIED", {"redis-server": ("no-such-package", "redis-server")})
    with pytest.raises(pytest.fail.Exception, match=r"no-such-package, .* Mend: rm -rf \S+ && make check"):
        nodes.programs(tmp_path / "programs")
