"""The recorded graph of each stack, made once for all tests."""

from __future__ import annotations

import pytest

from tests.unit.graph import STACKS, Graph, run_program


@pytest.fixture(scope="session")
def graphs() -> dict[str, Graph]:
    return {stack: run_program(stack) for stack in STACKS}


@pytest.fixture(scope="session")
def sandbox(graphs: dict[str, Graph]) -> Graph:
    return graphs["sandbox"]


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest, graphs: dict[str, Graph]) -> Graph:
    """Each stack in turn."""
    return graphs[request.param]
