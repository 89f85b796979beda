"""What an inference server registers with the resource manager (seed: `inferenceServer…registerFeatures.*`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import ImageTag, Section, only, shaped

Cost = Annotated[int, Field(ge=0)]
"""What one request takes of a server's capacity."""

ModelKey = Annotated[
    str,
    shaped(
        r"^(\*|[a-z]{2,3}([_-][a-z]+)*):[A-Za-z0-9][A-Za-z0-9_.-]*$",
        "a model as <language>:<model>, such as en:ensemble_en_enhanced; * for the language is every one",
    ),
]
"""`<language>:<model>` such as `en:ensemble_en_enhanced`; `*` for the language is a model all languages share."""

CAPACITY = "Total capacity of inference server in terms of model cost."
COSTS = "Costs of requests."
OF_RECIPE = "unset is that of `tritonServer.recipe`"


class ModelCosts(Section):
    """What a request to the models every recipe has costs."""

    am: Cost = Field(0, description="Cost of am model request.")
    body: Cost = Field(0, description="Cost of body model request.")
    diar: Cost = Field(0, description="Cost of diar model request.")
    ensemble: Cost = Field(20, description="Cost of ensemble model request of every language without one of its own.")
    audio_event_detection: Cost = Field(3, description="Cost of audio event detection.")


class StandardModelCosts(ModelCosts):
    """Costs of the standard recipe."""

    ensemble_en: Cost = Field(16, alias="ensemble_en", description="Cost of English ensemble model request.")


class Recipe1ModelCosts(ModelCosts):
    """Costs of enhanced recipe 1."""

    ensemble_en: Cost = Field(16, alias="ensemble_en", description="Cost of English ensemble model request (Recipe 1).")
    lm_en: Cost = Field(8, alias="lm_en", description="Cost of English lm model request (Recipe 1).")


class Recipe2ModelCosts(ModelCosts):
    """Costs of enhanced recipe 2."""

    ensemble_es: Cost = Field(17, alias="ensemble_es", description="Cost of Spanish ensemble model request (Recipe 2).")
    lm_es: Cost = Field(9, alias="lm_es", description="Cost of Spanish lm model request (Recipe 2).")


class Recipe3ModelCosts(ModelCosts):
    """Costs of enhanced recipe 3."""

    ensemble_de: Cost = Field(17, alias="ensemble_de", description="Cost of German ensemble model request (Recipe 3).")
    lm_de: Cost = Field(9, alias="lm_de", description="Cost of German lm model request (Recipe 3).")


class Recipe4ModelCosts(ModelCosts):
    """Costs of enhanced recipe 4."""

    ensemble_fr: Cost = Field(17, alias="ensemble_fr", description="Cost of French ensemble model request (Recipe 4).")
    lm_fr: Cost = Field(9, alias="lm_fr", description="Cost of French lm model request (Recipe 4).")


class RegisterFeatures(Section):
    """What every server registers."""

    capacity: int = Field(480, gt=0, description=CAPACITY)
    version: Annotated[ImageTag | None, only(None, "the version that is registered is the image's tag")] = Field(
        None, description="Read by nothing here; only its default is accepted."
    )


class RecipeFeatures(RegisterFeatures):
    """What a server of a recipe registers."""

    model_costs: ModelCosts = Field(default_factory=ModelCosts, description=COSTS)
    additional_model_costs: dict[ModelKey, Cost] = Field(
        default_factory=dict, description="Map of additional models to include under model_costs."
    )


class StandardFeatures(RecipeFeatures):
    """What the standard server registers."""

    capacity: int = Field(2400, gt=0, description=CAPACITY)
    model_costs: StandardModelCosts = Field(default_factory=StandardModelCosts, description=COSTS)


class Recipe1Features(RecipeFeatures):
    """What the server with enhanced recipe 1 registers."""

    model_costs: Recipe1ModelCosts = Field(default_factory=Recipe1ModelCosts, description=COSTS)


class Recipe2Features(RecipeFeatures):
    """What the server with enhanced recipe 2 registers."""

    model_costs: Recipe2ModelCosts = Field(default_factory=Recipe2ModelCosts, description=COSTS)


class Recipe3Features(RecipeFeatures):
    """What the server with enhanced recipe 3 registers."""

    model_costs: Recipe3ModelCosts = Field(default_factory=Recipe3ModelCosts, description=COSTS)
    custom_model_costs: Annotated[
        dict[ModelKey, Cost], only({}, "the recipe has models of its own; more go into additionalModelCosts")
    ] = Field(default_factory=dict, description="Read by nothing; only its default is accepted.")


class Recipe4Features(RecipeFeatures):
    """What the server with enhanced recipe 4 registers."""

    model_costs: Recipe4ModelCosts = Field(default_factory=Recipe4ModelCosts, description=COSTS)


class CustomModelCosts(Section):
    """Costs where the custom server has a recipe of the vendor's; unset is what that recipe's own block has."""

    am: Cost | None = Field(None, description=f"Cost of am model request; {OF_RECIPE}.")
    body: Cost | None = Field(None, description=f"Cost of body model request; {OF_RECIPE}.")
    diar: Cost | None = Field(None, description=f"Cost of diar model request; {OF_RECIPE}.")
    ensemble: Cost | None = Field(None, description=f"Cost of ensemble model request; {OF_RECIPE}.")
    audio_event_detection: Cost | None = Field(None, description=f"Cost of audio event detection; {OF_RECIPE}.")
    ensemble_en: Cost | None = Field(
        None, alias="ensemble_en", description=f"Cost of English ensemble model request; {OF_RECIPE}."
    )
    ensemble_es: Cost | None = Field(
        None, alias="ensemble_es", description=f"Cost of Spanish ensemble model request; {OF_RECIPE}."
    )
    ensemble_de: Cost | None = Field(
        None, alias="ensemble_de", description=f"Cost of German ensemble model request; {OF_RECIPE}."
    )
    ensemble_fr: Cost | None = Field(
        None, alias="ensemble_fr", description=f"Cost of French ensemble model request; {OF_RECIPE}."
    )
    lm_en: Cost | None = Field(None, alias="lm_en", description=f"Cost of English lm model request; {OF_RECIPE}.")
    lm_es: Cost | None = Field(None, alias="lm_es", description=f"Cost of Spanish lm model request; {OF_RECIPE}.")
    lm_de: Cost | None = Field(None, alias="lm_de", description=f"Cost of German lm model request; {OF_RECIPE}.")
    lm_fr: Cost | None = Field(None, alias="lm_fr", description=f"Cost of French lm model request; {OF_RECIPE}.")


class CustomFeatures(RegisterFeatures):
    """What the custom server registers: the map with the custom recipe, else what its recipe has and what is added."""

    custom_model_costs: dict[ModelKey, Cost] = Field(
        default_factory=dict, description="Map to define model costs for custom recipe type."
    )
    model_costs: CustomModelCosts = Field(
        default_factory=CustomModelCosts, description="Costs of requests; only with a recipe other than `custom`."
    )
    additional_model_costs: dict[ModelKey, Cost] = Field(
        default_factory=dict,
        description="Map of additional models to include under model_costs; only with a recipe other than `custom`.",
    )
