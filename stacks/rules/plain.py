"""Rules of session groups and of the plain Deployments in their place: what is read, budgets that let go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from components.flow.tts import has_budget as tts_has_budget
from components.speech.inference_server import has_budget
from stacks.problem import Problem, remove_command, set_command
from stacks.schema import Settings
from stacks.schema.base import Section
from stacks.schema.flow import FlowSettings
from stacks.schema.flow.tts import TtsSettings
from stacks.schema.inference_server import ServerSettings
from stacks.schema.transcribers import TranscriberSettings

OVERRIDES = "transcribers.transcriber.languages.overrides"

NUMBER = "a session group has the number of pods of its sessionGroups"
REPLACED = "a session group replaces idle pods first, the others when their sessions end"
NOT_THERE = "a session group has no such field in the vendor's chart"
NO_SERVICE = "a session group of transcribers has no Service"
ONE_BUDGET = (
    "pods of a session group are under the budget of all session pods, and with two budgets over a pod the API server "
    "answers every eviction with an error"
)

NO_GROUP = "global.sessionGroups.enabled is off, and nothing here is a session group by its own switch"
NOT_TOLD = "the readiness-tracker of a plain Deployment is not told of it in the vendor's chart"


@dataclass(frozen=True)
class Read:
    """Keys of one section that are read in one form only: in session groups, or in plain Deployments."""

    path: str
    """Of the section."""
    section: Section
    fields: tuple[str, ...]
    reason: str
    """What the other form has instead."""

    def given(self) -> Iterator[str]:
        """The paths of those that have another value than the default."""
        return _given(self.path, self.section, self.fields)


def _given(path: str, section: Section, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        field, value = type(section).model_fields[name], getattr(section, name)
        if value == field.get_default(call_default_factory=True):
            continue
        if isinstance(value, Section):
            yield from _given(f"{path}.{field.alias}", value, type(value).model_fields)
        else:
            yield f"{path}.{field.alias}"


def _of_transcribers(settings: Settings) -> Iterator[Read]:
    own, path = settings.transcribers.transcriber, "transcribers.transcriber"
    yield Read(f"{path}.autoscaling.replicas", own.autoscaling.replicas, ("min_replicas",), NUMBER)
    yield Read(OVERRIDES, own.languages.overrides, ("autoscaling",), NUMBER)
    yield Read(f"{path}.service", own.service, ("type", "annotations"), NO_SERVICE)
    yield Read(path, own, ("additional_labels", "additional_pod_annotations"), NOT_THERE)
    warm = settings.transcribers.readiness_tracker.pre_warm
    yield Read("transcribers.readinessTracker.preWarm", warm, ("use_audio",), NOT_THERE)


def read_by_plain_only(settings: Settings) -> Iterator[Read]:
    """What is read for plain Deployments only and stands beside a session group."""
    everywhere = settings.global_.session_groups.enabled
    if settings.transcribers.session_groups.used(everywhere):
        yield from _of_transcribers(settings)
    for key, server in settings.inference_servers.items():
        if server.session_groups.used(everywhere):
            triton, sidecar = f"{key}.tritonServer", f"{key}.inferenceSidecar"
            yield Read(triton, server.triton_server, ("replicas",), NUMBER)
            yield Read(triton, server.triton_server, ("use_recreate_strategy",), REPLACED)
            yield Read(triton, server.triton_server, ("image_pull_policy",), NOT_THERE)
            yield Read(sidecar, server.inference_sidecar, ("image_pull_policy",), NOT_THERE)
            yield Read(f"{key}.pdb", server.pdb, ("enabled", "min_available"), ONE_BUDGET)
    for path, part in (("flow", settings.flow), ("flow.tts", settings.flow.tts)):
        if part.session_groups.used(everywhere):
            yield Read(path, part, ("replicas",), NUMBER)
            yield Read(path, part, ("use_recreate_strategy",), REPLACED)
    tts = settings.flow.tts
    if tts.session_groups.used(everywhere):
        yield Read("flow.tts.podDisruptionBudget", tts.pod_disruption_budget, ("enabled", "min_available"), ONE_BUDGET)


def parts(settings: Settings) -> dict[str, TranscriberSettings | ServerSettings | FlowSettings | TtsSettings]:
    """What can be session groups, by its path."""
    return {**settings.data_plane, "flow": settings.flow, "flow.tts": settings.flow.tts}


def read_by_groups_only(settings: Settings) -> Iterator[Read]:
    """What is read for session groups only and stands beside a plain Deployment."""
    everywhere = settings.global_.session_groups.enabled
    for path, part in parts(settings).items():
        groups = part.session_groups
        if not groups.used(everywhere):
            fields = tuple(name for name in type(groups).model_fields if name != "enabled")
            yield Read(f"{path}.sessionGroups", groups, fields, NO_GROUP)
    transcribers = settings.transcribers
    if not transcribers.session_groups.used(everywhere):
        overrides = transcribers.transcriber.languages.overrides
        fields = tuple(name for name in type(overrides).model_fields if name.startswith("session_groups"))
        yield Read(OVERRIDES, overrides, fields, NO_GROUP)
        yield Read("transcribers.readinessTracker", transcribers.readiness_tracker, ("register_conditions",), NOT_TOLD)
    if not any(part.session_groups.used(everywhere) for part in parts(settings).values()):
        yield Read("global.sessionGroups", settings.global_.session_groups, ("scaling",), NO_GROUP)


def without_effect(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A key that only the other form has."""
    for form, reads in (
        ("plain Deployments", read_by_plain_only(settings)),
        ("session groups", read_by_groups_only(settings)),
    ):
        for read in reads:
            for path in read.given():
                yield Problem(path, "without-effect", f"{form} only have it; {read.reason}", remove_command(path))


def switched_off(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A part cannot switch off what is on for all (contract: transcription 2.2)."""
    if not settings.global_.session_groups.enabled:
        return
    for key, part in parts(settings).items():
        if "enabled" in part.session_groups.model_fields_set and not part.session_groups.enabled:
            path = f"{key}.sessionGroups.enabled"
            reason = "it can switch session groups on, never off, and global.sessionGroups.enabled has them on"
            yield Problem(path, "without-effect", reason, remove_command(path))


def budgets(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A budget that lets no pod go stops every drain of its node, and AKS refuses upgrades because of it."""
    global_, flow = settings.global_, settings.flow
    for key, server in settings.inference_servers.items():
        if server.enabled and has_budget(server, global_):
            path, number = f"{key}.pdb.minAvailable", f"{key}.tritonServer.replicas"
            yield from _blocking(path, server.pdb.min_available, server.triton_server.replicas, number)
    if flow.enabled and flow.tts.enabled and tts_has_budget(flow.tts, global_):
        path, number = "flow.tts.podDisruptionBudget.minAvailable", "flow.tts.replicas"
        yield from _blocking(path, flow.tts.pod_disruption_budget.min_available, flow.tts.replicas, number)


def _blocking(path: str, least: int, pods: int, number: str) -> Iterator[Problem]:
    if pods <= least:
        reason = f"with {least} of {pods} always available no pod may ever be moved; no node could be drained"
        yield Problem(path, "budget-blocks", reason, set_command(number, least + 1))


PLAIN = (without_effect, switched_off, budgets)
"""All of them."""
