"""What a single container can say of its image, over what `global` says of all."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stacks.schema.base import ImageTag, Registry, Section, shaped

Repository = Annotated[
    str,
    shaped(r"^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$", "a path of lower case letters, digits, ., _, - and /, without a tag"),
]
"""An image's path in its registry."""


class PullPolicy(StrEnum):
    """When a node asks the registry for an image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class ImageOverride(Section):
    """Registry and tag of one container's image."""

    registry: Registry | None = Field(None, description="Registry of this image; unset is the one under `global`.")
    tag: ImageTag | None = Field(None, description="Tag of this image; unset is the one under `global`.")


class TrackerImage(ImageOverride):
    """The readiness-tracker's image."""

    repository: Repository = Field("readiness-tracker", description="Path of the image in its registry.")
