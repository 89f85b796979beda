"""What the tests of the ingress stand-in share: the program's objects, with or without the stand-in at work."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest

from components.cluster.ingress_rights import SECRETS, WATCHED
from sandbox.kube import Kube
from sandbox.plane.control_plane import ControlPlane
from tests.sandbox.conftest import stop_all
from tests.sandbox.ingress.world import NETWORKING, RBAC, World

NUMBERS = itertools.count(1)


@pytest.fixture
async def bare(control_plane: ControlPlane) -> AsyncIterator[World]:
    """Two namespaces with everything but rights and pods."""
    kubeconfig = control_plane.admin_kubeconfig()
    async with Kube(kubeconfig, "test") as admin:
        world = World(admin, kubeconfig, next(NUMBERS))
        await world.install()
        yield world
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            await admin.delete(RBAC, kind, world.own)
        await admin.delete(NETWORKING, "IngressClass", world.class_name)
        for namespace in (world.own, world.speech):
            await stop_all(admin, namespace)
        await admin.delete("v1", "Node", world.node)


@pytest.fixture
async def world(bare: World) -> AsyncIterator[World]:
    """The stand-in at work: one controller and one proxy, no Ingress yet."""
    await bare.grant()
    await bare.controller()
    await bare.proxy()
    async with bare.playing():
        yield bare


@pytest.fixture
async def reading(bare: World) -> AsyncIterator[World]:
    """The same where an Ingress names a Secret: the controller may read those beside the sessions."""
    await bare.grant(watched=[*WATCHED, SECRETS])
    await bare.controller(bare.args(certificates=True))
    await bare.proxy()
    async with bare.playing():
        yield bare
