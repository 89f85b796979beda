"""The `sessionGroups` block that transcribers and inference servers have in common."""

from __future__ import annotations

from pydantic import Field

from stacks.schema.base import GoDuration, Section


class TranscriberScaling(Section):
    """When a transcriber group grows and shrinks, once `global.sessionGroups.scaling.enabled` is on."""

    min_replicas: int = Field(1, ge=0, description="Minimum number of pods to deploy.")
    max_replicas: int = Field(4, ge=1, description="Max number of pods to scale to.")
    scale_down_delay: GoDuration = Field("1m0s", description="Wait time before scaling down a transcriber once idle.")
    scale_on_capacity_left: int = Field(
        1, ge=-1, description="Buffer size # of sessions to start triggering scaling; -1 is off."
    )
    max_pods_scaled_down_at_once: int = Field(10, ge=1, description="Most pods removed in one step.")


class InferenceScaling(Section):
    """When an inference group grows and shrinks, once `global.sessionGroups.scaling.enabled` is on."""

    min_replicas: int = Field(1, ge=0, description="Minimum number of pods to deploy.")
    max_replicas: int = Field(4, ge=1, description="Max number of pods to scale to.")
    scale_down_delay: GoDuration = Field("5m0s", description="Wait time before scaling down a server once idle.")
    scale_on_capacity_left: int = Field(
        10, ge=-1, description="Capacity left, in model cost, at which another pod is added; -1 is off."
    )
    max_pods_scaled_down_at_once: int = Field(10, ge=1, description="Most pods removed in one step.")


class Rollout(Section):
    """How many pods a session group has and how it replaces them."""

    replicas: int = Field(1, ge=0, description="Pods of each group while scaling is off.")
    allowed_surge: int = Field(1, ge=1, description="Pods above the wanted number while idle ones are replaced.")
    max_pods_create_at_once: int = Field(3, ge=1, description="Most pods created in one step.")


class TranscriberGroups(Rollout):
    """The session group of each language."""

    scaling: TranscriberScaling = Field(default_factory=TranscriberScaling, description="Scaling of each language.")


class InferenceGroups(Rollout):
    """The session group of one inference server."""

    scaling: InferenceScaling = Field(default_factory=InferenceScaling, description="Scaling of this server.")
