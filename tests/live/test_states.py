"""The program as it is over every state that an earlier one left: a preview replaces nothing and deletes nothing.

A recorded state is brought to life: its Azure resources start a cluster, its Kubernetes objects are made there, its
stack is imported. Then the engine previews today's program with today's stack file.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import shell
from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.plane import daemon
from sandbox.toolchain import Tools
from tests.live.conftest import CHECKOUT, Json
from tests.unit.graph import SECRET_MARK

STATES = sorted(path.parent for path in (CHECKOUT / "tests" / "states").glob("*/stack.json"))
REPLACING = {"delete", "replace", "create-replacement", "delete-replaced", "discard-replaced", "read-replacement"}


def silent(_: str) -> None:
    return


@dataclass(frozen=True)
class Recorded:
    """A recorded state that stands again."""

    environment: dict[str, str]

    def pulumi(self, *arguments: str) -> str:
        command = ["pulumi", "--non-interactive", *arguments, "--stack", "sandbox"]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout


def opened(value: Any) -> Any:
    """A value of an export with `--show-secrets`, its secrets in clear."""
    if isinstance(value, dict):
        if "plaintext" in value and SECRET_MARK in value.values():
            return json.loads(value["plaintext"])
        return {key: opened(each) for key, each in value.items()}
    return [opened(each) for each in value] if isinstance(value, list) else value


async def make_objects(kubeconfig: Path, resources: list[Json]) -> None:
    """Every Kubernetes object of the state, by the manager that owned it, in the order it was made."""
    async with Kube(kubeconfig, "recorded") as kube:
        for resource in resources:
            if resource["type"].startswith("kubernetes:") and resource.get("custom"):
                obj = {key: value for key, value in resource["inputs"].items() if not key.startswith("__")}
                await kube.apply(opened(obj), manager=resource["outputs"]["__fieldManager"])


@pytest.fixture(params=STATES, ids=lambda path: path.name)
def recorded(request: pytest.FixtureRequest, tools: Tools, tmp_path: Path) -> Iterator[Recorded]:
    home = Home(tmp_path / "home")
    home.backend.mkdir(parents=True)
    shutil.copyfile(request.param / "azure.json", home.azure)
    try:
        daemon.start(home, tools, silent)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
        exports = shell.exports(home, tools)
        exports["PATH"] = os.pathsep.join([exports["PATH"], kept.get("PATH", os.defpath)])
        state = Recorded(kept | exports | {"SM_SANDBOX_HOME": str(home.root)})
        state.pulumi("stack", "select", "--create")
        state.pulumi("stack", "import", "--file", str(request.param / "stack.json"))
        shown = json.loads(state.pulumi("stack", "export", "--show-secrets"))["deployment"]["resources"]
        asyncio.run(make_objects(home.kubeconfig, shown))
        yield state
    finally:
        daemon.stop(home, silent)


def test_there_are_recorded_states() -> None:
    assert STATES


def test_nothing_of_an_earlier_state_is_replaced_or_deleted(recorded: Recorded) -> None:
    out = recorded.pulumi("preview", "--json")
    steps = [(step["op"], step["urn"]) for step in json.loads(out[out.index("{") :])["steps"]]
    assert len(steps) > 50
    assert [step for step in steps if step[0] in REPLACING] == []
