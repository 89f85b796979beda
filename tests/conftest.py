"""What the tests share: the toolchain, and one bare control plane for the whole run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from sandbox.plane.control_plane import ControlPlane
from sandbox.toolchain import Tools, ensure, report

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own, for what outlives the loop of a single test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tests' own loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 120) -> T:
        """The coroutine's result, computed on that loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file whose tests share the platform comes first: with a worker for each file it takes longest."""
    items.sort(key=lambda item: "platform" not in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Every program of the plane, built if need be."""
    return ensure(report())


@pytest.fixture(scope="session")
def control_plane(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane without node and session-group stand-ins: tests bring their own."""
    loop = Loop()
    plane = ControlPlane(tmp_path_factory.mktemp("plane") / "cluster", tools, agents=False)
    try:
        loop.run(plane.start())
        yield plane
    finally:
        loop.run(plane.stop())
        loop.close()
