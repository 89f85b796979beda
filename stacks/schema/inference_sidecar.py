"""`inferenceServer….inferenceSidecar`: the sidecar that registers a server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import Flag, Section
from stacks.schema.fragment import ResourceRequirements, laid_over
from stacks.schema.images import ImageOverride, PullPolicy
from stacks.schema.register_features import RecipeFeatures, RegisterFeatures
from stacks.schema.resource_manager_address import ResourceManagerAddress
from stacks.schema.triton import POLICY, Variables

FEATURES = "What the server registers."
RESOURCES = {"requests": {"cpu": "10m", "memory": "50Mi"}}


class Sidecar(Section):
    """The sidecar that registers the server."""

    enabled: bool = Field(True, description="Deploy the inference sidecar; without it no session finds the server.")
    image: ImageOverride = Field(default_factory=ImageOverride, description="Its image.")
    image_pull_policy: PullPolicy | None = Field(None, description=POLICY)
    port: int = Field(8008, gt=1023, lt=65536, description="Port of its metrics, on pod and Service.")
    resources: Annotated[ResourceRequirements, laid_over(RESOURCES)] = Field(
        RESOURCES, description="Requests and limits."
    )
    register_conditions: Flag = Field(False, description="Register the pod's conditions as well.")
    crash_detector_dry_run: Flag = Field(False, description="Report a crashed server and leave it registered.")
    env: Variables = Field(default_factory=dict, description="Environment variables to add; REGISTER_FEATURES wins.")
    register_features: RegisterFeatures = Field(default_factory=RegisterFeatures, description=FEATURES)
    resource_manager: ResourceManagerAddress = Field(
        default_factory=ResourceManagerAddress, description="How it learns the resource manager's address."
    )


class RecipeSidecar(Sidecar):
    """The sidecar of a server with a recipe."""

    register_features: RecipeFeatures = Field(default_factory=RecipeFeatures, description=FEATURES)
