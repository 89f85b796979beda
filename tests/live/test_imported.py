"""A stack file made by `import-values`, as the real engine reads it: Go's YAML is not Python's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from operations.__main__ import app
from sandbox.toolchain import Tools
from stacks.load import read
from stacks.problem import PROJECT
from tests.live.conftest import Json, plain_environment
from tests.unit.graph import CHECKOUT

DOUBTFUL = [
    *("1e3", "0o7", "y", "N", "on", "1:30", "2026-11-13", "~", "null", ".inf", "0x1F", "1_000", "=", "a: b", "# c"),
    *("two\nlines\n", " before", "after ", "tab\t", "- a", "{}", "%", "@a", "`a`", "!a", "&a", "*a", "ü", "\\n"),
]
"""Texts that a reader of YAML could take for something else."""

LICENSE = '{"made": "up"}'


def pulumi(folder: Path, tools: Tools, *arguments: str, given: str | None = None) -> str:
    """A command of the engine over a project that is only its stack files."""
    environment = plain_environment() | {
        "PATH": os.pathsep.join([str(tools.bin), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    return subprocess.run(
        ["pulumi", *arguments], cwd=folder, env=environment, text=True, input=given, stdout=subprocess.PIPE, check=True
    ).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imported")
    for each in ("state", "stacks"):
        (folder / each).mkdir()
    (folder / "Pulumi.yaml").write_text((CHECKOUT / "Pulumi.yaml").read_text())
    return folder


def test_the_engine_reads_an_imported_file_as_it_was_meant(project: Path, tools: Tools) -> None:
    env = [{"name": f"V{index}", "value": each} for index, each in enumerate(DOUBTFUL)]
    values = {
        "global": {"transcriber": {"languages": ["en", "no"], "image": {"tag": "13.10"}}},
        "inferenceServerEnhancedRecipe4": {"enabled": True},
        "transcribers": {"transcriber": {"env": env}},
    }
    (project / "values.yaml").write_text(json.dumps(values))
    target = project / "stacks" / "Pulumi.mine.yaml"
    arguments = ["import-values", str(project / "values.yaml"), "--out", str(target), "--subscription-id",
                 "5a6d2d72-6561-4c74-896d-650000000001", "--location", "westeurope", "--resource-group", "speech",
                 "--cluster-name", "speech", "--kubernetes-version", "1.35.4"]  # fmt: skip
    made = CliRunner().invoke(app, arguments)
    assert made.exit_code == 0, made.output
    pulumi(project, tools, "stack", "init", "mine")
    pulumi(project, tools, "config", "set", "--secret", "licenseJson", "--stack", "mine", given=LICENSE)
    pulumi(project, tools, "config", "set", "--path", "global.licensing.createSecret", "true", "--stack", "mine")
    config: Json = json.loads(pulumi(project, tools, "config", "--json", "--show-secrets", "--stack", "mine"))
    texts = {key: each["value"] for key, each in config.items() if key.startswith(f"{PROJECT}:")}
    settings, problems = read(texts, [key for key, each in config.items() if each["secret"]])
    assert settings is not None, problems
    assert settings.global_.transcriber.languages == ("en", "no")
    assert settings.global_.transcriber.image.tag == "13.10"
    assert [each["value"] for each in settings.transcribers.transcriber.env] == DOUBTFUL
    assert texts[f"{PROJECT}:licenseJson"] == LICENSE
