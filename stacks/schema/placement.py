"""What the configuration can say of where a workload's pods run."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stacks.schema.base import Section
from stacks.schema.fragment import OWN_NODE_LABELS, Affinity, Toleration
from stacks.schema.pools import PoolName, Role
from stacks.schema.workload import LabelKey, LabelValue


def _not_ours(selector: dict[str, str]) -> dict[str, str]:
    taken = sorted(key for key in selector if key.startswith(OWN_NODE_LABELS))
    if taken:
        why = "{taken}: set by the program, by them pods find the active generation of their pool"
        raise PydanticCustomError("not_allowed", why, {"taken": ", ".join(taken)})
    return selector


NodeSelector = Annotated[dict[LabelKey, LabelValue], AfterValidator(_not_ours)]
"""Node labels beside the program's own."""


class NodeSettings(Section):
    """Which nodes of its pool a workload's pods run on."""

    node_selector: NodeSelector = Field(
        default_factory=dict,
        description="Labels of Kubernetes or AKS a node must have, beside those of the pool's active generation.",
    )
    tolerations: tuple[Toleration, ...] = Field((), description="Taints that keep no pod away, beside the pool's own.")


class PlacementSettings(NodeSettings):
    """Where the pods of a workload run; base of the sections that say so."""

    role: ClassVar[Role] = Role.SERVICES
    """Whose pool the workload runs on, and of which role a further pool must be."""

    pool: PoolName | None = Field(
        None, description="Ours: one of `pools.further`, of the workload's role; unset is the role's own pool."
    )


class AffinitySettings(Section):
    """Where a workload's pods would rather run."""

    affinity: Affinity = Field(
        default_factory=dict, description="Node and pod affinity, beside what the program sets itself."
    )


class WorkloadPlacement(PlacementSettings, AffinitySettings):
    """All of it in one section, as most workloads have it."""
