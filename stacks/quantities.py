"""Kubernetes quantities as numbers."""

from __future__ import annotations

UNITS = {"m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number: `500m` is 0.5, `5Gi` is 5368709120."""
    unit = next((unit for unit in UNITS if text.endswith(unit)), None)
    return float(text) if unit is None else float(text.removesuffix(unit)) * UNITS[unit]
