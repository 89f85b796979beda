"""Which nodes a workload runs on: the labels and taints that pools and workloads agree on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from stacks.schema.pools import Role

POOL_LABEL = "sm-realtime/pool"
"""Node label: the role of the node's pool."""

GENERATION_LABEL = "sm-realtime/generation"
"""Node label: the name of the node's pool, which is one generation."""


@dataclass(frozen=True)
class Taint:
    """A NoSchedule taint: it keeps new pods away and never removes running ones."""

    key: str
    value: str

    @property
    def text(self) -> str:
        """As AKS writes it."""
        return f"{self.key}={self.value}:NoSchedule"

    @property
    def toleration(self) -> dict[str, Any]:
        """The toleration that lets a pod onto such a node."""
        return {"key": self.key, "operator": "Equal", "value": self.value, "effect": "NoSchedule"}


def taint(role: Role) -> Taint:
    """The taint of a pool; the GPU pool's is the one the vendor's inference pods tolerate by default."""
    return Taint("sku", "gpu") if role is Role.INFERENCE else Taint(POOL_LABEL, role.value)


@dataclass(frozen=True)
class Placement:
    """The active generation of a role, as workloads choose it."""

    role: Role
    generation: pulumi.Input[str]
    """Name of the active generation, usable once its pool exists."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels a node must have besides."""
    tolerated: tuple[dict[str, Any], ...] = ()
    """Tolerations before the pool's own."""
    affinity: Mapping[str, Any] = field(default_factory=dict)
    """Where pods would rather run, as the API has it."""

    @property
    def node_selector(self) -> dict[str, pulumi.Input[str]]:
        """Both labels: a generation of another role is never chosen."""
        return {**self.labels, POOL_LABEL: self.role.value, GENERATION_LABEL: self.generation}

    @property
    def tolerations(self) -> list[dict[str, Any]]:
        own = taint(self.role).toleration
        return [*self.tolerated, *([] if own in self.tolerated else [own])]

    def affinity_with(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration's affinity beside the program's own, whose terms stand first in each list and stay."""
        found = {kind: dict(rules) for kind, rules in own.items()}
        for kind, rules in copy.deepcopy(dict(self.affinity)).items():
            there = found.setdefault(kind, {})
            for rule, terms in rules.items():
                there[rule] = [*there[rule], *terms] if rule in there else terms
        return found
