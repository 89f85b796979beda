"""What every SessionGroup has around its pod template."""

from __future__ import annotations

from typing import Any

import pulumi

from components.speech.pod import Json
from stacks.schema.session_groups import InferenceScaling, Rollout, TranscriberScaling


def scaling_spec(scaling: TranscriberScaling | InferenceScaling, enabled: bool) -> Json:
    """`spec.scaling`; `enabled` is always written, because the kind's own default is true."""
    return {
        "enabled": enabled,
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "scaleDownDelay": scaling.scale_down_delay,
        "scaleOnCapacityLeft": scaling.scale_on_capacity_left,
        "maxPodsScaledDownAtOnce": scaling.max_pods_scaled_down_at_once,
    }


def group_spec(
    rollout: Rollout, scaling: Json, selector: dict[str, str], template: Json, *, active_node_scheduling: bool | None
) -> dict[str, Any]:
    """`spec` of a SessionGroup; None leaves `activeNodeScheduling` to the kind's default."""
    spec: dict[str, Any] = {
        "replicas": rollout.replicas,
        "allowedSurge": rollout.allowed_surge,
        "maxPodsCreateAtOnce": rollout.max_pods_create_at_once,
        "strategyRecreate": False,
        "scaling": scaling,
        "defrag": {"enabled": False, "maxIdlePodsOnScaleUp": 1},
        "selector": {"matchLabels": selector},
        "template": template,
    }
    if active_node_scheduling is not None:
        spec["activeNodeScheduling"] = active_node_scheduling
    return spec


def group_options(
    parent: pulumi.Resource, ready: tuple[pulumi.Resource, ...], *, scaled: bool
) -> pulumi.ResourceOptions:
    """Options of a SessionGroup. While it is scaled, the controller owns `replicas` once the group is made."""
    return pulumi.ResourceOptions(
        parent=parent,
        # no value flows: without kind and controller there are no pods
        depends_on=list(ready),
        ignore_changes=["spec.replicas"] if scaled else None,
    )
