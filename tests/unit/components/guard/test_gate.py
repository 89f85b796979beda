"""The gate stands before everything."""

from __future__ import annotations

from components.guard.names import Kind, Step, hook_name
from tests.unit.graph import Graph


def test_a_destroy_meets_the_gate_first(graph: Graph) -> None:
    """What depends on all others is deleted first; nothing may depend on the gate."""
    gate = graph.one("sm-realtime:guard:Gate")
    assert gate.before_delete == (hook_name(Kind.GATE, Step.DELETE),)
    assert [each.urn for each in graph.resources if gate.urn in each.dependencies] == []
    unreached = {e.urn for e in graph.resources if e.before_delete} - gate.dependencies - {gate.urn}
    assert unreached == set()
