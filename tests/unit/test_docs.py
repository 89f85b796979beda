"""What the documents name exists: tests, folders, make targets, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.drill.scenario import everything
from stacks.load import read
from stacks.platform.existing import existing_secrets
from stacks.schema import SECRET_KEYS
from stacks.schema.global_settings import VENDOR_REGISTRY
from stacks.schema.paths import ANY_KEY, exists
from tests.conftest import LONG, left_out
from tests.unit.graph import stack_config

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PROOFS = (ROOT / "docs/reference/proofs.md").read_text()
TLS = (ROOT / "docs/how-to/tls.md").read_text()
SCALING = (ROOT / "docs/how-to/scaling.md").read_text()
DRILL = (ROOT / "docs/reference/drill.md").read_text()
MOVE = (ROOT / "docs/how-to/move-from-the-chart.md").read_text()
SECRETS = (ROOT / "docs/how-to/secrets.md").read_text()


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[^`]+)`", PROOFS))))
def test_a_named_proof_exists(named: str) -> None:
    path, _, name = named.partition("::")
    assert (ROOT / path).exists()
    if name:
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def named_tests(page: str) -> list[tuple[str, str]]:
    """Each test that a page names, with the title of its section."""
    sections = re.split(r"^## ", (ROOT / "docs/reference" / page).read_text(), flags=re.MULTILINE)
    pattern = r"`((?:test_\w+\.py::)?test_\w+)`"
    return [(each.partition("\n")[0], name) for each in sections for name in re.findall(pattern, each)]


def has_test(files: list[Path], name: str) -> bool:
    assert files
    return any(re.search(rf"^(async )?def {name}\(", each.read_text(), re.MULTILINE) for each in files)


AKS_SECTIONS = {
    "Upgrade of an agent pool": "test_azure_upgrade.py",
    "Upgrade of the control plane": "test_azure_upgrade.py",
    "Scale-in": "test_azure_scale_in.py",
    "The weekly node image": "test_azure_node_image.py",
}


@pytest.mark.parametrize(("section", "named"), sorted(set(named_tests("aks-stand-in.md"))))
def test_a_test_that_the_page_of_aks_names_exists(section: str, named: str) -> None:
    file, _, name = named.rpartition("::")
    assert has_test([ROOT / "tests/sandbox" / (file or AKS_SECTIONS[section])], name)


@pytest.mark.parametrize("named", sorted({name for _, name in named_tests("twin.md")}))
def test_a_test_that_the_page_of_the_twin_names_exists(named: str) -> None:
    """A row may be played by the sessions or the nodes instead."""
    assert has_test(sorted((ROOT / "tests/sandbox").rglob("test_*.py")), named)


@pytest.mark.parametrize("page", ["aks-stand-in.md", "twin.md"])
def test_every_row_of_a_table_with_tests_names_one(page: str) -> None:
    """`the same` is the row's above; what is not played has none."""
    rows = table_rows(page, "test")
    assert rows
    assert [row for row in rows if not re.search(r"`test_|\| the same \||\*\*not played\*\*", row)] == []


def table_rows(page: str, last: str) -> list[str]:
    """The rows of the tables of a page whose last column has that name."""
    text = (ROOT / "docs/reference" / page).read_text()
    tables = re.findall(rf"^\|[^\n]*\| {last} \|\n\|[-|]+\|\n((?:\|[^\n]*\n)+)", text, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()]


def test_the_long_files_exist_and_are_told() -> None:
    told = PROOFS.partition("| claim |")[0]
    assert sorted(re.findall(r"`(tests/[^`]+)`", told.partition("make\nproofs")[2])) == sorted(LONG)


def test_a_file_is_left_out_by_one_of_the_two_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    asked = [word.strip("'") for word in re.findall(r"\$\(PYTEST\) -m (.+)$", makefile, re.MULTILINE)]
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    assert sorted(asked) == ["long", "not long"]
    assert {each.relative_to(ROOT).as_posix() for each in files if left_out(each, "not long")} == set(LONG)
    assert [each for each in files if left_out(each, "long") == left_out(each, "not long")] == []
    assert [each for each in files if left_out(each, "")] == []


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


@pytest.mark.parametrize("page", sorted((ROOT / "docs/how-to").glob("*.md")), ids=lambda page: page.stem)
def test_a_how_to_is_found_from_the_readme(page: Path) -> None:
    assert f"]({page.relative_to(ROOT).as_posix()})" in README


def test_the_secrets_page_has_the_commands_the_program_prints() -> None:
    settings, problems = read(*stack_config("staging"))
    assert settings is not None, problems
    flat = " ".join(SECRETS.replace("\\\n", " ").split())
    printed = [secret.create for secret in existing_secrets(settings, (VENDOR_REGISTRY,))]
    assert len(printed) == 2
    for command in printed:
        assert " ".join(command.split()) in flat


def test_the_secrets_page_names_every_secret_key_and_reason_code() -> None:
    for key in SECRET_KEYS:
        assert f"pulumi config set --secret {key} < " in SECRETS
    source = "".join((ROOT / path).read_text() for path in (
        "components/cluster/existing_secrets.py", "stacks/platform/existing.py"))  # fmt: skip
    codes = set(re.findall(r'"(secret-[a-z-]+|cluster-[a-z]+)"', source))
    assert codes == set(re.findall(r"^\| `([a-z-]+)` \|", SECRETS, re.MULTILINE))


@pytest.mark.parametrize("path", re.findall(r"--path '([^'[]+)", SECRETS + TLS + SCALING))
def test_a_path_that_a_page_sets_is_a_key(path: str) -> None:
    assert exists(path.replace("Scaling.en.", f"Scaling.{ANY_KEY}."))


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(proxy\.[A-Za-z.]+[a-z])`", SECRETS + TLS + MOVE))))
def test_a_key_that_a_page_names_exists(named: str) -> None:
    assert exists(named)


@pytest.mark.parametrize("named", sorted(set(re.findall(r"SCENARIO=([a-z-]+)", MOVE + DRILL))))
def test_a_scenario_that_a_page_names_exists(named: str) -> None:
    assert named in everything()
