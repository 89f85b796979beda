"""Rules between languages, recipes and operating points: what would make pods wait for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.speech.model_costs import (
    POINTS,
    Recipe,
    feature,
    listed,
    operating_point,
    recipes_of,
    registered,
    served,
    session_cost,
)
from components.speech.naming import language_name
from components.speech.transcriber_languages import speech, speeches
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.languages import CODES, CPU, GPU, exists, lists, no_such_language
from stacks.schema import Settings

CUSTOM = "inferenceServerCustom"
"""The block whose recipe is open; every other one is the block of its recipe."""

Served = frozenset[tuple[str, str]]
"""Languages, each with an operating point, that some enabled server has."""


def everything_served(settings: Settings) -> Served:
    """What the enabled servers serve together."""
    return frozenset(
        pair for server in settings.inference_servers.values() if server.enabled for pair in served(server)
    )


def wanted_point(settings: Settings) -> str | None:
    """The operating point at which a starting transcriber waits for a server; None where it does not wait.

    The capacity check and the pre-warm session use the same one (contract: transcription 8).
    """
    warm, check = settings.transcribers.readiness_tracker.pre_warm, settings.transcribers.worker_proxy
    waits = warm.enabled or check.check_for_capacity_on_start is True
    return warm.operating_point.value if waits and settings.transcribers.live else None


def languages(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """No language twice, no two languages with one group name, and for each a server that knows it."""
    found, point = everything_served(settings), wanted_point(settings)
    if point not in {each for _, each in found}:
        point = None if found else point  # where other points are served, `pre_warm` says so once
    names: dict[str, tuple[str, str]] = {}
    for path, language in lists(settings):
        name, above = language_name(settings.transcribers.fullname_override, language), path.partition("[")[0]
        if name in names:
            first, where = names[name]
            same = first == language
            if same and where != above and (where, above) != (CPU, GPU):
                continue  # of several lists the first one counts
            reason = f"{language} is listed already" if same else f"{first} has the same group name, {name}"
            if same and where != above:
                reason = f"{language} is in cpuLanguages as well, and can be transcribed on one of the two"
            yield Problem(path, "duplicate-language", reason, remove_command(path))
            continue
        names[name] = language, above
        own = speech(settings.transcribers, settings.global_, language)
        has = {each for code, each in found if code == feature(language)}
        waits = settings.transcribers.enabled and settings.transcribers.live and not own.on_cpu
        if not exists(settings, language) and (feature(language) in CODES or not waits):
            beside = [each for place, each in lists(settings) if place.partition("[")[0] == above]
            yield no_such_language(path, language, beside)
        elif waits and not (point in has if point else has):
            yield _no_server(settings, path, language, point)


def _no_server(settings: Settings, path: str, language: str, point: str | None) -> Problem:
    """What to switch on for a language that no enabled server has at this operating point (None: at any)."""
    recipes = [each for each in recipes_of(language) if point in (None, operating_point(each))]
    if not recipes:
        reason = f"{language} is in no recipe and in no enabled custom server; its pods would wait for one for ever"
        return Problem(path, "language-without-recipe", reason, remove_command(path))
    recipe = recipes[-1]  # an enhanced one before standard-all
    servers = settings.inference_servers.items()
    key = next(key for key, server in servers if key != CUSTOM and server.triton_server.recipe == recipe.value)
    at = f" at operating point {point}" if point else ""
    server, switch = settings.inference_servers[key], f"{key}.inferenceSidecar.enabled"
    if server.enabled and not server.inference_sidecar.enabled:
        reason = f"{language} needs {recipe.value}{at}, which registers nothing without its sidecar; it is never found"
        return Problem(path, "language-without-recipe", reason, set_command(switch, "true"))
    if server.enabled and not server.registers:
        reason = f"{language} needs {recipe.value}{at}, which only translates; its pods would wait for it for ever"
        return Problem(path, "language-without-recipe", reason, set_command(f"{key}.tritonServer.mode", "rt"))
    reason = f"{language} needs {recipe.value}{at}, which is off; its pods would wait for it for ever"
    return Problem(path, "language-without-recipe", reason, set_command(f"{key}.enabled", "true"))


def pre_warm(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A pod that waits at an operating point no server has never leaves its init phase."""
    points = sorted({point for _, point in everything_served(settings)})
    wanted = wanted_point(settings)
    if settings.transcribers.enabled and wanted and points and wanted not in points:
        path = "transcribers.readinessTracker.preWarm.operatingPoint"
        reason = f"no enabled inference server registers models for {wanted}; every transcriber would wait for one"
        yield Problem(path, "operating-point-without-server", reason, set_command(path, points[0]))


def operating_points(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A recipe's image holds the models of one operating point."""
    for key, server in settings.inference_servers.items():
        recipe, given = Recipe(server.triton_server.recipe), server.triton_server.operating_point
        if not server.registers:
            continue
        if recipe is not Recipe.CUSTOM and given is not None and given.value != operating_point(recipe):
            path = f"{key}.tritonServer.operatingPoint"
            reason = f"{recipe.value} has no {given.value} models, so the server would serve nothing"
            yield Problem(path, "recipe-contradicts-point", reason, set_command(path, operating_point(recipe)))


def session_capacity(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A server that has less capacity than one session takes never has room for one."""
    for key, server in settings.inference_servers.items():
        if not (server.enabled and settings.transcribers.live):
            continue
        costs = {
            language: session_cost(registered(server), language, point)
            for language in (each.language for each in speeches(settings.transcribers, settings.global_))
            for point in POINTS
            if (feature(language), point) in served(server)
        }
        capacity = server.inference_sidecar.register_features.capacity
        language = max(costs, key=lambda each: costs[each], default="")
        if language and costs[language] > capacity:
            path = f"{key}.inferenceSidecar.registerFeatures.capacity"
            reason = f"a session in {language} costs {costs[language]}, so none ever fits; its pods would wait for ever"
            yield Problem(path, "capacity-below-session", reason, set_command(path, costs[language]))


def custom_models(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """With the custom recipe a server registers what its map holds and the languages it lists, and nothing else."""
    server = settings.inference_server_custom
    custom = server.triton_server.recipe == Recipe.CUSTOM.value
    costs = server.inference_sidecar.register_features.custom_model_costs
    if server.enabled and server.registers and custom and not (costs or listed(server)):
        path = f"{CUSTOM}.inferenceSidecar.registerFeatures.customModelCosts"
        reason = (
            "the custom recipe has no models but those of this map and of `tritonServer.languages`, and each is empty"
        )
        yield Problem(path, "custom-without-models", reason, set_command(f'{path}["en:ensemble_en_enhanced"]', 20))
