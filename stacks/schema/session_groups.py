"""The `sessionGroups` block that transcribers and inference servers have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import GoDuration, Section, only

SWITCH = "Deploy as a session group also while `global.sessionGroups.enabled` is off; it switches on, never off."
RECREATE = "it ends pods while sessions are in them; idle ones are replaced first, the others when their sessions end"

RECREATES = "A plain Deployment ends its old pods before it starts new ones, which cuts their sessions."


class ScalingOverride(Section):
    """When a group grows and shrinks; what is not set is left to what is above."""

    enabled: bool | None = Field(None, description="Scale this group; unset is `global.sessionGroups.scaling.enabled`.")
    min_replicas: int | None = Field(None, ge=0, description="Minimum number of pods to deploy.")
    max_replicas: int | None = Field(None, ge=1, description="Max number of pods to scale to.")
    scale_down_delay: GoDuration | None = Field(None, description="Wait time before scaling down a pod once idle.")
    scale_on_capacity_left: int | None = Field(
        None, ge=-1, description="Buffer size # of sessions to start triggering scaling; -1 is off."
    )
    scale_on_pods_left: int | float | None = Field(
        None, ge=-1, description="Idle pods left at which another is added, decimals allowed; -1 is off."
    )
    max_pods_scaled_down_at_once: int | None = Field(None, ge=1, description="Most pods removed in one step.")


class TranscriberScaling(ScalingOverride):
    """When a transcriber group grows and shrinks, once scaling is on."""

    min_replicas: int = Field(1, ge=0, description="Minimum number of pods to deploy.")
    max_replicas: int = Field(4, ge=1, description="Max number of pods to scale to.")
    scale_down_delay: GoDuration = Field("1m0s", description="Wait time before scaling down a transcriber once idle.")
    scale_on_capacity_left: int | None = Field(
        1, ge=-1, description="Buffer size # of sessions to start triggering scaling; -1 is off."
    )
    max_pods_scaled_down_at_once: int = Field(10, ge=1, description="Most pods removed in one step.")


class InferenceScaling(ScalingOverride):
    """When an inference group grows and shrinks, once scaling is on."""

    enabled: bool | None = Field(
        None, description="Scale this server; it can switch scaling on, never off what is on for all."
    )
    min_replicas: int = Field(1, ge=0, description="Minimum number of pods to deploy.")
    max_replicas: int = Field(4, ge=1, description="Max number of pods to scale to.")
    scale_down_delay: GoDuration = Field("5m0s", description="Wait time before scaling down a server once idle.")
    scale_on_capacity_left: int | None = Field(
        10, ge=-1, description="Capacity left, in model cost, at which another pod is added; -1 is off."
    )
    scale_on_pods_left: int | float | None = Field(
        None, ge=-1, description="Idle pods left at which another is added, in place of scaleOnCapacityLeft."
    )
    max_pods_scaled_down_at_once: int = Field(10, ge=1, description="Most pods removed in one step.")


class RolloutOverride(Section):
    """How a group replaces its pods; what is not set is left to what is above."""

    allowed_surge: int | None = Field(
        None, ge=1, description="Pods above the wanted number while idle ones are replaced."
    )
    max_pods_create_at_once: int | None = Field(None, ge=1, description="Most pods created in one step.")
    strategy_recreate: Annotated[bool | None, only(False, RECREATE)] = Field(
        False, description="Replace pods without waiting for their sessions; refused."
    )


class DefragOverride(Section):
    """How a group packs its sessions onto fewer pods; what is not set is left to what is above."""

    enabled: bool | None = Field(None, description="Take pods off that hold few sessions, once they are idle.")
    max_idle_pods_on_scale_up: int | None = Field(None, ge=1, description="Idle pods kept while a group grows.")


class Defrag(DefragOverride):
    """How a group packs its sessions onto fewer pods."""

    enabled: bool = Field(False, description="Take pods off that hold few sessions, once they are idle.")
    max_idle_pods_on_scale_up: int = Field(1, ge=1, description="Idle pods kept while a group grows.")


class Rollout(Section):
    """How many pods a session group has and how it replaces them."""

    enabled: bool = Field(False, description=SWITCH)
    replicas: int = Field(1, ge=0, description="Pods of each group while scaling is off.")
    allowed_surge: int = Field(1, ge=1, description="Pods above the wanted number while idle ones are replaced.")
    max_pods_create_at_once: int = Field(3, ge=1, description="Most pods created in one step.")
    strategy_recreate: Annotated[bool, only(False, RECREATE)] = Field(
        False, description="Replace pods without waiting for their sessions; refused."
    )

    def used(self, everywhere: bool) -> bool:
        """Whether there is a session group and no plain Deployment (contract: transcription 2.2)."""
        return self.enabled or everywhere


class TranscriberGroups(Rollout):
    """The session group of each language."""

    scaling: TranscriberScaling = Field(default_factory=TranscriberScaling, description="Scaling of each language.")
    defrag: Defrag = Field(default_factory=Defrag, description="Packing of sessions onto fewer pods.")
    active_node_scheduling: Annotated[
        bool, only(True, "the chart sends true whatever is said here, so no other value would have an effect")
    ] = Field(True, description="Prefer nodes that hold sessions already.")


class InferenceGroups(Rollout):
    """The session group of one inference server."""

    scaling: InferenceScaling = Field(default_factory=InferenceScaling, description="Scaling of this server.")
