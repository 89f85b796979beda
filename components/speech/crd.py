"""The SessionGroup CustomResourceDefinition (contract: control plane 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

GROUP = "speechmatics.com"
VERSION = "v1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "SessionGroup"
PLURAL = "sessiongroups"

DURATION = r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$"
"""Pattern P1 of the contract: a Go duration."""

Schema = dict[str, Any]

STRINGS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}


def int32(default: int | None = None, minimum: int | None = None) -> Schema:
    """An int32 with what the contract gives it."""
    schema: Schema = {"type": "integer", "format": "int32"}
    if default is not None:
        schema["default"] = default
    if minimum is not None:
        schema["minimum"] = minimum
    return schema


def boolean(default: bool) -> Schema:
    return {"type": "boolean", "default": default}


def scaling() -> Schema:
    """`spec.scaling`: `{}` is enough, the defaults fill in."""
    return {
        "type": "object",
        "properties": {
            "enabled": boolean(True),
            "maxPodsScaledDownAtOnce": int32(10, 1),
            "maxReplicas": int32(2, 1),
            "minReplicas": int32(1, 0),
            "scaleDownDelay": {"type": "string", "default": "5m", "pattern": DURATION},
            "scaleOnCapacityLeft": int32(-1, -1),
            "scaleOnPodsLeft": {"type": "number", "default": -1, "minimum": -1},
        },
    }


def selector() -> Schema:
    """`spec.selector`: a LabelSelector, replaced as a whole."""
    expression: Schema = {
        "type": "object",
        "required": ["key", "operator"],
        "properties": {
            "key": {"type": "string"},
            "operator": {"type": "string"},
            "values": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"},
        },
    }
    return {
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "matchLabels": STRINGS,
            "matchExpressions": {"type": "array", "items": expression, "x-kubernetes-list-type": "atomic"},
        },
    }


def merged(keys: list[str], required: list[str], properties: Schema) -> Schema:
    """A list that is merged by keys, none of them twice; its items are open beside what is named."""
    return {
        "type": "array",
        "items": {
            "type": "object",
            "required": required,
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": properties,
        },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": keys,
    }


TEXT: Schema = {"type": "string"}


def volumes() -> Schema:
    """The volumes of a pod: merged by name."""
    return merged(["name"], ["name"], {"name": TEXT})


def containers() -> Schema:
    """A list of containers: merged by name, `env` too, mounts by path, `ports[].protocol` defaulted; the rest is free.

    The API server refuses a group with two of one key; it would refuse each of the group's pods.
    """
    port: Schema = {
        "containerPort": {"type": "integer", "format": "int32"},
        "protocol": {"type": "string", "default": "TCP"},
    }
    return merged(
        ["name"],
        ["name"],
        {
            "name": TEXT,
            "env": merged(["name"], ["name"], {"name": TEXT}),
            "ports": merged(["containerPort", "protocol"], ["containerPort"], port),
            "volumeMounts": merged(["mountPath"], ["mountPath", "name"], {"mountPath": TEXT, "name": TEXT}),
        },
    )


def template() -> Schema:
    """`spec.template`: labels and annotations, and a pod spec that any API server's PodSpec fits into."""
    return {
        "type": "object",
        "properties": {
            "metadata": {"type": "object", "properties": {"labels": STRINGS, "annotations": STRINGS}},
            "spec": {
                "type": "object",
                "required": ["containers"],
                "x-kubernetes-preserve-unknown-fields": True,
                "properties": {
                    "containers": containers(),
                    "initContainers": containers(),
                    "volumes": volumes(),
                },
            },
        },
    }


def spec() -> Schema:
    """`spec`."""
    return {
        "type": "object",
        "required": ["replicas", "scaling", "selector", "template"],
        "properties": {
            "activeNodeScheduling": boolean(False),
            "allowedSurge": int32(1, 1),
            "defrag": {
                "type": "object",
                "properties": {"enabled": boolean(False), "maxIdlePodsOnScaleUp": int32(1, 1)},
            },
            "maxPodsCreateAtOnce": int32(3, 1),
            "replicas": int32(minimum=0),
            "scaling": scaling(),
            "selector": selector(),
            "strategyRecreate": boolean(False),
            "template": template(),
        },
    }


def status() -> Schema:
    """`status`: when present, complete."""
    fields: Schema = {
        "activeSessions": int32(),
        "capacity": int32(),
        "replicas": int32(),
        "specHash": {"type": "string"},
        "specVersion": {"type": "integer"},
        "totalSessions": int32(),
        "usage": int32(),
    }
    return {"type": "object", "required": list(fields), "properties": fields}


COLUMNS = (
    ("Replicas", "integer", ".status.replicas", "Pods of the group"),
    ("Capacity", "integer", ".status.capacity", "Capacity of all pods"),
    ("Usage", "integer", ".status.usage", "Capacity in use"),
    ("Version", "integer", ".status.specVersion", "Version of the template"),
    ("Spec Hash", "string", ".status.specHash", "Hash of the template"),
)
"""What `kubectl get sessiongroups` prints: name, type, path, description."""


def definition() -> Schema:
    """`spec` of the CustomResourceDefinition."""
    return {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {
            "kind": KIND,
            "listKind": f"{KIND}List",
            "plural": PLURAL,
            "singular": "sessiongroup",
            "shortNames": ["sg"],
        },
        "versions": [
            {
                "name": VERSION,
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas",
                        "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    },
                },
                "additionalPrinterColumns": [
                    {"name": name, "type": kind, "jsonPath": path, "description": text}
                    for name, kind, path, text in COLUMNS
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "apiVersion": {"type": "string"},
                            "kind": {"type": "string"},
                            "metadata": {"type": "object"},
                            "spec": spec(),
                            "status": status(),
                        },
                    }
                },
            }
        ],
    }


@dataclass(frozen=True)
class CrdArgs:
    """What the definition needs."""

    protect: bool


class Crd(pulumi.ComponentResource):
    """The definition. Deleting it deletes every SessionGroup with its sessions."""

    ready: pulumi.Resource
    definition_name: pulumi.Output[str]

    def __init__(self, name: str, args: CrdArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:Crd", name, {}, opts)
        # the schema is written in the API's own names, which the SDK passes on as they are
        schema: Any = definition()
        crd = kubernetes.apiextensions.v1.CustomResourceDefinition(
            f"{name}-definition",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=f"{PLURAL}.{GROUP}",
                annotations={
                    "controller-gen.kubebuilder.io/version": "v0.15.0",
                    # the kind is served a moment after the definition is accepted
                    "pulumi.com/waitFor": "condition=Established",
                },
            ),
            spec=schema,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.ready = crd
        self.definition_name = crd.id
        self.register_outputs({"definitionName": self.definition_name})
