"""The command `clocks`, and its page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from operations import clocks_page, stack
from operations.__main__ import app
from stacks.clocks import Code, ladder
from stacks.load import fields, read
from stacks.problem import report
from tests.unit.cases import CASES, ERRORS, given, name
from tests.unit.graph import STACKS, stack_config
from tests.yaml_file import read_yaml

DAY = 86400


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["clocks", *arguments])


def ended(result: Result) -> bool:
    """Whether it ended by itself: with an exit code, and no other exception."""
    return result.exception is None or isinstance(result.exception, SystemExit)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stack files of a test's own."""
    monkeypatch.setattr(stack, "FOLDER", tmp_path)
    return tmp_path


def written(folder: Path, config: dict[str, Any], called: str = "mine") -> dict[str, str]:
    """The smallest right configuration with more, as a stack file; it is given back as the engine has it."""
    engine, _ = given({"config": config})
    document = {"config": {key: json.loads(value) if value[:1] in "{[" else value for key, value in engine.items()}}
    (folder / f"Pulumi.{called}.yaml").write_text(yaml.safe_dump(document))
    return engine


def shown(text: str) -> list[str]:
    """The first column of the table, rows that go on put together."""
    rows: list[str] = []
    for line in text.splitlines():
        if line.startswith("│"):
            cells = [cell.strip() for cell in line.strip("│").split("│")]
            if cells[1]:
                rows.append(cells[0])
            elif cells[0]:
                rows[-1] += f" {cells[0]}"
    return rows


@pytest.mark.parametrize("stack", STACKS)
def test_every_rung_of_a_stack_is_shown_the_shortest_first(stack: str) -> None:
    result = run("--stack", stack)
    assert (result.exit_code, result.stderr) == (0, "")
    settings, _ = read(*stack_config(stack))
    assert settings is not None
    assert shown(result.stdout) == [each.name for each in ladder(settings)]
    assert f"The longest session of {stack}: 24 h" in result.stdout
    first, second = result.stdout.splitlines()[1:3]
    assert first.startswith("First against a session: after 24 h")
    assert second == "First against a silence: after 30 min a silent connection is dropped by the Azure load balancer."


def test_without_a_stack_it_is_the_defaults() -> None:
    result = run("--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["of"], told["longestSessionSeconds"], told["problems"]) == ("the defaults", DAY, [])


def test_a_rung_that_is_too_short_is_told_with_the_loaders_words_and_exit_code_1(folder: Path) -> None:
    config = written(folder, {"proxy": {"terminationGracePeriodSeconds": 600}})
    problems = read(config, [])[1]
    assert len(problems) == 1
    result = run("--stack", "mine")
    assert (result.exit_code, result.stderr) == (1, f"{report('mine', problems)}\n")
    assert "a stopping pod of the proxy is killed by the kubelet after 600 s" in result.stderr
    assert (
        "First against a session: after 10 min a stopping pod of the proxy is killed by the kubelet." in result.stdout
    )
    (row,) = [line for line in result.stdout.splitlines() if line.startswith("│ proxy pod grace")]
    assert "too short" in row
    assert "too short" not in result.stdout.replace(row, "")
    told = json.loads(run("--stack", "org/sm-realtime/mine", "--json").stdout)
    assert [(each["path"], each["code"]) for each in told["problems"]] == [
        ("proxy.terminationGracePeriodSeconds", "shorter-than-a-session")
    ]
    assert [each["name"] for each in told["rungs"] if each["refused"]] == ["proxy pod grace"]


def test_what_nobody_can_lift_is_told_with_what_protects_and_is_no_failure(folder: Path) -> None:
    written(folder, {"sessions": {"maxDurationSeconds": DAY + 3600}})
    result = run("--stack", "mine")
    assert (result.exit_code, result.stderr) == (0, "")
    (line,) = [each for each in result.stdout.splitlines() if each.startswith("AKS drain timeout: ")]
    assert line.startswith("AKS drain timeout: 24 h, at least 25 h is wanted, and nobody can lift it.")
    assert "Cordon" in line
    (row,) = [line for line in result.stdout.splitlines() if line.startswith("│ AKS drain timeout")]
    assert re.search("guarded.*AKS.*nobody can", row)


def test_the_json_has_every_field_of_every_rung(folder: Path) -> None:
    config = written(folder, {"flow": {"enabled": True}, "pools": {"inference": [
        {"number": 1, "state": "active", "kubernetesVersion": "1.35.4", "maxCount": 8}]}})  # fmt: skip
    settings, _ = read(config, [])
    assert settings is not None
    found = json.loads(run("--stack", "mine", "--json").stdout)["rungs"]
    rungs = ladder(settings)
    assert [(each["name"], each["seconds"]) for each in found] == [(each.name, each.seconds) for each in rungs]
    drain = next(each for each in found if each["name"] == "AKS drain timeout")
    assert {place["kind"] for place in drain["places"]} == {"AgentPool"}
    assert drain["places"][0]["field"] == ["upgradeSettings", "drainTimeoutInMinutes"]
    assert drain["least"] == {
        "seconds": DAY,
        "above": False,
        "why": f"{DAY} s are promised (sessions.maxDurationSeconds)",
    }
    grace = next(each for each in found if each["name"] == "flow-service pod grace")
    assert (grace["who"], grace["by"], grace["key"]) == ("the kubelet", "a key", "flow.terminationGracePeriodSeconds")


OF_CLOCKS = [path for path in ERRORS if path.name.split(".")[2] in set(Code)]
OTHERS = ("all-at-once.error.unknown-key", "no-gpu.error.unknown-vm-size", "halves.error.missing")


@pytest.mark.parametrize("path", [*OF_CLOCKS, *(each for each in ERRORS if name(each) in OTHERS)], ids=name)
def test_whatever_is_refused_is_told_as_the_loader_tells_it(path: Path, folder: Path) -> None:
    """A rung, a field by itself, something between fields, something that is missing."""
    config, flagged = given(read_yaml(path))
    values = {key: json.loads(value) if value[:1] in "{[" else value for key, value in config.items()}
    (folder / "Pulumi.mine.yaml").write_text(yaml.safe_dump({"config": values}))
    result = run("--stack", "mine")
    assert ended(result)
    assert (result.exit_code, result.stderr) == (1, f"{report('mine', read(config, flagged)[1])}\n")
    assert bool(result.stdout) is (fields(config, flagged)[0] is not None)


WRONG_FILES = {
    "empty": b"",
    "a list": b"- a\n",
    "text": b"config: text\n",
    "config is a list": b"config: [a]\n",
    "no YAML": b"config: {a: [\n",
    "not UTF-8": b"config: \xff\xfe\n",
    "a number for a key": b"config: {1: 2}\n",
    "a date": b"config: {sm-realtime:azure: {location: 2026-01-01}}\n",
    "in a circle": b"config: &a {sm-realtime:azure: *a}\n",
    "a secret within": b"config: {sm-realtime:azure: {location: {secure: v1:abc}}}\n",
    "null": b"config: {sm-realtime:azure: null, sm-realtime:release: null}\n",
}


@pytest.mark.parametrize("content", WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_no_right_stack_file_ends_with_words(content: bytes, folder: Path) -> None:
    (folder / "Pulumi.mine.yaml").write_bytes(content)
    result = run("--stack", "mine")
    assert ended(result)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search(r"\[[a-z-]+\]\n +why: .+\n +mend: .+", result.stderr)
    assert "v1:abc" not in result.stderr
    assert ended(run("--stack", "mine", "--json"))


def test_a_file_that_is_not_there_names_those_that_are(folder: Path) -> None:
    written(folder, {}, "one")
    written(folder, {}, "two")
    result = run("--stack", "three")
    assert result.exit_code == 1
    assert "stacks/Pulumi.three.yaml  [no-file]" in result.stderr
    assert "one, two" in result.stderr
    (folder / "Pulumi.three.yaml").mkdir()
    result = run("--stack", "three")
    assert ended(result)
    assert (result.exit_code, result.stdout) == (1, "")


def test_secrets_are_neither_needed_nor_shown(folder: Path) -> None:
    written(folder, {"global": {"licensing": {"createSecret": True}}})
    file = folder / "Pulumi.mine.yaml"
    assert run("--stack", "mine").exit_code == 1
    document = yaml.safe_load(file.read_text())
    document["config"]["sm-realtime:licenseJson"] = {"secure": "v1:abc"}
    file.write_text(yaml.safe_dump(document))
    result = run("--stack", "mine")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "v1:abc" not in result.stdout


# the page


def test_the_page_is_fresh() -> None:
    assert clocks_page.FILE.read_text() == clocks_page.text(), "run: python -m operations reference --write"


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:2] == "| "]


def test_the_page_has_every_rung_of_the_defaults_with_its_length() -> None:
    """And of two days: what follows the longest session, and what stays."""
    found = {row[0]: row for row in rows(clocks_page.text().partition("## ")[0])[1:]}
    settings, _ = read(*given(read_yaml(CASES / "clocks-turn.happy.yaml")))
    assert settings is not None
    assert set(found) == {each.name for each in ladder(settings)}
    assert found["proxy pod grace"][1:3] == ["24 h", "48 h"]
    assert found["AKS drain timeout"][1:3] == ["24 h", "24 h"]
    assert found["load balancer idle timeout"][1:4] == ["30 min", "30 min", "more than 5 min"]
    assert found["autoscaler's wait for a node"][1:3] == ["86430 s", "172830 s"]


def test_the_page_says_which_rung_no_setting_lifts_and_what_protects() -> None:
    beyond = clocks_page.text().partition("## Sessions longer than 24 hours")[2].partition("## ")[0]
    ((drain, most, why),) = rows(beyond)[1:]
    assert (drain, most) == ("AKS drain timeout", "24 h")
    assert "Cordon" in why
    assert "another generation" in why
