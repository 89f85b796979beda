"""Who may import whom: `stacks.schema` ← `components` ← `stacks` ← `__main__`, `operations`; the sandbox: nobody."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.graph import CHECKOUT

MAY = {
    "stacks/schema": ("stacks.schema",),
    "components": ("components", "stacks.schema"),
    "stacks": ("stacks", "components"),
    "operations": ("operations", "stacks"),
    "operations/differences.py": ("operations", "stacks", "components.speech.differences"),
    "sandbox": ("sandbox",),
    "__main__.py": ("stacks",),
}
"""Folder → what of this repository it may import; the longest folder that fits a file counts."""

OURS = ("components", "operations", "sandbox", "stacks", "tests")


def files() -> Iterator[Path]:
    for top in ("components", "operations", "stacks", "sandbox"):
        yield from sorted((CHECKOUT / top).rglob("*.py"))
    yield CHECKOUT / "__main__.py"


def imports(path: Path) -> set[str]:
    """The modules a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def allowed(path: Path) -> tuple[str, ...]:
    name = path.relative_to(CHECKOUT).as_posix()
    return MAY[max((folder for folder in MAY if name.startswith(folder)), key=len)]


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_a_file_imports_only_what_lies_below_it(path: Path) -> None:
    ours = {module for module in imports(path) if module.partition(".")[0] in OURS}
    assert not {m for m in ours if not any(m == may or m.startswith(f"{may}.") for may in allowed(path))}
