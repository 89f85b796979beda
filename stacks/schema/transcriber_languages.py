"""`transcribers.transcriber.languages`: further languages, and what single ones have of their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import Language, Section
from stacks.schema.fragment import ResourceRequirements
from stacks.schema.session_groups import DefragOverride, RolloutOverride, ScalingOverride


class PlainOverride(Section):
    """Pods of one language's plain Deployment."""

    min_replicas: int | None = Field(
        None, ge=0, description="Pods of this language's plain Deployment; unset is the number of all languages."
    )


class LanguageOverrides(Section):
    """What single languages have of their own, each by its code."""

    max_concurrent_connections: dict[Language, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="Number of sessions to allow per transcriber pod; 0 is as not set."
    )
    resources: dict[Language, ResourceRequirements] = Field(
        default_factory=dict, description="Requests and limits, laid over the vendor's numbers for two sessions."
    )
    session_groups_scaling: dict[Language, ScalingOverride] = Field(
        default_factory=dict, description="Scaling; minReplicas is also the number of pods while scaling is off."
    )
    session_groups_defrag: dict[Language, DefragOverride] = Field(
        default_factory=dict, description="Packing of sessions onto fewer pods."
    )
    session_groups_rollout: dict[Language, RolloutOverride] = Field(
        default_factory=dict, description="How pods are replaced."
    )
    autoscaling: dict[Language, PlainOverride] = Field(
        default_factory=dict, description="Number of pods of plain Deployments."
    )


class LanguageSettings(Section):
    """Languages with transcribers beside those of `global.transcriber.languages`, and overrides."""

    cpu_languages: tuple[Language, ...] = Field(
        (), description="Languages transcribed on the CPU, without an inference server."
    )
    gpu_languages: tuple[Language, ...] = Field(
        (), description="Languages beside the global ones; the resource manager has to accept them as well."
    )
    overrides: LanguageOverrides = Field(
        default_factory=LanguageOverrides, description="Override specific behaviour per language."
    )

    def deployed(self, common: tuple[str, ...]) -> tuple[str, ...]:
        """Every language with transcribers, `common` being the global ones; the first place of a code counts."""
        return tuple(dict.fromkeys((*self.cpu_languages, *self.gpu_languages, *common)))
