"""The program's objects against the vendor's contract, field by field: as the program registers them.

An exception of `components/speech/differences` that no longer applies fails as well.
"""

from __future__ import annotations

import functools

import pytest

from components.speech.differences import DIFFERENCES
from tests.unit.contract.compare import (
    FILES,
    VARIANTS,
    beside,
    compared,
    lay_over,
    title,
    unexplained,
)
from tests.unit.graph import Graph, Json, run_program


@functools.cache
def graph_of(variant: str) -> Graph:
    """The program run with the values of a variant."""
    return run_program("sandbox", functools.partial(lay_over, variant))


def actual(graph: Graph) -> dict[str, Json]:
    found = {title(each.inputs): each.inputs for each in graph.kubernetes if "metadata" in each.inputs}
    assert len(found) == len(graph.kubernetes)
    return found


def of_file(file: str, sandbox: Graph) -> dict[str, Json]:
    return actual(graph_of(file) if file in VARIANTS else sandbox)


@pytest.mark.parametrize("file", FILES)
def test_every_field_is_the_contracts_or_a_listed_difference(file: str, sandbox: Graph) -> None:
    found = unexplained(file, of_file(file, sandbox))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", FILES)
def test_every_object_is_in_the_contract_or_known_to_be_ours(file: str, sandbox: Graph) -> None:
    found = beside(file, of_file(file, sandbox)).unexplained
    assert not found, "\n".join(found)


def test_every_listed_difference_is_still_there(sandbox: Graph) -> None:
    used = set()
    for file in FILES:
        objects = of_file(file, sandbox)
        used |= compared(file, objects).used | beside(file, objects).used
    assert not [f"{d.objects} {d.path}" for d in DIFFERENCES if d not in used]


def test_a_difference_has_a_reason_worth_reading() -> None:
    assert not [d for d in DIFFERENCES if len(d.reason) < 15 or not d.reason.endswith(".")]
