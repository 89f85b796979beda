"""What is still under way, from the objects alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sandbox.drill.settled import under_way
from sandbox.twin.template import spec_hash

Json = dict[str, Any]

TEMPLATE: Json = {"spec": {"containers": [{"name": "main", "image": "one"}]}}
GROUP: Json = {
    "metadata": {"namespace": "s", "name": "g", "uid": "u"},
    "spec": {"replicas": 1, "template": TEMPLATE},
    "status": {"replicas": 1, "specVersion": 3, "specHash": spec_hash(TEMPLATE, "g")},
}
POD: Json = {
    "metadata": {
        "namespace": "s",
        "name": "p",
        "labels": {"speechmatics.com/spec-version": "3"},
        "ownerReferences": [{"uid": "u"}],
        "annotations": {"sandbox.sm-realtime/sessions": "1"},
    },
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
}
DEPLOYMENT: Json = {
    "kind": "Deployment",
    "metadata": {"namespace": "s", "name": "d", "generation": 2},
    "spec": {"replicas": 2},
    "status": {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "readyReplicas": 2},
}
STATEFUL: Json = {
    "kind": "StatefulSet",
    "metadata": {"namespace": "s", "name": "r", "generation": 1},
    "spec": {"replicas": 1},
    # a set that was never changed may say nothing of updated pods
    "status": {
        "observedGeneration": 1,
        "currentRevision": "a",
        "updateRevision": "a",
        "replicas": 1,
        "readyReplicas": 1,
    },
}


def changed(obj: Json, path: str, value: object) -> Json:
    """A copy with another value at a path of keys joined by `|`; None takes it away."""
    obj = copy.deepcopy(obj)
    inner, *keys = obj, *path.split("|")
    for key in keys[:-1]:
        inner = inner[key]
    if value is None:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    return obj


def test_nothing_is_under_way() -> None:
    assert under_way([POD], [GROUP], [DEPLOYMENT, STATEFUL]) == []


@pytest.mark.parametrize(
    ("pod", "group", "controller", "says"),
    [
        (changed(POD, "metadata|deletionTimestamp", "now"), GROUP, DEPLOYMENT, "Pod s/p: on its way out"),
        (changed(POD, "status|conditions", []), GROUP, DEPLOYMENT, "Pod s/p: phase Running"),
        (changed(POD, "metadata|labels|speechmatics.com/spec-version", "2"), GROUP, DEPLOYMENT,
         "Pod s/p: of version 2, and 3 is the newest"),
        (POD, changed(GROUP, "spec|template|spec", {}), DEPLOYMENT, "has not taken up the newest template"),
        (POD, changed(GROUP, "status", None), DEPLOYMENT, "has not taken up the newest template"),
        (POD, changed(GROUP, "spec|replicas", 2), DEPLOYMENT, "SessionGroup s/g: 1 of 2 pods exist"),
        (POD, GROUP, changed(DEPLOYMENT, "metadata|generation", 3), "Deployment s/d: not rolled out"),
        (POD, GROUP, changed(DEPLOYMENT, "status|updatedReplicas", 1), "Deployment s/d: not rolled out"),
        (POD, GROUP, changed(DEPLOYMENT, "status|replicas", 3), "Deployment s/d: not rolled out"),
        (POD, GROUP, changed(DEPLOYMENT, "status|readyReplicas", None), "Deployment s/d: not rolled out"),
        (POD, GROUP, changed(STATEFUL, "status|updateRevision", "b"), "StatefulSet s/r: not rolled out"),
    ],
)  # fmt: skip
def test_what_is_under_way_is_said(pod: Json, group: Json, controller: Json, says: str) -> None:
    assert any(says in line for line in under_way([pod], [group], [controller]))
