"""What fits on a node, against the numbers Azure's documents give."""

from __future__ import annotations

import pytest

from stacks.capacity import GIB, SIZES, allocatable, quantity


@pytest.mark.parametrize(
    ("text", "value"), [("500m", 0.5), ("2", 2), ("5Gi", 5 * 2**30), ("15Mi", 15 * 2**20), ("3.5Gi", 3.5 * 2**30)]
)
def test_quantity(text: str, value: float) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize(
    ("size", "max_pods", "cpu", "memory_gib"),
    [
        ("Standard_NC4as_T4_v3", 30, 3.86, 26.7),
        ("Standard_NC4as_T4_v3", 110, 3.86, 25.1),
        ("Standard_E16s_v5", 110, 15.74, 123.2),
        ("Standard_E16s_v5", 250, 15.74, 120.5),
    ],
)
def test_allocatable(size: str, max_pods: int, cpu: float, memory_gib: float) -> None:
    """The table of AKS's node resource reservations, 2026-06-11."""
    found = allocatable(SIZES[size], max_pods)
    assert found[0] == pytest.approx(cpu)
    assert found[1] / GIB == pytest.approx(memory_gib, abs=0.11)
