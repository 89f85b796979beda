"""What each language's transcribers are, overrides included: one place for the program, the planner and the rules.

Every language is computed from fresh copies. The chart writes a language's scaling into a map all of them share, so
that it leaks into the next (contract: transcription 3.3).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.speech.naming import language_name
from components.speech.pods import Pods, plain_pods
from components.speech.transcriber_resources import REQUESTS
from stacks.schema.base import Section
from stacks.schema.fragment import merged
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.session_groups import ScalingOverride
from stacks.schema.transcriber_container import Processor, TranscriberContainer
from stacks.schema.transcribers import TranscriberSettings

Json = dict[str, Any]


@dataclass(frozen=True)
class Speech:
    """The transcribers of one language."""

    language: str
    name: str
    """Of its group or plain Deployment."""
    grouped: bool
    """Whether they are a session group."""
    on_cpu: bool
    """Without an inference server."""
    concurrency: int
    """Sessions in one pod."""
    replicas: int
    allowed_surge: int
    max_pods_create_at_once: int
    scaling: Json
    """`spec.scaling`, in the kind's own words."""
    defrag: Json
    """`spec.defrag`."""
    resources: Json
    processor: Processor

    @property
    def scaled(self) -> bool:
        """Whether the controller owns the number of pods."""
        return self.grouped and bool(self.scaling["enabled"])

    @property
    def pods(self) -> Pods:
        """The most it may want, and its surge."""
        if not self.grouped:
            return plain_pods(self.replicas, recreate=False)
        return Pods(int(self.scaling["maxReplicas"] if self.scaled else self.replicas), self.allowed_surge, self.scaled)


def speeches(settings: TranscriberSettings, global_: GlobalSettings) -> tuple[Speech, ...]:
    """Every language with transcribers, in the chart's order; none while they are off."""
    languages = settings.transcriber.languages.deployed(global_.transcriber.languages)
    return tuple(speech(settings, global_, language) for language in languages) if settings.enabled else ()


def speech(settings: TranscriberSettings, global_: GlobalSettings, language: str) -> Speech:
    """One language (contract: transcription 2.1, 3.2, 6 and 7)."""
    container, groups = settings.transcriber, settings.session_groups
    overrides = container.languages.overrides
    on_cpu = language in container.languages.cpu_languages
    grouped = groups.used(global_.session_groups.enabled)
    processor = container.processors.cpu if on_cpu else container.processors.gpu
    scaling = overrides.session_groups_scaling.get(language, ScalingOverride())
    rollout = overrides.session_groups_rollout.get(language)
    return Speech(
        language=language,
        name=container.name_override or language_name(settings.fullname_override, language),
        grouped=grouped,
        on_cpu=on_cpu,
        concurrency=overrides.max_concurrent_connections.get(language) or container.max_concurrent_connections.value,
        replicas=_either(scaling.min_replicas, groups.replicas) if grouped else plain_replicas(container, language),
        allowed_surge=(rollout and rollout.allowed_surge) or groups.allowed_surge,
        max_pods_create_at_once=(rollout and rollout.max_pods_create_at_once) or groups.max_pods_create_at_once,
        scaling=layers({"enabled": global_.session_groups.scaling.enabled}, groups.scaling, scaling),
        defrag=layers({}, groups.defrag, overrides.session_groups_defrag.get(language)),
        resources=resources(language, overrides.resources.get(language), processor.resources, container.resources),
        processor=processor,
    )


def plain_replicas(container: TranscriberContainer, language: str) -> int:
    """Pods of a language's plain Deployment (contract: transcription 13.1)."""
    own = container.languages.overrides.autoscaling.get(language)
    return _either(own.min_replicas if own else None, container.autoscaling.replicas.min_replicas)


def _either(own: int | None, common: int) -> int:
    return common if own is None else own


def layers(base: Json, *above: Section | None) -> Json:
    """Later layers win key by key, 0 and false included; what a layer does not set is left to those below."""
    found = dict(base)
    for section in above:
        found |= section.model_dump(by_alias=True, exclude_none=True, mode="json") if section else {}
    return found


def resources(language: str, override: Json | None, processor: Json, general: Json) -> Json:
    """Requests and limits: the vendor's numbers of a language with the override over them, else the processor's."""
    own = {"requests": dict(zip(("cpu", "memory"), REQUESTS[language], strict=True))} if language in REQUESTS else {}
    if own or override:
        found: Json = merged(own, override or {})
        return found
    return copy.deepcopy(processor or general)


def given_wins(variables: Sequence[Json], given: Sequence[Json]) -> list[Json]:
    """Variables with the configuration's after them: of one name the last counts, and no name may stand twice."""
    last = {each["name"]: each for each in given}
    return [each for each in variables if each["name"] not in last] + copy.deepcopy(list(last.values()))
