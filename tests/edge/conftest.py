"""A real nginx with the program's objects, and two pods of which the first is behind the Service."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from sandbox.ingress import executable
from sandbox.toolchain import report
from tests.edge.platform import Change, Platform, as_it_is, platform
from tests.edge.world import NET, NUMBERS, Edge, Pod
from tests.needed import missing

Start = Callable[..., Awaitable[Edge]]


@pytest.fixture(scope="session")
def nginx() -> Path:
    """The program."""
    found = executable.nginx(report())
    if found is None:
        missing("nginx", executable.PACKAGE)
    return found


@pytest.fixture(scope="session")
def programs() -> Platform:
    """The program's objects."""
    return platform()


@pytest.fixture
async def pods(programs: Platform) -> AsyncIterator[list[Pod]]:
    """Two that listen."""
    made = [Pod(f"{NET}.{next(NUMBERS) % 250 + 1}", programs.port) for _ in range(2)]
    async with made[0].listening(), made[1].listening():
        yield made


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short path: that of a unix socket has room for about a hundred characters."""
    with tempfile.TemporaryDirectory(prefix="edge-") as made:
        path = Path(made)
        path.chmod(0o711)  # as root, the workers are somebody else
        yield path


@pytest.fixture
async def start(nginx: Path, programs: Platform, pods: list[Pod], folder: Path) -> AsyncIterator[Start]:
    """Starts nginx with the program's objects, changed or not."""
    started: list[Edge] = []

    async def starting(change: Change = as_it_is) -> Edge:
        edge = Edge(programs, nginx, folder / str(len(started)), pods[:1])
        started.append(edge)
        await edge.start(change)
        return edge

    yield starting
    await asyncio.gather(*(edge.nginx.kill() for edge in started))
