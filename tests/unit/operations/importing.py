"""The command `import-values` as tests run it."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from operations.__main__ import app
from stacks.load import read
from stacks.problem import PROJECT
from stacks.schema import Settings
from tests.unit.cases import Json
from tests.yaml_file import read_yaml

CLUSTER = (
    "--subscription-id", "5a6d2d72-6561-4c74-896d-650000000001", "--location", "westeurope", "--resource-group",
    "speech", "--cluster-name", "speech", "--kubernetes-version", "1.35.4",
)  # fmt: skip
SECRET = "czNjcjN0"


YQ = """#!{python}
import re, sys, yaml
found = yaml.safe_load(open(sys.argv[3]))
for step in re.findall(r'[^."\\[\\]]+', sys.argv[2]):
    found = found[int(step) if isinstance(found, list) else step]
print(found)
"""
PULUMI = """#!/bin/sh
echo "$4 $(cat)" >> {stored}
"""
KUBECTL = """#!{python}
import json, sys
name, namespace = sys.argv[4], sys.argv[6]
for each in sys.argv[7:]:
    key, _, file = each.removeprefix("--from-file=").partition("=")
    with open("{stored}", "a") as stored, open(file) as content:
        print(name, namespace, key, json.dumps(content.read()), file=stored)
"""


def tools(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `yq` that reads, and a `pulumi` and a `kubectl` that write what they are given into the file `stored`.

    The content of a Secret stands there as JSON: every byte counts.
    """
    for name, script in (("yq", YQ), ("pulumi", PULUMI), ("kubectl", KUBECTL)):
        (folder / name).write_text(script.format(python=sys.executable, stored=folder / "stored"))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def run(values: str | Path, folder: Path, *options: str) -> tuple[Result, Path]:
    """The command on values, with a stack file in the folder."""
    file = values if isinstance(values, Path) else folder / "values.yaml"
    if isinstance(values, str):
        file.write_text(values)
    target = folder / "Pulumi.mine.yaml"
    return CliRunner().invoke(app, ["import-values", str(file), "--out", str(target), *options]), target


def reported(values: str, folder: Path, *options: str) -> Json:
    found, _ = run(values, folder, *CLUSTER, "--json", *options)
    report: Json = json.loads(found.stdout)
    return report


def config_of(target: Path) -> Json:
    found: Json = read_yaml(target)["config"]
    return found


def loaded(target: Path, secrets: dict[str, str] | None = None) -> Settings:
    """What the program makes of a stack file, which it must not refuse."""
    config = {key: each for key, each in config_of(target).items() if not key.startswith("pulumi:")}
    texts = {key: each if isinstance(each, str) else json.dumps(each) for key, each in config.items()}
    texts |= {f"{PROJECT}:{key}": each for key, each in (secrets or {}).items()}
    settings, problems = read(texts, [f"{PROJECT}:{key}" for key in secrets or {}])
    assert settings is not None, problems
    return settings
