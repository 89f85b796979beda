"""`inferenceServer…`: one GPU server for each recipe (seed: the six `inferenceServer*` blocks).

The blocks are alike but for name, image, recipe, operating point, capacity and the languages with costs of their own.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from stacks.schema.base import DnsLabel, Section
from stacks.schema.global_settings import ComponentLicensing
from stacks.schema.register_features import (
    CustomFeatures,
    Recipe1Features,
    Recipe2Features,
    Recipe3Features,
    Recipe4Features,
    RecipeFeatures,
    RegisterFeatures,
    StandardFeatures,
)
from stacks.schema.resource_manager_address import ResourceManagerAddress
from stacks.schema.session_groups import InferenceGroups
from stacks.schema.transcribers import OperatingPoint

Repository = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$")]
"""An image's path in its registry."""

RecipeName = Literal[
    "custom", "standard-all", "enhanced-recipe1", "enhanced-recipe2", "enhanced-recipe3", "enhanced-recipe4"
]

ENABLED = "Enable deployment of this inference server."
NAME = "Name of the group and its Service."
TRITON = "The server itself."
SIDECAR = "Its sidecar."
IMAGE = "Its image."
FEATURES = "What the server registers."
RECIPE = "The recipe, which is this block's; the others have blocks of their own."
OPERATING_POINT = "Operating point can be standard or enhanced or set null to support both."


class TritonImage(Section):
    """The inference server's image."""

    repository: Repository = Field(description="Repository for the inference server triton container.")


class Triton(Section):
    """The inference server itself."""

    image: TritonImage = Field(description=IMAGE)
    mode: Literal["rt"] = Field("rt", description="Mode to run inference servers in; this platform is real-time only.")
    operating_point: OperatingPoint | None = Field(OperatingPoint.ENHANCED, description=OPERATING_POINT)
    recipe: RecipeName = Field(description=RECIPE)
    licensing: ComponentLicensing = Field(default_factory=ComponentLicensing, description="The license of this server.")


class Sidecar(Section):
    """The sidecar that registers the server."""

    enabled: Literal[True] = Field(True, description="Deploy the inference sidecar; without it no session finds it.")
    register_features: RegisterFeatures = Field(default_factory=RegisterFeatures, description=FEATURES)
    resource_manager: ResourceManagerAddress = Field(
        default_factory=ResourceManagerAddress, description="How it learns the resource manager's address."
    )


class ServerSettings(Section):
    """One inference server."""

    enabled: bool = Field(False, description=ENABLED)
    fullname_override: DnsLabel = Field(description=NAME)
    triton_server: Triton = Field(description=TRITON)
    inference_sidecar: Sidecar = Field(default_factory=Sidecar, description=SIDECAR)
    session_groups: InferenceGroups = Field(default_factory=InferenceGroups, description="The group.")


class RecipeSidecar(Sidecar):
    """The sidecar of a server with a recipe."""

    register_features: RecipeFeatures = Field(default_factory=RecipeFeatures, description=FEATURES)


def _image(recipe: str) -> TritonImage:
    return TritonImage(repository=f"sm-gpu-inference-server-{recipe}")


class CustomTriton(Triton):
    """The custom server itself."""

    image: TritonImage = Field(default_factory=lambda: _image("enhanced-recipe1"), description=IMAGE)
    recipe: Literal["custom"] = Field("custom", description=RECIPE)


class CustomSidecar(Sidecar):
    """The custom server's sidecar."""

    register_features: CustomFeatures = Field(default_factory=CustomFeatures, description=FEATURES)


class CustomSettings(ServerSettings):
    """The inference server with a custom set of models."""

    fullname_override: DnsLabel = Field("inference-server-custom", description=NAME)
    triton_server: CustomTriton = Field(default_factory=CustomTriton, description=TRITON)
    inference_sidecar: CustomSidecar = Field(default_factory=CustomSidecar, description=SIDECAR)


class StandardTriton(Triton):
    """The standard server itself."""

    image: TritonImage = Field(default_factory=lambda: _image("standard-all"), description=IMAGE)
    operating_point: OperatingPoint | None = Field(OperatingPoint.STANDARD, description=OPERATING_POINT)
    recipe: Literal["standard-all"] = Field("standard-all", description=RECIPE)


class StandardSidecar(RecipeSidecar):
    """The standard server's sidecar."""

    register_features: StandardFeatures = Field(default_factory=StandardFeatures, description=FEATURES)


class StandardSettings(ServerSettings):
    """The inference server with the standard models of all languages."""

    fullname_override: DnsLabel = Field("inference-server-standard-all", description=NAME)
    triton_server: StandardTriton = Field(default_factory=StandardTriton, description=TRITON)
    inference_sidecar: StandardSidecar = Field(default_factory=StandardSidecar, description=SIDECAR)


class Recipe1Triton(Triton):
    """The server with enhanced recipe 1 itself."""

    image: TritonImage = Field(default_factory=lambda: _image("enhanced-recipe1"), description=IMAGE)
    recipe: Literal["enhanced-recipe1"] = Field("enhanced-recipe1", description=RECIPE)


class Recipe1Sidecar(RecipeSidecar):
    """The sidecar of the server with enhanced recipe 1."""

    register_features: Recipe1Features = Field(default_factory=Recipe1Features, description=FEATURES)


class Recipe1Settings(ServerSettings):
    """The inference server with enhanced model recipe 1."""

    enabled: bool = Field(True, description=ENABLED)
    fullname_override: DnsLabel = Field("inference-server-enhanced-recipe1", description=NAME)
    triton_server: Recipe1Triton = Field(default_factory=Recipe1Triton, description=TRITON)
    inference_sidecar: Recipe1Sidecar = Field(default_factory=Recipe1Sidecar, description=SIDECAR)


class Recipe2Triton(Triton):
    """The server with enhanced recipe 2 itself."""

    image: TritonImage = Field(default_factory=lambda: _image("enhanced-recipe2"), description=IMAGE)
    recipe: Literal["enhanced-recipe2"] = Field("enhanced-recipe2", description=RECIPE)


class Recipe2Sidecar(RecipeSidecar):
    """The sidecar of the server with enhanced recipe 2."""

    register_features: Recipe2Features = Field(default_factory=Recipe2Features, description=FEATURES)


class Recipe2Settings(ServerSettings):
    """The inference server with enhanced model recipe 2."""

    fullname_override: DnsLabel = Field("inference-server-enhanced-recipe2", description=NAME)
    triton_server: Recipe2Triton = Field(default_factory=Recipe2Triton, description=TRITON)
    inference_sidecar: Recipe2Sidecar = Field(default_factory=Recipe2Sidecar, description=SIDECAR)


class Recipe3Triton(Triton):
    """The server with enhanced recipe 3 itself."""

    image: TritonImage = Field(default_factory=lambda: _image("enhanced-recipe3"), description=IMAGE)
    recipe: Literal["enhanced-recipe3"] = Field("enhanced-recipe3", description=RECIPE)


class Recipe3Sidecar(RecipeSidecar):
    """The sidecar of the server with enhanced recipe 3."""

    register_features: Recipe3Features = Field(default_factory=Recipe3Features, description=FEATURES)


class Recipe3Settings(ServerSettings):
    """The inference server with enhanced model recipe 3."""

    fullname_override: DnsLabel = Field("inference-server-enhanced-recipe3", description=NAME)
    triton_server: Recipe3Triton = Field(default_factory=Recipe3Triton, description=TRITON)
    inference_sidecar: Recipe3Sidecar = Field(default_factory=Recipe3Sidecar, description=SIDECAR)


class Recipe4Triton(Triton):
    """The server with enhanced recipe 4 itself."""

    image: TritonImage = Field(default_factory=lambda: _image("enhanced-recipe4"), description=IMAGE)
    recipe: Literal["enhanced-recipe4"] = Field("enhanced-recipe4", description=RECIPE)


class Recipe4Sidecar(RecipeSidecar):
    """The sidecar of the server with enhanced recipe 4."""

    register_features: Recipe4Features = Field(default_factory=Recipe4Features, description=FEATURES)


class Recipe4Settings(ServerSettings):
    """The inference server with enhanced model recipe 4."""

    fullname_override: DnsLabel = Field("inference-server-enhanced-recipe4", description=NAME)
    triton_server: Recipe4Triton = Field(default_factory=Recipe4Triton, description=TRITON)
    inference_sidecar: Recipe4Sidecar = Field(default_factory=Recipe4Sidecar, description=SIDECAR)
