"""What the tests of the sessions share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.plane.control_plane import ControlPlane
from tests.sandbox.sessions.world import Platform


@pytest.fixture
async def platform(control_plane: ControlPlane, kube: Kube, namespace: str, tmp_path: Path) -> AsyncIterator[Platform]:
    """A node and a namespace that has nothing in it yet."""
    made = Platform(kube, control_plane.admin_kubeconfig(), namespace, Home(tmp_path))
    async with made.machine():
        yield made
    made.journal.close()
