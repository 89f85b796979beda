"""Rules between languages, recipes and operating points: what would make pods wait for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.speech.model_costs import ENHANCED, Recipe, recipes_of
from components.speech.naming import language_name
from stacks.problem import Problem, set_command
from stacks.schema import Settings


def languages(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """No language twice, no two languages with one group name, and for each a server that knows it."""
    enabled = [Recipe.ENHANCED_1] if settings.inference_server_enhanced_recipe1.enabled else []
    names: dict[str, str] = {}
    for index, language in enumerate(settings.global_.transcriber.languages):
        path = f"global.transcriber.languages[{index}]"
        name = language_name(settings.transcribers.fullname_override, language)
        if name in names:
            same = names[name] == language
            reason = f"{language} is listed already" if same else f"{names[name]} has the same group name, {name}"
            yield Problem(path, "duplicate-language", reason, f"pulumi config rm --path '{path}'")
            continue
        names[name] = language
        if settings.transcribers.enabled and not set(recipes_of(language)) & set(enabled):
            yield _no_recipe(path, language)


def _no_recipe(path: str, language: str) -> Problem:
    serving = [recipe for recipe in recipes_of(language) if recipe in ENHANCED]
    if Recipe.ENHANCED_1 in serving:
        mend = set_command("inferenceServerEnhancedRecipe1.enabled", "true")
        reason = f"{language} needs {Recipe.ENHANCED_1.value}, which is off; its pods would wait for it for ever"
    else:
        mend = f"pulumi config rm --path '{path}'"
        needs = f"needs {serving[0].value}, which this program does not deploy yet" if serving else "is in no recipe"
        reason = f"{language} {needs}; its pods would wait for a server for ever"
    return Problem(path, "language-without-recipe", reason, mend)


def pre_warm(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A pod that warms up at an operating point no server has never leaves its init phase."""
    tracker = settings.transcribers.readiness_tracker
    point = settings.inference_server_enhanced_recipe1.triton_server.operating_point
    if tracker.pre_warm.enabled and tracker.pre_warm.operating_point.value != point:
        path = "transcribers.readinessTracker.preWarm.operatingPoint"
        reason = f"no enabled inference server serves {tracker.pre_warm.operating_point.value}"
        yield Problem(path, "operating-point-without-server", reason, set_command(path, point))
