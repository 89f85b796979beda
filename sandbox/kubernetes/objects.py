"""Kubernetes objects on their way between the engine and the API server: types, names, shapes, recorded state."""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import secrets as randomness
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.secrets import LAST_APPLIED, Marks, mark, secret_data_marks
from sandbox.rpc import UNKNOWN, has_unknown

Json = dict[str, Any]

INPUTS, FIELD_MANAGER, INITIAL_API_VERSION = "__inputs", "__fieldManager", "__initialApiVersion"
"""The keys of a recorded state that are not the live object's."""

AUTONAMED = "pulumi.com/autonamed"
KNOWN_ANNOTATIONS = frozenset(
    f"pulumi.com/{name}"
    for name in ("autonamed", "skipAwait", "waitFor", "timeoutSeconds", "patchForce", "deletionPropagationPolicy")
)

READ_ONLY_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)


def _words(text: str) -> list[str]:
    return text.split()


_DASHED = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in _words(
        "embedded_resource int_or_string list_map_keys list_type map_type preserve_unknown_fields validations"
    )
}
_UNDERSCORED = {dashed: name for name, dashed in _DASHED.items()}

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


def new_field_manager() -> str:
    return f"pulumi-kubernetes-{randomness.token_hex(4)}"


def to_wire(value: Any) -> Any:
    """Inputs as the API server wants them: dashes in `x-kubernetes-*`, no nulls."""
    if isinstance(value, dict):
        return {_DASHED.get(key, key): to_wire(item) for key, item in value.items() if item is not None}
    return [to_wire(item) for item in value] if isinstance(value, list) else value


def to_state(value: Any) -> Any:
    """Objects as the SDK wants them: underscores in `x_kubernetes_*`."""
    if isinstance(value, dict):
        return {_UNDERSCORED.get(key, key): to_state(item) for key, item in value.items()}
    return [to_state(item) for item in value] if isinstance(value, list) else value


def normalized(obj: Json) -> Json:
    """The object in the form the API server gives it back in, so that equal things compare equal."""
    result = copy.deepcopy(obj)
    meta = result.get("metadata")
    if isinstance(meta, dict):
        for key in READ_ONLY_METADATA:
            meta.pop(key, None)
    if is_custom_resource_definition(result):
        result.pop("status", None)
        spec = result.get("spec")
        if isinstance(spec, dict) and spec.get("preserveUnknownFields") is False:
            del spec["preserveUnknownFields"]
    if result.get("apiVersion") == "v1" and result.get("kind") == "Secret" and not has_unknown(result):
        _normalize_secret(result)
    return result


def _normalize_secret(secret: Json) -> None:
    data = {key: _reencoded(text) for key, text in (secret.get("data") or {}).items()}
    for key, text in (secret.pop("stringData", None) or {}).items():
        data[key] = base64.b64encode(str(text).encode()).decode()
    if data or "data" in secret:
        secret["data"] = data


def _reencoded(text: Any) -> Any:
    try:
        return base64.b64encode(base64.b64decode(str(text))).decode()
    except binascii.Error:
        return text  # the API server refuses it with its own words


def prune(live: Any, shape: Any, *, built_in: bool) -> Any:
    """The live value cut down to the fields of `shape`.

    Built-in kinds drop empty values (`false`, `0`, `""`, `{}`) instead of storing them: there an empty value that the
    live object does not repeat counts as present.
    """
    if isinstance(live, dict) and isinstance(shape, dict):
        pruned = {key: prune(live[key], wanted, built_in=built_in) for key, wanted in shape.items() if key in live}
        if built_in:
            pruned |= {key: wanted for key, wanted in shape.items() if key not in live and wanted in _EMPTY}
        return pruned
    if isinstance(live, list) and isinstance(shape, list):
        head = [prune(item, wanted, built_in=built_in) for item, wanted in zip(live, shape, strict=False)]
        return head + live[len(shape) :]
    return copy.deepcopy(live)


_EMPTY: tuple[Any, ...] = (False, 0, "", {}, [])


def imported_inputs(live: Json) -> Json:
    """Inputs for an object that was never ours: all of it but what only the server writes."""
    inputs = {key: value for key, value in copy.deepcopy(live).items() if key != "status"}
    meta = inputs["metadata"]
    for key in (*READ_ONLY_METADATA, "selfLink"):
        meta.pop(key, None)
    annotations = meta.get("annotations", {})
    for key in ("deployment.kubernetes.io/revision", LAST_APPLIED):
        annotations.pop(key, None)
    return inputs


@dataclass(frozen=True)
class Recorded:
    """What the engine's state holds of an object: the inputs as sent, the live object as last read."""

    inputs: Json
    live: Json
    field_manager: str
    initial_api_version: str


def record(recorded: Recorded, of: Marks) -> Json:
    """The outputs for the engine, secrets marked. `managedFields` stays out: nothing reads it from the state."""
    live = copy.deepcopy(recorded.live)
    metadata_of(live).pop("managedFields", None)
    if live.get("kind") == "Secret":
        of = secret_data_marks(of)
    return mark(to_state(live), of) | {
        INPUTS: mark(to_state(recorded.inputs), of),
        INITIAL_API_VERSION: recorded.initial_api_version,
        FIELD_MANAGER: recorded.field_manager,
    }


def recorded_from(state: Json) -> Recorded:
    """The recorded object behind the engine's outputs."""
    wire = to_wire(state)
    live = {key: value for key, value in wire.items() if not key.startswith("__")}
    inputs = wire.get(INPUTS, {})
    return Recorded(
        inputs=inputs,
        live=live,
        field_manager=str(wire.get(FIELD_MANAGER) or new_field_manager()),
        initial_api_version=str(wire.get(INITIAL_API_VERSION) or inputs.get("apiVersion") or live.get("apiVersion")),
    )
