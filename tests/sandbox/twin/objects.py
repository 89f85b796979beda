"""The contract's objects the tests of the twin create: the CRD, the controller's rights, a SessionGroup."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
GROUP = "speechmatics.com"
API_VERSION = f"{GROUP}/v1"
NAME = "rt-transcriber-en"
ACCOUNT = "resource-manager-sessiongroups"

RULES: list[Json] = [
    # control-plane.md §8, ClusterRole realtime-sessiongroups-controller
    {
        "apiGroups": [GROUP],
        "resources": ["sessiongroups"],
        "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
    },
    {"apiGroups": [GROUP], "resources": ["sessiongroups/finalizers"], "verbs": ["update"]},
    {"apiGroups": [GROUP], "resources": ["sessiongroups/status"], "verbs": ["get", "patch", "update"]},
    {
        "apiGroups": [""],
        "resources": ["pods", "events"],
        "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
    },
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "get", "watch", "patch", "update"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
    },
]


def crd() -> Json:
    """The CRD of control-plane.md §1, its `template.spec` left open (form b of §1.4)."""

    def number(default: int | None = None, minimum: int | None = None, kind: str = "integer") -> Json:
        schema: Json = {"type": kind} | ({"format": "int32"} if kind == "integer" else {})
        return schema | {k: v for k, v in (("default", default), ("minimum", minimum)) if v is not None}

    def switch(default: bool) -> Json:
        return {"type": "boolean", "default": default}

    duration = {"type": "string", "default": "5m", "pattern": r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$"}
    scaling = {
        "enabled": switch(True),
        "maxPodsScaledDownAtOnce": number(10, 1),
        "maxReplicas": number(2, 1),
        "minReplicas": number(1, 0),
        "scaleDownDelay": duration,
        "scaleOnCapacityLeft": number(-1, -1),
        "scaleOnPodsLeft": number(-1, -1, "number"),
    }
    strings = {"type": "object", "additionalProperties": {"type": "string"}}
    template = {
        "metadata": {"type": "object", "properties": {"labels": strings, "annotations": strings}},
        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    defrag = {"enabled": switch(False), "maxIdlePodsOnScaleUp": number(1, 1)}
    spec = {
        "activeNodeScheduling": switch(False),
        "allowedSurge": number(1, 1),
        "defrag": {"type": "object", "properties": defrag},
        "maxPodsCreateAtOnce": number(3, 1),
        "replicas": number(None, 0),
        "scaling": {"type": "object", "properties": scaling},
        "selector": {"type": "object", "properties": {"matchLabels": strings}, "x-kubernetes-map-type": "atomic"},
        "strategyRecreate": switch(False),
        "template": {"type": "object", "properties": template},
    }
    status = {name: number() for name in ("activeSessions", "capacity", "replicas", "totalSessions", "usage")}
    status |= {"specHash": {"type": "string"}, "specVersion": {"type": "integer"}}
    root = {
        "spec": {"type": "object", "properties": spec, "required": ["replicas", "scaling", "selector", "template"]},
        "status": {"type": "object", "properties": status, "required": sorted(status)},
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": root}},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
    }
    names = {"kind": "SessionGroup", "listKind": "SessionGroupList", "plural": "sessiongroups", "shortNames": ["sg"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"sessiongroups.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def session_group(name: str = NAME, *, capacity: int = 2, image: str = "13.5.0", **spec: Any) -> Json:
    features = json.dumps({"capacity": capacity, "version": "13.5.0", "model_costs": {"en": 1}})
    tracker = {
        "name": "readiness-tracker",
        "image": "registry.example/readiness-tracker:1",
        "env": [{"name": "REGISTER_FEATURES", "value": features}],
    }
    proxy = {"name": "worker-proxy", "image": "registry.example/worker-proxy:1", "restartPolicy": "Always"}
    transcriber = {"name": "rt-asr-transcriber", "image": f"registry.example/rt-asr-transcriber-en:{image}"}
    return {
        "apiVersion": API_VERSION,
        "kind": "SessionGroup",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "scaling": {"enabled": False},
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": "rt-asr-transcriber", "speechmatics.io/safe-to-evict": "false"}},
                "spec": {"containers": [transcriber, tracker], "initContainers": [proxy]},
            },
            **spec,
        },
    }
