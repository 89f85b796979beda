"""`spec` of the session groups of flow-service and tts (contract: flow 2.1, 4.1)."""

from __future__ import annotations

from components.speech.disruption import SAFE_TO_EVICT_LABEL
from components.speech.pod import Json
from stacks.schema.flow.groups import FlowGroups
from stacks.schema.global_settings import GlobalSettings

SESSION_LABELS = {SAFE_TO_EVICT_LABEL: "false"}
"""Of their pods: the budget of all session pods covers conversations as well."""


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
