"""Differences of the kind SessionGroup."""

from __future__ import annotations

from typing import Any

from components.speech.differences.difference import Added, Difference, Ours, Which


def _list(keys: list[str], required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """A list merged by its keys, whose items are open beside what is named."""
    item = {
        "type": "object",
        "required": required,
        "properties": properties,
        "x-kubernetes-preserve-unknown-fields": True,
    }
    return {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": keys,
    }


_NAME = {"type": "string"}
_PORT = {
    "containerPort": {"type": "integer", "format": "int32"},
    "protocol": {"type": "string", "default": "TCP"},
}
_CONTAINERS = _list(
    ["name"],
    ["name"],
    {
        "name": _NAME,
        "env": _list(["name"], ["name"], {"name": _NAME}),
        "ports": _list(["containerPort", "protocol"], ["containerPort"], _PORT),
        "volumeMounts": _list(["mountPath"], ["mountPath", "name"], {"mountPath": _NAME, "name": _NAME}),
    },
)

CRD: tuple[Difference, ...] = (
    Difference(
        "CustomResourceDefinition/*",
        "spec.versions[v1].schema.openAPIV3Schema.properties.spec.properties.template.properties.spec",
        {
            "type": "object",
            "required": ["containers"],
            "properties": {
                "containers": _CONTAINERS,
                "initContainers": _CONTAINERS,
                "volumes": _list(["name"], ["name"], {"name": _NAME}),
            },
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "The pod spec is open instead of a copy of Kubernetes 1.30's: a newer API server's fields are not pruned. What "
        "the copy gave is kept: containers and volumes by name, mounts by path, no variable twice, ports[].protocol "
        "defaulted.",
    ),
    Difference(
        "CustomResourceDefinition/*",
        "spec.versions[v1].additionalPrinterColumns[*].description",
        Added(Which("a few words", lambda text: isinstance(text, str) and 10 < len(text) < 40)),
        "The vendor's texts are not known; what a column shows is.",
    ),
    Difference(
        "CustomResourceDefinition/*",
        "metadata.annotations.pulumi.com/waitFor",
        Added("condition=Established"),
        "Tells the provider to wait until the kind is served.",
    ),
    Difference(
        "ValidatingAdmissionPolicy/* ValidatingAdmissionPolicyBinding/*",
        "",
        Ours(),
        "A SessionGroup in use is not deleted: the API server refuses it, whoever asks.",
    ),
)
"""The differences."""
