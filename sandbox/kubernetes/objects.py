"""Kubernetes objects: their types in the engine's words, names, annotations, and what kinds are like."""

from __future__ import annotations

import hashlib
import secrets as randomness
from dataclasses import dataclass
from typing import Any

from sandbox.rpc import UNKNOWN

Json = dict[str, Any]

AUTONAMED = "pulumi.com/autonamed"
KNOWN_ANNOTATIONS = frozenset(
    f"pulumi.com/{name}"
    for name in ("autonamed", "skipAwait", "waitFor", "timeoutSeconds", "patchForce", "deletionPropagationPolicy")
)


def _words(text: str) -> list[str]:
    return text.split()


_BUILT_IN_GROUPS = frozenset(
    {"", "apps", "autoscaling", "batch", "policy", "extensions"}
    | {
        f"{name}.k8s.io"
        for name in _words(
            "admissionregistration apiregistration authentication authorization certificates coordination discovery "
            "events flowcontrol.apiserver internal.apiserver networking node rbac.authorization resource scheduling "
            "storage storagemigration"
        )
    }
)

_CLUSTER_SCOPED = frozenset(
    _words(
        "APIService CSIDriver CSINode CertificateSigningRequest ClusterRole ClusterRoleBinding "
        "CustomResourceDefinition FlowSchema IngressClass MutatingWebhookConfiguration Namespace Node "
        "PersistentVolume PriorityClass PriorityLevelConfiguration RuntimeClass StorageClass "
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration VolumeAttachment"
    )
)

_REFUSED_MODULES = ("helm.sh/", "yaml", "kustomize")


class RefusedError(Exception):
    """A resource the stand-in refuses, with the reason shown to the user."""


@dataclass(frozen=True)
class TypeToken:
    """What a resource type says about the object: `kubernetes:apps/v1:Deployment`."""

    api_version: str
    kind: str


def parse_type(token: str) -> TypeToken:
    """The API version and kind of a resource type. Raises `RefusedError` for types that are no single object."""
    package, _, rest = token.partition(":")
    module, _, kind = rest.partition(":")
    if package != "kubernetes" or not kind:
        raise RefusedError(f'unrecognized resource type "{token}" for this provider')
    if module.startswith(_REFUSED_MODULES):
        raise RefusedError(
            f'the local plane does not render charts or YAML files ("{token}"): declare the objects themselves'
        )
    if kind.endswith("List"):
        raise RefusedError(
            "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created "
            "directly. Use the underlying resource type instead"
        )
    group, _, version = module.rpartition("/")
    if not group or not version:
        raise RefusedError(f'apiVersion does not have both a group and a version: "{module}"')
    return TypeToken(version if group == "core" else f"{group}/{version}", kind)


def complete_type(inputs: Json, token: TypeToken) -> Json:
    """The inputs with `apiVersion` and `kind` of the type. Raises `RefusedError` when they contradict it."""
    filled = {"apiVersion": token.api_version, "kind": token.kind, **inputs}
    if token.kind == f"{filled['kind']}Patch":
        raise RefusedError("the local plane does not support Patch resources: declare the object itself")
    for key, wanted in (("apiVersion", token.api_version), ("kind", token.kind)):
        if filled[key] not in (wanted, UNKNOWN):
            raise RefusedError(f'{key} is "{filled[key]}", but the resource type says "{wanted}"')
    return filled


def refuse_unknown_annotations(inputs: Json) -> None:
    for key in annotations_of(inputs):
        if key.startswith("pulumi.com/") and key not in KNOWN_ANNOTATIONS:
            raise RefusedError(
                f'the annotation "{key}" is not supported here (known: {", ".join(sorted(KNOWN_ANNOTATIONS))})'
            )


def is_built_in(api_version: str) -> bool:
    """Whether the kinds of an API version are typed in Kubernetes itself: quantities and empty values are rewritten."""
    return api_version.rpartition("/")[0] in _BUILT_IN_GROUPS


def is_custom_resource_definition(obj: Json) -> bool:
    return obj.get("kind") == "CustomResourceDefinition" and str(obj.get("apiVersion")).startswith(
        "apiextensions.k8s.io/"
    )


def likely_namespaced(kind: str) -> bool:
    """Whether a kind is namespaced, where no API server can be asked."""
    return kind not in _CLUSTER_SCOPED


def metadata_of(obj: Json) -> Json:
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def annotations_of(obj: Json) -> Json:
    found = metadata_of(obj).get("annotations")
    return found if isinstance(found, dict) else {}


def name_of(obj: Json) -> str:
    return str(metadata_of(obj).get("name") or "")


def namespace_of(obj: Json) -> str:
    return str(metadata_of(obj).get("namespace") or "")


def is_true(obj: Json, annotation: str) -> bool:
    return annotations_of(obj).get(annotation) == "true"


def resource_id(obj: Json) -> str:
    """`<namespace>/<name>`, or the name of an object without a namespace."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def parse_id(text: str) -> tuple[str, str]:
    """Namespace ("" without one) and name of a resource id."""
    namespace, _, name = text.rpartition("/")
    return namespace, name


def with_metadata(obj: Json, **values: Any) -> Json:
    """A copy with metadata set; None removes."""
    meta = {key: value for key, value in {**metadata_of(obj), **values}.items() if value is not None}
    return {**obj, "metadata": meta}


def auto_named(obj: Json, name: str) -> Json:
    """The object under a name of ours, marked as such so that a replacement may take another."""
    annotations = metadata_of(obj).get("annotations")
    if annotations == UNKNOWN:
        return with_metadata(obj, name=name)
    return with_metadata(obj, name=name, annotations={**annotations_of(obj), AUTONAMED: "true"})


def unique_name(logical_name: str, seed: bytes) -> str:
    """The logical name and eight hexadecimal digits, the same for the same seed (the engine's, kept over a preview)."""
    digits = hashlib.sha256(seed + logical_name.encode()).hexdigest()[:8] if seed else randomness.token_hex(4)
    return f"{logical_name}-{digits}"


FIELD_MANAGER_PREFIX = "pulumi-kubernetes-"


def new_field_manager() -> str:
    return f"{FIELD_MANAGER_PREFIX}{randomness.token_hex(4)}"
