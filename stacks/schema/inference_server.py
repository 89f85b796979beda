"""`inferenceServer…`: one GPU server per recipe (seed: `inferenceServerEnhancedRecipe1.*`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, Section
from stacks.schema.session_groups import InferenceGroups


class TritonImage(Section):
    """The inference server's image."""

    repository: str = Field(
        "sm-gpu-inference-server-enhanced-recipe1",
        pattern="^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$",
        description="Repository for the inference server triton container.",
    )


class Recipe1Triton(Section):
    """The inference server itself."""

    image: TritonImage = Field(default_factory=TritonImage, description="Its image.")
    mode: Literal["rt"] = Field("rt", description="Mode to run inference servers in; this platform is real-time only.")
    operating_point: Literal["enhanced"] = Field("enhanced", description="Operating point of recipe 1.")
    recipe: Literal["enhanced-recipe1"] = Field(
        "enhanced-recipe1", description="Set to enhanced-recipe1 to deploy Enhanced model recipe 1."
    )


class Recipe1ModelCosts(Section):
    """What one request to each kind of model costs of the server's capacity."""

    am: int = Field(0, ge=0, description="Cost of am model request.")
    body: int = Field(0, ge=0, description="Cost of body model request.")
    diar: int = Field(0, ge=0, description="Cost of diar model request.")
    ensemble: int = Field(20, ge=0, description="Cost of Non-English ensemble model request.")
    ensemble_en: int = Field(
        16, ge=0, alias="ensemble_en", description="Cost of English ensemble model request (Recipe 1)."
    )
    lm_en: int = Field(8, ge=0, alias="lm_en", description="Cost of English lm model request (Recipe 1).")
    audio_event_detection: int = Field(3, ge=0, description="Cost of audio event detection.")


class Recipe1Features(Section):
    """What the server registers with the resource manager."""

    capacity: int = Field(480, gt=0, description="Total capacity of inference server in terms of model cost.")
    model_costs: Recipe1ModelCosts = Field(default_factory=Recipe1ModelCosts, description="Costs of requests.")
    additional_model_costs: dict[str, int] = Field(
        default_factory=dict, description="Map of additional models to include under model_costs."
    )


class Recipe1Sidecar(Section):
    """The sidecar that registers the server."""

    enabled: Literal[True] = Field(True, description="Deploy the inference sidecar; without it no session finds it.")
    register_features: Recipe1Features = Field(
        default_factory=Recipe1Features, description="What the server registers."
    )


class Recipe1Settings(Section):
    """The inference server with enhanced model recipe 1."""

    enabled: bool = Field(True, description="Enable deployment of inference server with enhanced model recipe 1.")
    fullname_override: DnsLabel = Field(
        "inference-server-enhanced-recipe1", description="Name of the group and its Service."
    )
    triton_server: Recipe1Triton = Field(default_factory=Recipe1Triton, description="The server itself.")
    inference_sidecar: Recipe1Sidecar = Field(default_factory=Recipe1Sidecar, description="Its sidecar.")
    session_groups: InferenceGroups = Field(default_factory=InferenceGroups, description="The group.")
