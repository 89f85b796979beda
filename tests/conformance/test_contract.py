"""The defaults at an API server: defaulting and pruning done, as it would have them.

Namespaces and the kind SessionGroup stand; all else is created in a dry run, with strict validation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from components.speech.crd import API_VERSION, KIND
from sandbox.kube import Kube
from sandbox.kubernetes.state import to_wire
from sandbox.plane.control_plane import ControlPlane
from tests.conformance.kinds import stand
from tests.live.asked_for import OF_OTHERS
from tests.live.declared import pruned
from tests.unit.contract.compare import DEFAULTS, title, unexplained
from tests.unit.graph import Graph, Json, run_program

KINDS = [each for each in OF_OTHERS if each["kind"] == "CustomResourceDefinition"]
STANDING = ("Namespace", "CustomResourceDefinition")
"""What must be there before anything in it, or of its kind, can be tried."""


def objects(graph: Graph) -> list[Json]:
    """The program's objects as they are sent."""
    return [to_wire(each.inputs) for each in graph.kubernetes if "metadata" in each.inputs]


@pytest.fixture(scope="module")
def defaults() -> list[Json]:
    return objects(run_program("sandbox"))


@pytest.fixture(scope="module")
def bare(control_plane: ControlPlane, defaults: list[Json]) -> ControlPlane:
    """The control plane with namespaces and kinds."""
    standing = [*KINDS, *(each for each in defaults if each["kind"] in STANDING)]
    kinds = ((API_VERSION, KIND), ("external-secrets.io/v1", "ExternalSecret"))
    asyncio.run(stand(control_plane.admin_kubeconfig(), standing, kinds))
    return control_plane


@pytest.fixture
async def kube(bare: ControlPlane) -> AsyncIterator[Kube]:
    async with Kube(bare.admin_kubeconfig(), "test") as client:
        yield client


async def tried(kube: Kube, declared: list[Json]) -> dict[str, Json]:
    """What the API server would hold at the declared fields, by title."""
    live = {}
    for each in declared:
        answer = kube.apply(each, dry_run=True) if each["kind"] in STANDING else kube.create(each, dry_run=True)
        live[title(each)] = pruned(await answer, each)
    return live


async def test_the_defaults_are_the_contracts_in_the_eyes_of_the_api_server(kube: Kube, defaults: list[Json]) -> None:
    live = await tried(kube, defaults)
    found = [line for file in DEFAULTS for line in unexplained(file, live)]
    assert not found, "\n".join(found)


async def test_a_field_the_kind_does_not_know_is_seen(kube: Kube, defaults: list[Json]) -> None:
    group = next(each for each in defaults if title(each) == "SessionGroup/rt-transcriber-en")
    broken = {**group, "spec": {**group["spec"], "scaling": {**group["spec"]["scaling"], "scaleOnCapacityLeft": -2}}}
    with pytest.raises(Exception, match="scaleOnCapacityLeft"):
        await tried(kube, [broken])
