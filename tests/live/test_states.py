"""The program as it is over every state that an earlier one left: a preview replaces nothing and deletes nothing.

A recorded state is brought to life: its Azure resources start a cluster, its Kubernetes objects are made there, its
stack is imported. Then the engine previews today's program with the stack file that the state was made from: a newer
program leaves what stands as it is, as long as nobody asks for something else.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.kubernetes.state import to_wire
from tests.live.conftest import CHECKOUT, Json, Platform, plain_environment, shell_exports
from tests.states.__main__ import STACK_FILE
from tests.unit.graph import SECRET_MARK

FOLDER = CHECKOUT / "tests" / "states"
STATES = (
    "slice",
    "speech",
    "everything",
)
"""Every recorded state, the oldest first."""

ALLOWED = {"create", "update", "read", "refresh"}


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
                await kube.apply(to_wire(opened(resource["inputs"])), manager=resource["outputs"]["__fieldManager"])


@pytest.fixture(params=STATES)
def recorded(request: pytest.FixtureRequest) -> Path:
    """The folder of a recorded state."""
    return FOLDER / str(request.param)


@pytest.fixture
def standing(recorded: Path, tmp_path: Path) -> Iterator[Platform]:
    """A recorded state that stands again, beside whatever else this checkout has."""
    home = Home(tmp_path / "home")
    home.backend.mkdir(parents=True)
    shutil.copyfile(recorded / "azure.json", home.azure)
    bare = Platform(CHECKOUT, plain_environment() | {"SM_SANDBOX_HOME": str(home.root)}, "")
    try:
        bare.sandbox("start")
        state = Platform(CHECKOUT, bare.environment | shell_exports(bare.sandbox("env")), "")
        state.pulumi("stack", "select", "--create")
        state.pulumi("stack", "import", "--file", str(recorded / "stack.json"))
        exported = json.loads(state.pulumi("stack", "export", "--show-secrets"))
        asyncio.run(make_objects(home.kubeconfig, exported["deployment"]["resources"]))
        yield state
    finally:
        bare.sandbox("stop")


def test_no_recorded_state_is_left_out_or_missing() -> None:
    assert {path.parent.name for path in FOLDER.glob("*/stack.json")} == set(STATES)


def test_nothing_of_an_earlier_state_is_replaced_or_deleted(standing: Platform, recorded: Path) -> None:
    had = {resource["urn"] for resource in standing.state()["resources"]}
    steps = standing.steps("--config-file", str(recorded / STACK_FILE))
    assert {urn: op for urn, op in steps.items() if op not in ALLOWED} == {}
    assert {urn: op for urn, op in steps.items() if op == "create" and urn in had} == {}
