"""Rules between a server's image, its operating point and the models it registers: what it cannot serve for certain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from components.speech.model_costs import (
    COSTS,
    IMAGES,
    LANGUAGES,
    POINTS,
    Recipe,
    feature,
    listed,
    operating_point,
    points,
    recipe_in,
    registered,
)
from stacks.problem import Problem, remove_command, set_command
from stacks.schema import Settings
from stacks.schema.inference_server import ServerSettings
from stacks.schema.register_features import CustomFeatures, RecipeFeatures

CUSTOM, ADDITIONAL = "customModelCosts", "additionalModelCosts"
LISTED = "inferenceServerCustom.tritonServer.languages"
"""The languages of the custom server."""


def images(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """An image has the models of one recipe, and they are of one operating point."""
    for key, server in settings.inference_servers.items():
        recipe, there, given = Recipe(server.triton_server.recipe), recipe_in(server), points(server)
        if not server.registers or there in (None, recipe):
            continue
        if recipe is not Recipe.CUSTOM:
            path = f"{key}.tritonServer.image.repository"
            reason = f"this is the image of {there.value}; the server would register models of {recipe.value}"
            own = next(image for image, each in IMAGES.items() if each is recipe)
            above = server.triton_server.image.repository.rpartition("/")
            yield Problem(path, "image-of-another-recipe", reason, set_command(path, f"{above[0]}{above[1]}{own}"))
        elif operating_point(there) not in given:
            path = f"{key}.tritonServer.operatingPoint"
            reason = f"the image of {there.value} has no {given[0]} models, so the server would serve nothing"
            yield Problem(path, "recipe-contradicts-point", reason, set_command(path, operating_point(there)))


def added_models(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A model that is listed by hand is one that the server has: of its operating point and of its image."""
    for key, server in settings.inference_servers.items():
        if not server.registers:
            continue
        name, costs = _by_hand(server)
        path, at, there = f"{key}.inferenceSidecar.registerFeatures.{name}", points(server), recipe_in(server)
        if there is not Recipe(server.triton_server.recipe) and name != CUSTOM:
            there = None  # `images` says what is wrong
        for model, cost in costs.items():
            language, point = feature(model.partition(":")[0]), model.rpartition("_")[2]
            away = remove_command(f'{path}["{model}"]')
            if point in POINTS and point not in at:
                same = f"{model.removesuffix(point)}{at[0]}"
                put = "" if same in registered(server) else " && " + set_command(f'{path}["{same}"]', cost)
                reason = f"{model} is of another operating point; the server runs at {at[0]} alone"
                yield Problem(path, "model-not-on-server", reason, away + put)
            elif there and language in LANGUAGES[Recipe.STANDARD_ALL] and language not in LANGUAGES[there]:
                reason = _not_in_image(model, there)
                yield Problem(path, "model-not-on-server", reason, away)


def _not_in_image(what: str, there: Recipe) -> str:
    return f"{what} is not in {there.value}, whose image the server runs; a session would find no model"


def unread_costs(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The custom server's costs are read by its recipe: the map by `custom`, the others by the vendor's recipes."""
    server = settings.inference_server_custom
    recipe, features = Recipe(server.triton_server.recipe), server.inference_sidecar.register_features
    path, own = "inferenceServerCustom.inferenceSidecar.registerFeatures", features.model_costs
    given = [f"modelCosts.{key}" for key in own.model_dump(by_alias=True, exclude_none=True)]
    given += [ADDITIONAL] if features.additional_model_costs else []
    given += [CUSTOM] if features.custom_model_costs else []
    if recipe is Recipe.CUSTOM:
        read, why = {CUSTOM}, f"the custom recipe has the models of {CUSTOM}, of the languages it lists, and no others"
    else:
        costs = COSTS[recipe]().model_dump(by_alias=True)
        read, why = {ADDITIONAL, *(f"modelCosts.{key}" for key in costs)}, f"{recipe.value} has no such model"
    for key in given:
        if key not in read:
            reason = f"{CUSTOM} is read with the recipe custom; more of {recipe.value} go into {ADDITIONAL}"
            yield Problem(
                f"{path}.{key}", "without-effect", reason if key == CUSTOM else why, remove_command(f"{path}.{key}")
            )


def custom_languages(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Each language the custom server lists is one whose models its image can have, with a cost."""
    server, seen = settings.inference_server_custom, set[str]()
    there, costs = recipe_in(server), registered(server)
    for index, language in enumerate(listed(server)):
        path, code = f"{LISTED}[{index}]", feature(language)
        if server.triton_server.recipe != Recipe.CUSTOM.value:
            reason = f"{server.triton_server.recipe} has languages of its own; this list is read with the recipe custom"
            yield Problem(LISTED, "without-effect", reason, remove_command(LISTED))
            return
        if code in seen:
            yield Problem(path, "duplicate-language", f"{code} is listed already", remove_command(path))
        elif there and code in LANGUAGES[Recipe.STANDARD_ALL] and code not in LANGUAGES[there]:
            reason = _not_in_image(code, there)
            yield Problem(path, "model-not-on-server", reason, remove_command(path))
        elif not any(model.startswith(f"{code}:") for model in costs):
            model = f"{code}:ensemble_{code}_{points(server)[-1]}"
            where = f'inferenceServerCustom.inferenceSidecar.registerFeatures.{CUSTOM}["{model}"]'
            reason = f"no recipe of the vendor's has {code}, so what a session costs is only known from {CUSTOM}"
            yield Problem(path, "language-without-costs", reason, set_command(where, 20))
        seen.add(code)


def _by_hand(server: ServerSettings) -> tuple[str, Mapping[str, int]]:
    """The map of models that the configuration lists itself and the server's recipe reads, with its key."""
    features = server.inference_sidecar.register_features
    if isinstance(features, CustomFeatures) and server.triton_server.recipe == Recipe.CUSTOM.value:
        return CUSTOM, features.custom_model_costs
    return ADDITIONAL, features.additional_model_costs if isinstance(features, CustomFeatures | RecipeFeatures) else {}
