"""What a stack needs that the chart has no keys for: the cluster and the pools."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Any

from stacks.capacity import nodes_needed
from stacks.schema import Settings
from stacks.schema.pools import Role

PLACEHOLDER = {
    "subscription_id": "00000000-0000-0000-0000-000000000000",
    "location": "westeurope",
    "resource_group": "speech",
    "cluster_name": "speech",
    "kubernetes_version": "1.35.0",
}
"""Stand in for what is not given while the values are looked at; never written."""


@dataclass(frozen=True)
class Base:
    """The cluster, as far as it is told."""

    subscription_id: str | None = None
    location: str | None = None
    resource_group: str | None = None
    cluster_name: str | None = None
    kubernetes_version: str | None = None

    @property
    def missing(self) -> list[str]:
        """Keys that the stack file needs and nobody has told."""
        return [path for name, paths in _PATHS.items() if getattr(self, name) is None for path in paths]

    def sections(self) -> dict[str, Any]:
        """`azure` and `pools` with what is told, and one active generation in each pool."""
        return self._sections({each.name: getattr(self, each.name) for each in fields(self)})

    def complete(self) -> dict[str, Any]:
        """The same with stand-ins for what is not told."""
        return self._sections({name: getattr(self, name) or PLACEHOLDER[name] for name in PLACEHOLDER})

    def _sections(self, told: dict[str, str | None]) -> dict[str, Any]:
        keys = {name: paths[0].rpartition(".")[2] for name, paths in _PATHS.items()}
        azure = {keys[name]: value for name, value in told.items() if value is not None}
        version = {"kubernetesVersion": told["kubernetes_version"]} if told["kubernetes_version"] else {}
        generation = {"number": 1, "state": "active", **version}
        return {"azure": azure, "pools": {role.value: [dict(generation)] for role in Role}}


_PATHS = {
    "subscription_id": ("azure.subscriptionId",),
    "location": ("azure.location",),
    "resource_group": ("azure.resourceGroup",),
    "cluster_name": ("azure.clusterName",),
    "kubernetes_version": (
        "azure.kubernetesVersion",
        *(f"pools.{role.value}[0].kubernetesVersion" for role in Role),
    ),
}
"""Option → the keys it fills."""


def with_room(sections: dict[str, Any], settings: Settings) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The pools large enough for what the values ask, with what was raised and why."""
    sections, notes = deepcopy(sections), []
    for pool in settings.pools.all:
        # a values file of the chart names no further pool
        needed = nodes_needed(settings, pool, pool.active)
        if needed is not None and needed > pool.active.max_count:
            sections["pools"][pool.role.value][0]["maxCount"] = needed
            text = f"{needed}, the fewest nodes that hold every wanted pod with all the surge at once"
            notes.append((f"{pool.path}[0].maxCount", text))
    return sections, notes
