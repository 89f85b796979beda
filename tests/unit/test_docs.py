"""What the documents name exists: tests, folders, make targets, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PROOFS = (ROOT / "docs/reference/proofs.md").read_text()


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[^`]+)`", PROOFS))))
def test_a_named_proof_exists(named: str) -> None:
    path, _, name = named.partition("::")
    assert (ROOT / path).exists()
    if name:
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"^make ([a-z]+)|[`(]make (?:--silent )?([a-z]+)", README, re.MULTILINE)))
)
def test_a_make_target_of_the_readme_exists(target: tuple[str, str]) -> None:
    assert re.search(rf"^{''.join(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", re.findall(r"^\| `([a-z/]+)` \|", README, re.MULTILINE))
def test_a_folder_of_the_readme_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()


@pytest.mark.parametrize("link", re.findall(r"\]\(([a-z][^)]+)\)", README))
def test_a_link_of_the_readme_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_readme_names_every_folder_of_the_program() -> None:
    named = set(re.findall(r"^\| `([a-z/]+)` \|", README, re.MULTILINE))
    parts = {f"components/{path.name}/" for path in (ROOT / "components").iterdir() if (path / "__init__.py").exists()}
    assert parts <= named
