"""What the tests of the stand-ins share."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from sandbox.kube import Kube
from sandbox.plane.control_plane import ControlPlane
from sandbox.toolchain import Tools
from tests.conftest import bare_control_plane

_NUMBERS = itertools.count()


@pytest.fixture(scope="package")
def control_plane(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One for all tests of this folder."""
    with bare_control_plane(tools, tmp_path_factory.mktemp("plane") / "cluster") as plane:
        yield plane


@pytest.fixture
async def kube(control_plane: ControlPlane) -> AsyncIterator[Kube]:
    """The administrator's client of the control plane."""
    async with Kube(control_plane.admin_kubeconfig(), "test") as client:
        yield client


RUNNING = (*(("apps/v1", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")), ("v1", "Pod"))
"""Kinds of what would take room on the nodes of later tests."""


async def stop_all(kube: Kube, namespace: str) -> None:
    """Take away what runs in a namespace; it stays itself, with the rest.

    To delete one is a request or two for each kind of object there is, more than most tests make, and the plane goes
    soon anyway.
    """
    for api, kind in RUNNING:
        for each in await kube.list(api, kind, namespace):
            await kube.delete(api, kind, each["metadata"]["name"], namespace, grace_seconds=0)


@pytest.fixture
async def namespace(kube: Kube) -> AsyncIterator[str]:
    """A namespace of the test's own."""
    name = f"test-{next(_NUMBERS)}"
    await kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await stop_all(kube, name)
