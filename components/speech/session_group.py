"""What every SessionGroup has around its pod template."""

from __future__ import annotations

from typing import Any, Protocol

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.speech.crd import API_VERSION, KIND
from components.speech.pod import Json
from stacks.schema.session_groups import InferenceGroups, InferenceScaling


class Sized(Protocol):
    """How many pods a group has and how it replaces them."""

    @property
    def replicas(self) -> int: ...
    @property
    def allowed_surge(self) -> int: ...
    @property
    def max_pods_create_at_once(self) -> int: ...


def is_scaled(scaling: InferenceScaling, everywhere: bool) -> bool:
    """Whether a server is scaled: its own switch can turn it on, never off (contract: transcription 11.2)."""
    return scaling.enabled is True or everywhere


def most(groups: InferenceGroups, everywhere: bool) -> int:
    """The most pods a server's group may want."""
    return groups.scaling.max_replicas if is_scaled(groups.scaling, everywhere) else groups.replicas


def scaling_spec(scaling: InferenceScaling, everywhere: bool) -> Json:
    """`spec.scaling` of an inference server; one of the two triggers, the pods' before the capacity's."""
    spec: Json = {
        # always written, because the kind's own default is true
        "enabled": is_scaled(scaling, everywhere),
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "scaleDownDelay": scaling.scale_down_delay,
        "maxPodsScaledDownAtOnce": scaling.max_pods_scaled_down_at_once,
    }
    if scaling.scale_on_pods_left is not None:
        return spec | {"scaleOnPodsLeft": scaling.scale_on_pods_left}
    return spec | {"scaleOnCapacityLeft": scaling.scale_on_capacity_left}


NO_DEFRAG: Json = {"enabled": False, "maxIdlePodsOnScaleUp": 1}
"""What the chart writes for inference servers."""


def group_spec(
    sized: Sized,
    scaling: Json,
    selector: dict[str, str],
    template: Json,
    *,
    defrag: Json | None = None,
    active_node_scheduling: bool | None = None,
) -> dict[str, Any]:
    """`spec` of a SessionGroup; None leaves `activeNodeScheduling` to the kind's default."""
    spec: dict[str, Any] = {
        "replicas": sized.replicas,
        "allowedSurge": sized.allowed_surge,
        "maxPodsCreateAtOnce": sized.max_pods_create_at_once,
        "strategyRecreate": False,
        "scaling": scaling,
        "defrag": dict(defrag or NO_DEFRAG),
        "selector": {"matchLabels": selector},
        "template": template,
    }
    if active_node_scheduling is not None:
        spec["activeNodeScheduling"] = active_node_scheduling
    return spec


def group_annotations(*, scaled: bool) -> dict[str, str]:
    """Annotations of a SessionGroup. Unless it is scaled, every field of its spec is the program's, `replicas` too.

    A controller that wrote `replicas` while scaling was on stays one of its managers when the program takes it over
    with the same number, and any later number would be a conflict. What an update may take away is the guard's to say
    (components/guard/hooks.py): it compares with the pods that are there.
    """
    return {"pulumi.com/patchForce": str(not scaled).lower()}


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


def session_group(
    name: str,
    metadata: kubernetes.meta.v1.ObjectMetaArgs,
    spec: Json,
    *,
    scaled: bool,
    ready: tuple[pulumi.Resource, ...],
    parent: pulumi.Resource,
) -> None:
    """Make a SessionGroup; `metadata` has what `group_annotations` says, `ready` are the kind and its controller."""
    opts = group_options(parent, ready, scaled=scaled)
    CustomResource(name, api_version=API_VERSION, kind=KIND, metadata=metadata, spec=spec, opts=opts)
