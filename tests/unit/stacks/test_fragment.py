"""Pieces of a pod, checked against the SDK's types before anything else sees them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from stacks.schema import fragment

TERMS = "requiredDuringSchedulingIgnoredDuringExecution"


def node_affinity(expression: dict[str, Any]) -> dict[str, Any]:
    return {"nodeAffinity": {TERMS: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (fragment.Affinity, node_affinity({"key": "zone", "operator": "In", "values": ["1"]})),
        (fragment.EnvEntry, {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "one"}}}),
        (fragment.PodSecurityContext, {"runAsUser": 1000, "runAsNonRoot": True}),
        (fragment.ProbeFragment, {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 5}),
        (fragment.ProbeFragment, {"httpGet": {"path": "/live", "port": 8080}}),
        (fragment.ResourceRequirements, {"limits": {"nvidia.com/gpu": "1"}}),
        (fragment.SecurityContext, {"capabilities": {"drop": ["ALL"]}}),
        (fragment.Toleration, {"key": "sku", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}),
        (fragment.Toleration, {"operator": "Exists"}),
        (fragment.Toleration, {"key": "a", "value": ""}),
        (fragment.Toleration, {"key": "a", "operator": "Exists", "value": ""}),
        (fragment.Volume, {"name": "cache", "emptyDir": {}}),
        (fragment.VolumeMount, {"name": "cache", "mountPath": "/cache"}),
    ],
)
def test_what_the_api_takes_is_passed_on_unchanged(kind: Any, given: dict[str, Any]) -> None:
    assert TypeAdapter(kind).validate_python(given) == given


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (fragment.Toleration, {"tolerationSecond": 5}, "did you mean `tolerationSeconds`"),
        (fragment.Toleration, {"tolerationSeconds": "5"}, "`tolerationSeconds` should be a whole number"),
        (fragment.Toleration, {"tolerationSeconds": True}, "`tolerationSeconds` should be a whole number"),
        (
            fragment.Toleration,
            {"key": "a", "operator": "Exists", "value": "b"},
            "`value` is no field beside `operator:",
        ),
        (fragment.Toleration, {"key": "a", "operator": "In"}, "`operator` should be Exists or Equal"),
        (fragment.Toleration, {"operator": "Equal", "value": "b"}, "`operator` should be Exists without a `key`"),
        (fragment.Toleration, {"value": "b"}, "`operator` should be Exists without a `key`"),
        (fragment.Toleration, {"key": "a", "effect": "Evict"}, "`effect` should be NoSchedule, Prefer"),
        (fragment.Toleration, {"key": "a", "tolerationSeconds": 5}, "`effect` should be NoExecute beside"),
        (fragment.EnvEntry, {"name": "KEY", "value": 5}, "`value` should be text"),
        (fragment.VolumeMount, {"name": "cache"}, "`mountPath` is missing"),
        (fragment.Volume, {"name": "cache", "hostPath": "/tmp"}, "`hostPath` should be an object"),
        (fragment.SecurityContext, {"capabilities": {"drop": "ALL"}}, "`capabilities.drop` should be a list"),
        (fragment.ProbeFragment, {"httpGet": {"port": 1.5}}, "`httpGet.port` should be a whole number"),
        (fragment.ResourceRequirements, {"limits": {"nvidia.com/gpu": 1}}, "`limits.nvidia.com/gpu` should be text"),
        (
            fragment.Affinity,
            node_affinity({"key": "zone", "operator": "In", "value": ["1"]}),
            f"`nodeAffinity.{TERMS}.nodeSelectorTerms[0].matchExpressions[0].value` is no field",
        ),
    ],
)
def test_what_it_would_not_take_is_said_with_its_place(kind: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(given)
    assert said in str(caught.value)
