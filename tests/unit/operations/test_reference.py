"""The generated reference: whole, fresh, and refused where what a key reaches is not known."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from components.speech.differences import DIFFERENCES, REFUSED, Difference
from components.speech.differences.refused import Refused
from operations import differences, reference
from operations.__main__ import app
from operations.generated import is_fresh, write
from operations.importing.left_out import LEFT_OUT
from operations.keys import keys
from operations.reference import ITSELF, StaleError, page, reached, reaches, text, union
from stacks.misplaced import SEED_SECRETS
from stacks.schema.base import only_value
from tests.unit.cases import Json
from tests.unit.graph import CHECKOUT
from tests.yaml_file import read_yaml


def test_the_page_is_fresh_and_has_a_row_for_every_key() -> None:
    shown = page()
    assert reference.FILE.read_text() == shown, "run: python -m operations reference --write"
    for key in keys():
        heading = key.section and "." not in key.path
        assert (f"\n## `{key.path}`\n" if heading else f"\n| `{key.path}` |") in shown


def shown_as(key: str) -> str:
    """A row of the seed's table as the page writes it: an item, an entry of a map, an annotation."""
    path = re.sub(r"\[\d+\]$", "", key).partition('."')[0]
    return re.sub(r"\.deployments\.a$", ".deployments", path).replace(".deployments.a.", ".deployments.<key>.")


@pytest.mark.parametrize("row", read_yaml(CHECKOUT / "tests/unit/stacks/seed-values.yaml"), ids=lambda row: row["key"])
def test_each_row_of_the_seeds_table_is_on_the_page(row: Json) -> None:
    lines = [line for line in page().splitlines() if line.startswith(f"| `{shown_as(row['key'])}` |")]
    assert len(lines) == 1
    if row["key"] in SEED_SECRETS:
        assert f"`{SEED_SECRETS[row['key']].key}`" in lines[0]
        assert "| secret |" in lines[0]


def test_every_secret_among_the_charts_values_has_a_row_with_its_flat_key() -> None:
    lines = page().splitlines()
    for path, secret in SEED_SECRETS.items():
        rows = [line for line in lines if line.startswith(f"| `{path}` |") and f"`{secret.key}`" in line]
        assert len(rows) == 1, path


def test_each_part_that_is_left_out_has_its_reason_on_the_page() -> None:
    shown = differences.text()
    assert len(LEFT_OUT) == 6
    for part in LEFT_OUT:
        assert len(part.reason) > 30, part.name
        (row,) = [line for line in shown.splitlines() if line.startswith(f"| {part.name} |")]
        assert part.reason in row
        assert part.instead in row


def test_what_is_refused_on_purpose_stands_there_with_its_reason() -> None:
    refused = {key.path: only for key in keys() if key.field is not None and (only := only_value(key.field))}
    assert len(refused) > 20
    lines = page().splitlines()
    for path, only in refused.items():
        (row,) = [line for line in lines if line.startswith(f"| `{path}` |")]
        assert len(only.reason) > 15, path
        assert " ".join(only.reason.split()).replace("|", "\\|") in row


def test_a_key_without_a_record_is_refused_and_so_is_a_record_without_a_key() -> None:
    known = dict(reached())
    first = next(iter(known))
    del known[first]
    with pytest.raises(StaleError, match=re.escape(first)):
        text(keys(), known)
    with pytest.raises(StaleError, match=r"made\.up"):
        text(keys(), {**reached(), "made.up": {}})


def test_objects_with_the_same_fields_stand_together_and_long_lists_are_cut() -> None:
    fields = {
        "Deployment/a": ["spec.replicas"],
        "Deployment/b": ["spec.replicas"],
        "Service/c": [ITSELF, "spec.type (create only)"],
        "ConfigMap/d": ["data.a", "data.b", "data.c", "data.d"],
    }
    assert reaches(fields) == (
        "`Deployment/a`, `Deployment/b`: `spec.replicas`<br>"
        "`Service/c`: the object itself, `spec.type` (create only)<br>"
        "`ConfigMap/d`: `data.a`, `data.b`, `data.c`, 1 more"
    )


def test_a_key_reaches_what_it_reaches_in_any_context_by_the_names_in_the_cluster() -> None:
    objects = {"Secret/credentials-pull": "Secret/registry", "Deployment/proxy-a": "Deployment/proxy-a"}
    here = {"Secret/credentials-pull": ["metadata.name"]}
    there = {"Secret/credentials-pull": [], "Deployment/proxy-a": ["spec.replicas"]}
    assert union([here, there], objects) == {
        "Deployment/proxy-a": ["spec.replicas"],
        "Secret/registry": [ITSELF, "metadata.name"],
    }


@pytest.mark.parametrize("order", [1, -1])
def test_create_only_is_what_is_so_in_every_context(order: int) -> None:
    scaled, plain = {"SessionGroup/a": ["spec.replicas (create only)"]}, {"SessionGroup/a": ["spec.replicas"]}
    assert union([scaled, plain][::order], {}) == plain
    assert union([scaled, scaled], {}) == scaled
    assert union([scaled, {"Service/b": ["spec.type"]}][::order], {}) == {**scaled, "Service/b": ["spec.type"]}


def row(key: str) -> list[str]:
    """The cells of a key's row."""
    (found,) = [line for line in page().splitlines() if line.startswith(f"| `{key}` |")]
    return re.split(r" (?<!\\)\| ", found.removeprefix("| ").removesuffix(" |"))


REPLICAS = [key.path for key in keys() if key.path.endswith("sessionGroups.replicas")]


@pytest.mark.parametrize("key", REPLICAS)
def test_the_number_of_replicas_counts_also_later_where_nothing_scales(key: str) -> None:
    """The seed: "Number of replicas to deploy"; the scaler has the number only where scaling is on."""
    assert "effective" in row(key)[3]


def test_a_system_pool_is_made_with_the_cluster_and_not_looked_at_later() -> None:
    assert "create only" in row("pools.system.vmSize")[3]


@pytest.mark.parametrize(
    ("key", "objects"),
    [
        ("global.licensing.secretName", ["Secret/speechmatics-license", "SessionGroup/rt-transcriber-en"]),
        ("azure.clusterName", ["ManagedCluster/speech-sandbox"]),
        ("pools.inference[].vmSize", ["AgentPool/infer01…"]),
    ],
)
def test_an_object_goes_by_its_name_in_the_cluster_or_in_azure(key: str, objects: list[str]) -> None:
    assert reached()[key].keys() >= set(objects)


def test_the_page_of_the_differences_is_fresh_and_has_every_one_with_its_reason() -> None:
    shown = differences.text()
    assert differences.FILE.read_text() == shown, "run: python -m operations reference --write"
    rows = [line for line in shown.splitlines() if re.match(r"\| `[A-Z*]", line)]
    assert len(rows) == len(DIFFERENCES) + len(REFUSED)
    listed: list[Difference | Refused] = [*DIFFERENCES, *REFUSED]
    for each, row in zip(listed, rows, strict=True):
        cells = re.split(r" (?<!\\)\| ", f" {row}")
        assert len(cells) == 8
        assert each.reason.replace("|", "\\|") in row
        assert all(f"`{pattern}`" in cells[1] for pattern in each.objects.split(" "))


@pytest.mark.parametrize(
    "row",
    [
        "/*inference-server-*` | `spec.template.spec.terminationGracePeriodSeconds` |  | `600` | `86400` |",
        "| `Service/*resource-manager-metrics` |  | `resourceManager.metrics.enabled: false` | the object | nothing |",
        "| `Pod/*` |  | `<server>.tests.enabled: true`, refused | the object | nothing |",
        "| `DaemonSet/nvidia-gpu-drivers` |  |  | the object | `DaemonSet/nvidia-device-plugin` |",
    ],
)
def test_a_difference_is_shown_with_what_the_chart_has_and_what_is_here(row: str) -> None:
    assert row in differences.text()


@pytest.mark.parametrize("command", ["reference", "differences", "schema"])
def test_a_stale_file_fails_the_check_with_the_mend(
    command: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, command = command, command.replace("differences", "reference")
    assert CliRunner().invoke(app, [command, "--check"]).exit_code == 0
    stale = tmp_path_factory.mktemp("stale") / "file"
    stale.write_text("old")
    monkeypatch.setattr(f"operations.{module}.FILE", stale)
    found = CliRunner().invoke(app, [command, "--check"])
    assert found.exit_code == 1
    assert f"python -m operations {command} --write" in found.stderr
    assert CliRunner().invoke(app, [command, "--write"]).exit_code == 0
    assert CliRunner().invoke(app, [command, "--check"]).exit_code == 0


def test_make_check_looks_at_both() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    check = makefile.partition("\ncheck:")[2].partition("\n\n")[0]
    assert "operations schema --check" in check
    assert "operations reference --check" in check


def test_a_file_is_written_whole_or_not_at_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("whole") / "file"
    write(file, "old\n")
    with pytest.raises(UnicodeEncodeError):
        write(file, "new, with half a character: \ud800")
    assert is_fresh(file, "old\n")
    assert [each.name for each in file.parent.iterdir()] == ["file"]
