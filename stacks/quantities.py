"""Kubernetes quantities as numbers, and what containers request in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNITS = {"m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number: `500m` is 0.5, `5Gi` is 5368709120."""
    unit = next((unit for unit in UNITS if text.endswith(unit)), None)
    return float(text) if unit is None else float(text.removesuffix(unit)) * UNITS[unit]


Pod = tuple[float, float]
"""CPU, and memory in bytes, that one pod requests."""


def requested(resources: Mapping[str, Any]) -> Pod:
    """CPU and memory a container requests; where only a limit is given, Kubernetes takes it for the request."""
    both = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return quantity(str(both.get("cpu", "0"))), quantity(str(both.get("memory", "0")))


def together(*containers: Mapping[str, Any]) -> Pod:
    """What one pod requests, by the resources of its containers."""
    each = [requested(resources) for resources in containers]
    return sum(cpu for cpu, _ in each), sum(memory for _, memory in each)
