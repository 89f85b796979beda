"""The session group of flow-service or tts, or the plain Deployment in its place (contract: flow 2.1, 2.4, 4)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.flow.common import Face
from components.flow.objects import deployment
from components.speech.disruption import SAFE_TO_EVICT_LABEL
from components.speech.plain import PLAIN_VERSION, plain_env, plain_strategy
from components.speech.pod import Json, session_env
from components.speech.session_group import group_annotations, session_group
from stacks.schema.flow import FlowSettings
from stacks.schema.flow.groups import FlowGroups
from stacks.schema.flow.tts import TtsSettings
from stacks.schema.global_settings import GlobalSettings

SESSION_LABELS = {SAFE_TO_EVICT_LABEL: "false"}
"""Of their pods: the budget of all session pods covers conversations as well."""


def session_labels(*, grouped: bool) -> dict[str, str]:
    """Labels of pods that hold sessions; what nothing watches over is not called so (contract: flow 1.1)."""
    return dict(SESSION_LABELS) if grouped else {}


def named(name: str, *, grouped: bool) -> list[Json]:
    """The last three variables of a container (contract: flow 2.2, 13 to 15)."""
    return session_env(name) if grouped else [*plain_env(name), PLAIN_VERSION]


@dataclass(frozen=True)
class Workload:
    """What both forms are made of."""

    face: Face
    settings: FlowSettings | TtsSettings
    template: Json
    ready: tuple[pulumi.Resource, ...]
    """What must run before a SessionGroup means anything: the kind and the controller."""
    seconds: int | None
    """How long pods of a Deployment may take to become ready; None is Kubernetes' 10 minutes."""


def is_grouped(settings: FlowSettings | TtsSettings, global_: GlobalSettings) -> bool:
    """Whether there is a session group and no plain Deployment."""
    return settings.session_groups.used(global_.session_groups.enabled)


def workload(name: str, of: Workload, parent: pulumi.Resource) -> list[str]:
    """Make the session group or the plain Deployment; names of session groups."""
    settings, global_ = of.settings, of.face.common.global_
    if not is_grouped(settings, global_):
        deployment(
            f"{name}-deployment",
            of.face,
            replicas=settings.replicas,
            template=of.template,
            strategy=plain_strategy(recreate=settings.use_recreate_strategy),
            seconds=of.seconds,
            parent=parent,
        )
        return []
    on_scale = scaled(settings.session_groups, global_)
    metadata = of.face.metadata(annotations=group_annotations(scaled=on_scale))
    made = spec(settings.session_groups, scaled=on_scale, selector=of.face.selector, template=of.template)
    session_group(f"{name}-group", metadata, made, scaled=on_scale, ready=of.ready, parent=parent)
    return [of.face.name]


def scaled(groups: FlowGroups, global_: GlobalSettings) -> bool:
    """Whether the controller scales the group."""
    return groups.scaling.enabled or global_.session_groups.scaling.enabled


def spec(groups: FlowGroups, *, scaled: bool, selector: dict[str, str], template: Json) -> Json:
    """`spec`, with one of the two buffers."""
    scaling = groups.scaling
    on_pods = scaling.scale_on_pods_left is not None
    buffer = (
        {"scaleOnPodsLeft": scaling.scale_on_pods_left}
        if on_pods
        else {"scaleOnCapacityLeft": scaling.scale_on_capacity_left}
    )
    return {
        "replicas": groups.replicas,
        "allowedSurge": groups.allowed_surge,
        "maxPodsCreateAtOnce": groups.max_pods_create_at_once,
        "strategyRecreate": groups.strategy_recreate,
        "activeNodeScheduling": groups.active_node_scheduling,
        "scaling": {
            "enabled": scaled,
            "minReplicas": scaling.min_replicas,
            "maxReplicas": scaling.max_replicas,
            "scaleDownDelay": scaling.scale_down_delay,
            "maxPodsScaledDownAtOnce": scaling.max_pods_scaled_down_at_once,
            **buffer,
        },
        "defrag": {
            "enabled": groups.defrag.enabled,
            "maxIdlePodsOnScaleUp": groups.defrag.max_idle_pods_on_scale_up,
        },
        "selector": {"matchLabels": selector},
        "template": template,
    }
