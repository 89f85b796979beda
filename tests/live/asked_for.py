"""What a configuration asks of others: Secrets and ConfigMaps that its pods name and nobody makes, labels of nodes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from tests.live.conftest import Json

REFERENCES = {
    "secret": ("Secret", "secretName"),
    "secretKeyRef": ("Secret", "name"),
    "configMap": ("ConfigMap", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
}
"""Field that refers to an object → its kind, and the field of the name."""
LOGIN = json.dumps({"auths": {"registry.example": {"auth": base64.b64encode(b"made:up").decode()}}})
STORE: Json = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "externalsecrets.external-secrets.io"},
    "spec": {
        "group": "external-secrets.io",
        "names": {"kind": "ExternalSecret", "listKind": "ExternalSecretList", "plural": "externalsecrets",
                  "singular": "externalsecret"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }}}],
    },
}  # fmt: skip
"""The kind of the External Secrets Operator, which a cluster has that uses it; its fields are not looked at here."""
KEYS = {"Secret": "license.json", "ConfigMap": "made-up"}
"""What an object holds of which a pod takes all there is."""


def asked_for(objects: list[Json]) -> list[Json]:
    """Manifests of what others make, with made-up contents: what pods refer to and is not among the objects."""
    made = {(each["kind"], each["metadata"]["name"]) for each in objects}
    keys: dict[tuple[str, str], set[str]] = {}
    logins: set[tuple[str, str]] = set()
    for each in objects:
        for kind, name, key in _references(each.get("spec") or {}):
            keys.setdefault((kind, name), set()).add(key)
        logins |= {("Secret", each["name"]) for each in _pull_secrets(each)}
    wanted = [_manifest(kind, name, dict.fromkeys(held, "made-up")) for (kind, name), held in keys.items()
              if (kind, name) not in made]  # fmt: skip
    return wanted + [
        _manifest("Secret", name, {".dockerconfigjson": LOGIN}, "kubernetes.io/dockerconfigjson")
        for _, name in sorted(logins - made)
    ]


def _manifest(kind: str, name: str, content: dict[str, str], type_of_secret: str = "Opaque") -> Json:
    secret = {"type": type_of_secret, "stringData": content} if kind == "Secret" else {"data": content}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "speechmatics"}} | secret


def _references(part: Any) -> Iterator[tuple[str, str, str]]:
    """Kind, name and key of every object a part of a pod needs."""
    if isinstance(part, list):
        for each in part:
            yield from _references(each)
    elif isinstance(part, dict):
        for field, value in part.items():
            kind, name = REFERENCES.get(field, ("", ""))
            if isinstance(value, dict) and name in value and not value.get("optional"):
                held = [each["key"] for each in value.get("items") or []] or [value.get("key") or KEYS[kind]]
                yield from ((kind, value[name], key) for key in held)
            yield from _references(value)


def _pull_secrets(each: Json) -> list[Json]:
    pod = ((each.get("spec") or {}).get("template") or {}).get("spec") or {}
    found: list[Json] = pod.get("imagePullSecrets") or []
    return found


def selectors(objects: list[Json]) -> list[dict[str, str]]:
    """The node selectors of the pods, each once."""
    pods = [((each.get("spec") or {}).get("template") or {}).get("spec") or {} for each in objects]
    found: list[dict[str, str]] = []
    for pod in pods:
        if (selector := pod.get("nodeSelector")) and selector not in found:
            found.append(selector)
    return found
