"""From the template of a SessionGroup to a pod: what the controller adds, and which version of the template it is."""

from __future__ import annotations

import copy
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.twin.model import API_VERSION, KIND, VERSION_LABEL, Group, Json, Pod

NAME_CHARACTERS = "bcdfghjklmnpqrstvwxz2456789"
"""The characters the API server draws generated names from (k8s.io/apimachinery, `util/rand`)."""


def injected_env(group_name: str) -> list[Json]:
    """The three variables the controller appends to every container, in the contract's order (§10.4)."""
    return [
        {"name": "SM_DEPLOYMENT_NAME", "value": group_name},
        {"name": "SM_NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {
            "name": "SM_SPEC_VERSION",
            "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{VERSION_LABEL}']"}},
        },
    ]


def complete(template: Mapping[str, Any], group_name: str) -> Json:
    """The template with the three variables at the end of each container's and init container's env where absent."""
    completed: Json = copy.deepcopy(dict(template))
    spec = completed.get("spec") or {}
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        env = container.setdefault("env", [])
        present = {entry.get("name") for entry in env}
        env.extend(entry for entry in injected_env(group_name) if entry["name"] not in present)
    return completed


def spec_hash(template: Mapping[str, Any], group_name: str) -> str:
    """32 hexadecimal digits over the completed template, independent of the order of its keys."""
    canonical = json.dumps(complete(template, group_name), sort_keys=True, separators=(",", ":"))
    return hashlib.md5(canonical.encode(), usedforsecurity=False).hexdigest()


def spec_version(group: Group, digest: str, pods: Iterable[Pod]) -> int:
    """The version of a template with this hash: 1 at first, one more than before whenever the hash changes.

    When the status that remembers it is gone, it is above every version that a pod still carries.
    """
    if group.status is None:
        return max((pod.version for pod in pods), default=0) + 1
    version = int(group.status["specVersion"])
    return version if group.status["specHash"] == digest else version + 1


def pod_name(group_name: str) -> str:
    return f"{group_name}-{''.join(secrets.choice(NAME_CHARACTERS) for _ in range(5))}"


def preferring(spec: Json, nodes: Sequence[str]) -> Json:
    """The same spec of a pod that the scheduler puts on one of these nodes where it can."""
    if not nodes:
        return spec
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    hosts = {"key": "kubernetes.io/hostname", "operator": "In", "values": list(nodes)}
    affinity = spec.get("affinity") or {}
    on_nodes = affinity.get("nodeAffinity") or {}
    terms = [*(on_nodes.get(preferred) or []), {"weight": 100, "preference": {"matchExpressions": [hosts]}}]
    return {**spec, "affinity": {**affinity, "nodeAffinity": {**on_nodes, preferred: terms}}}


def pod_manifest(group: Group, version: int, name: str, nodes: Sequence[str] = ()) -> Json:
    """A new pod of the group; `nodes`: where it is rather to run."""
    completed = complete(group.template, group.name)
    meta = completed.get("metadata") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": group.namespace,
            "labels": {**(meta.get("labels") or {}), VERSION_LABEL: str(version)},
            "annotations": meta.get("annotations") or {},
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "name": group.name,
                    "uid": group.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": preferring(completed.get("spec") or {}, nodes),
    }
