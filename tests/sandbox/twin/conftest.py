"""What the tests of the twin share: a namespace with or without a controller at work."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest

from sandbox.kube import Kube
from sandbox.plane.control_plane import ControlPlane
from tests.sandbox.conftest import stop_all
from tests.sandbox.twin.world import World

NAMESPACES = itertools.count(1)


@pytest.fixture
async def bare(control_plane: ControlPlane) -> AsyncIterator[World]:
    """A namespace in which nobody has given the controller any right."""
    kubeconfig = control_plane.admin_kubeconfig()
    async with Kube(kubeconfig, "test") as admin:
        world = World(admin, kubeconfig, f"twin-{next(NAMESPACES)}")
        await world.install()
        yield world
        await stop_all(admin, world.namespace)


@pytest.fixture
async def world(bare: World) -> AsyncIterator[World]:
    """The twin playing a controller that is deployed and Ready, pods starting as they should."""
    await bare.grant()
    await bare.deploy()
    async with bare.kubelet(), bare.twin():
        yield bare
