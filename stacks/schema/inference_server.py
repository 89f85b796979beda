"""`inferenceServer…`: one GPU server for each recipe (seed: the six `inferenceServer*` blocks).

The blocks are alike but for name, image, recipe, operating point, capacity and the languages with costs of their own.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, Language, Section, only
from stacks.schema.fragment import Affinity, Volume
from stacks.schema.global_settings import PullSecret
from stacks.schema.inference_sidecar import FEATURES, RecipeSidecar, Sidecar
from stacks.schema.modes import ServerMode
from stacks.schema.register_features import (
    CustomFeatures,
    Recipe1Features,
    Recipe2Features,
    Recipe3Features,
    Recipe4Features,
    StandardFeatures,
)
from stacks.schema.session_groups import InferenceGroups
from stacks.schema.transcriber_sidecars import OperatingPoint
from stacks.schema.triton import CUSTOM_RECIPE, IMAGE, OPERATING_POINT, RECIPE, RecipeName, Triton, TritonImage
from stacks.schema.workload import Annotations, Budget, Labels, over

ENABLED = "Enable deployment of this inference server."
NAME = "Name of the group and its Service."
TRITON = "The server itself."
SIDECAR = "Its sidecar."
NAMED = "`fullnameOverride` has a value, so nothing looks at it"
NO_DATADOG = "the annotations are for an agent the platform does not have; `additionalAnnotations` takes any"
ONE_PLUGIN = "the program makes one device plugin for all GPU pools; two of them would fight over the GPUs"
LANGUAGES = (
    "Languages it has at the vendor's costs, as in newer charts; those of `customModelCosts` come first, and are "
    "needed for a language that no recipe of the vendor's has. Only with the recipe `custom`."
)
NO_TEST = "it names a value that does not exist"


class Datadog(Section):
    """Annotations for Datadog's agent."""

    add_annotations: Annotated[bool, only(False, NO_DATADOG)] = Field(False, description="Add them; refused.")


class DevicePlugin(Section):
    """A GPU plugin of this server's."""

    enable: Annotated[bool, only(False, ONE_PLUGIN)] = Field(False, description="Make one; refused.")


class ServerTests(Section):
    """The vendor's test pod."""

    enabled: Annotated[bool, only(False, NO_TEST)] = Field(False, description="Make it; refused.")


class ServerBudget(Budget):
    """A disruption budget of this server's plain Deployment."""

    enabled: bool = Field(
        False, description="Make one where `tritonServer.replicas` is not 1; for a plain Deployment only."
    )


class ServerSettings(Section):
    """One inference server."""

    enabled: bool = Field(False, description=ENABLED)
    fullname_override: DnsLabel = Field(description=NAME)
    triton_server: Triton = Field(description=TRITON)
    inference_sidecar: Sidecar = Field(default_factory=Sidecar, description=SIDECAR)
    session_groups: InferenceGroups = Field(default_factory=InferenceGroups, description="The group.")
    name_override: Annotated[DnsLabel | None, only(None, NAMED)] = Field(
        None, description="Part of the name where there is no fullnameOverride; only its default is accepted."
    )
    image_pull_secrets: tuple[PullSecret, ...] = Field(
        (), description="Image pull secrets of this server; empty is `global.imagePullSecrets`."
    )
    affinity: Affinity = Field(default_factory=dict, description="Where the pods would rather run.")
    additional_annotations: Annotations = Field(
        default_factory=dict, description="Annotations of the group or Deployment."
    )
    additional_labels: Labels = Field(default_factory=dict, description="Labels of the group and its Service.")
    additional_volumes: tuple[Volume, ...] = Field((), description="Volumes beside the license.")
    pdb: ServerBudget = Field(default_factory=ServerBudget, description="A disruption budget.")
    datadog: Datadog = Field(default_factory=Datadog, description="Annotations for Datadog's agent.")
    nvidia_drivers: DevicePlugin = Field(default_factory=DevicePlugin, description="A GPU plugin of this server's.")
    tests: ServerTests = Field(default_factory=ServerTests, description="The vendor's test pod.")

    @property
    def registers(self) -> bool:
        """Whether transcribers can find its models: a translation server registers none, nor one without sidecar."""
        return self.inference_sidecar.enabled and self.triton_server.mode is not ServerMode.TRANSLATION


def _image(recipe: str) -> TritonImage:
    return TritonImage(repository=f"sm-gpu-inference-server-{recipe}")


class CustomTriton(Triton):
    """The custom server itself."""

    image: Annotated[TritonImage, over(_image("enhanced-recipe1"))] = Field(
        default_factory=lambda: _image("enhanced-recipe1"), description=IMAGE
    )
    recipe: RecipeName = Field("custom", description=CUSTOM_RECIPE)
    languages: tuple[Language, ...] = Field((), description=LANGUAGES)


class CustomSidecar(Sidecar):
    """The custom server's sidecar."""

    register_features: CustomFeatures = Field(default_factory=CustomFeatures, description=FEATURES)


class CustomSettings(ServerSettings):
    """The inference server with a custom set of models, or one more of a recipe."""

    fullname_override: DnsLabel = Field("inference-server-custom", description=NAME)
    triton_server: CustomTriton = Field(default_factory=CustomTriton, description=TRITON)
    inference_sidecar: CustomSidecar = Field(default_factory=CustomSidecar, description=SIDECAR)


class StandardTriton(Triton):
    """The standard server itself."""

    image: Annotated[TritonImage, over(_image("standard-all"))] = Field(
        default_factory=lambda: _image("standard-all"), description=IMAGE
    )
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

    image: Annotated[TritonImage, over(_image("enhanced-recipe1"))] = Field(
        default_factory=lambda: _image("enhanced-recipe1"), description=IMAGE
    )
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

    image: Annotated[TritonImage, over(_image("enhanced-recipe2"))] = Field(
        default_factory=lambda: _image("enhanced-recipe2"), description=IMAGE
    )
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

    image: Annotated[TritonImage, over(_image("enhanced-recipe3"))] = Field(
        default_factory=lambda: _image("enhanced-recipe3"), description=IMAGE
    )
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

    image: Annotated[TritonImage, over(_image("enhanced-recipe4"))] = Field(
        default_factory=lambda: _image("enhanced-recipe4"), description=IMAGE
    )
    recipe: Literal["enhanced-recipe4"] = Field("enhanced-recipe4", description=RECIPE)


class Recipe4Sidecar(RecipeSidecar):
    """The sidecar of the server with enhanced recipe 4."""

    register_features: Recipe4Features = Field(default_factory=Recipe4Features, description=FEATURES)


class Recipe4Settings(ServerSettings):
    """The inference server with enhanced model recipe 4."""

    fullname_override: DnsLabel = Field("inference-server-enhanced-recipe4", description=NAME)
    triton_server: Recipe4Triton = Field(default_factory=Recipe4Triton, description=TRITON)
    inference_sidecar: Recipe4Sidecar = Field(default_factory=Recipe4Sidecar, description=SIDECAR)
