"""The recorded graph of each stack, made once for all tests."""

from __future__ import annotations

import pytest

from tests.unit.graph import STACKS, Graph, run_program


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
