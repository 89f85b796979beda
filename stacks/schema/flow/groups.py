"""`sessionGroups` of flow-service and tts (contract: flow 2.1, 4.1)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import GoDuration, Section, only
from stacks.schema.flow.shared import RECREATE
from stacks.schema.session_groups import SWITCH, Defrag


class FlowScaling(Section):
    """When the group grows and shrinks."""

    enabled: bool = Field(False, description="Scale this group; `global.sessionGroups.scaling.enabled` scales all.")
    min_replicas: int = Field(1, ge=0, description="Fewest pods.")
    max_replicas: int = Field(4, ge=1, description="Most pods.")
    scale_down_delay: GoDuration = Field("1m0s", description="How long a pod is idle before it is removed.")
    scale_on_pods_left: float | None = Field(
        None,
        ge=-1,
        description="Idle pods at which another is added, decimals allowed; instead of scaleOnCapacityLeft.",
    )
    scale_on_capacity_left: int = Field(5, ge=-1, description="Sessions left at which a pod is added; -1 is off.")
    max_pods_scaled_down_at_once: int = Field(10, ge=1, description="Most pods removed in one step.")


class TtsScaling(FlowScaling):
    """When the group grows and shrinks."""

    scale_down_delay: GoDuration = Field("5m0s", description="How long a pod is idle before it is removed.")
    scale_on_capacity_left: int = Field(2, ge=-1, description="Sessions left at which a pod is added; -1 is off.")


class FlowGroups(Section):
    """The session group."""

    enabled: bool = Field(False, description=SWITCH)
    replicas: int = Field(1, ge=0, description="Pods of the group while scaling is off.")
    allowed_surge: int = Field(1, ge=1, description="Pods above the wanted number while idle ones are replaced.")
    max_pods_create_at_once: int = Field(3, ge=1, description="Most pods created in one step.")
    strategy_recreate: Annotated[bool, only(False, RECREATE)] = Field(
        False, description="Refused: all pods would be replaced at once, with their conversations."
    )
    active_node_scheduling: bool = Field(True, description="Fill nodes that have sessions already.")
    scaling: FlowScaling = Field(default_factory=FlowScaling, description="Scaling of the group.")
    defrag: Defrag = Field(default_factory=Defrag, description="Moving sessions together.")

    def used(self, everywhere: bool) -> bool:
        """Whether there is a session group and no plain Deployment (contract: flow 1)."""
        return self.enabled or everywhere

    def is_scaled(self, everywhere: bool) -> bool:
        """Whether the controller scales the group: its own switch can turn it on, never off."""
        return self.scaling.enabled or everywhere

    def most(self, everywhere: bool) -> int:
        """The most pods it may want."""
        return self.scaling.max_replicas if self.is_scaled(everywhere) else self.replicas


class TtsGroups(FlowGroups):
    """The session group."""

    active_node_scheduling: bool = Field(False, description="Fill nodes that have sessions already.")
    scaling: TtsScaling = Field(default_factory=TtsScaling, description="Scaling of the group.")
