"""What the tests share: the toolchain, the order of the files, and bare control planes."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from sandbox.plane.control_plane import ControlPlane
from sandbox.toolchain import Tools, ensure, report

T = TypeVar("T")

os.environ.setdefault("GOGC", "400")
"""The engine and the control planes live for minutes here: memory for time that their collectors would take."""

FIRST = (
    "live/test_contract",
    "test_standing_platform",
    "test_everything_on",
    "test_existing_secrets",
    "test_recovery",
    "test_failover",
)
"""Files that take longest, longest first."""

LONG = (
    "tests/live/test_contract.py",
    "tests/live/test_everything_on.py",
    "tests/live/test_existing_secrets.py",
    "tests/live/test_imported.py",
    "tests/live/test_recovery.py",
    "tests/live/test_redis.py",
    "tests/live/test_states.py",
    "tests/drill/test_ladder_live.py",
    "tests/redis/test_failover.py",
    "tests/unit/test_reach.py",
)
"""Files that take minutes each: platforms on planes of their own, fail-over under load, what every key reaches."""

AMONG = re.compile(r"^tests/unit/test_reach\.py::\w+\[(.+?)~")
"""Tests of many runs of the program, each with its context: those of one context go to one worker."""

SHARING = ("tests/unit/test_contract.py", "tests/unit/stacks/test_inventory.py")
"""Files that share the graphs of the contract's variants (tests/unit/variants.py)."""

TOGETHER = "tests/conformance/"
"""A folder whose files are short and share a control plane and a provider: one worker starts one of each."""


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


CHECKOUT = Path(__file__).resolve().parents[1]
SORTS = {"long": True, "not long": False}
"""What `-m` may ask for, and whether that is the long files."""


def left_out(file: Path, asked: str) -> bool:
    """Whether a file is of the sort that is not asked for."""
    return asked in SORTS and (file.relative_to(CHECKOUT).as_posix() in LONG) != SORTS[asked]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files of the other sort are not even imported: it would take every worker seconds."""
    return (collection_path.suffix == ".py" and left_out(collection_path, config.option.markexpr)) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, the rest as it is collected; the long ones are marked."""
    items.sort(key=_turn)
    for item in items:
        if item.nodeid.startswith(LONG):
            item.add_marker("long")


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A worker for each file, but for those that share more or less than a file."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if file in SHARING:
            return "variants"
        if file.startswith(TOGETHER):
            return TOGETHER
        among = AMONG.search(nodeid)
        return f"{file}[{among[1]}" if among else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, file in enumerate(FIRST) if file in item.nodeid), len(FIRST))


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Every program of the plane, built if need be."""
    return ensure(report())


@contextmanager
def bare_control_plane(tools: Tools, folder: Path) -> Iterator[ControlPlane]:
    """A running control plane without node and session-group stand-ins: tests bring their own.

    A folder of tests has one while its tests run: an idle one takes a few hundredths of a core.
    """
    loop = Loop()
    plane = ControlPlane(folder, tools, agents=False)
    try:
        loop.run(plane.start())
        yield plane
    finally:
        loop.run(plane.stop())
        loop.close()
