"""The recorded graph of each stack, made once for all tests."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from tests.unit.graph import STACKS, Change, Graph, run_program


def pytest_collection_finish() -> None:
    """The SDKs stay: the collector need not walk through all their classes again and again with each graph."""
    gc.freeze()


class Graphs(dict[str, Graph]):
    """The program is run for a stack when a test first asks for it."""

    def __missing__(self, stack: str) -> Graph:
        self[stack] = run_program(stack)
        return self[stack]


@pytest.fixture(scope="session")
def graphs() -> dict[str, Graph]:
    return Graphs()


@pytest.fixture(scope="session")
def sandbox(graphs: dict[str, Graph]) -> Graph:
    return graphs["sandbox"]


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest, graphs: dict[str, Graph]) -> Graph:
    """Each stack in turn."""
    return graphs[request.param]


@pytest.fixture(scope="session")
def changed(graphs: dict[str, Graph]) -> Callable[[Change | None], Graph]:
    """The sandbox's graph with its configuration changed (see `tests.unit.variants`), each made once."""
    made: dict[Change, Graph] = {}

    def graph_with(change: Change | None) -> Graph:
        if change is None:
            return graphs["sandbox"]
        if change not in made:
            made[change] = run_program("sandbox", change)
        return made[change]

    return graph_with
