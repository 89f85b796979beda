"""What the engine's state holds of an object, and objects in the form in which they compare: names, shapes, secrets."""

from __future__ import annotations

import base64
import binascii
import copy
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.objects import is_custom_resource_definition, metadata_of, new_field_manager
from sandbox.kubernetes.secrets import LAST_APPLIED, Marks, mark, secret_data_marks
from sandbox.rpc import has_unknown

Json = dict[str, Any]

INPUTS, FIELD_MANAGER, INITIAL_API_VERSION = "__inputs", "__fieldManager", "__initialApiVersion"
"""The keys of a recorded state that are not the live object's."""

READ_ONLY_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)

_DASHED = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in (
        "embedded_resource",
        "int_or_string",
        "list_map_keys",
        "list_type",
        "map_type",
        "preserve_unknown_fields",
        "validations",
    )
}
_UNDERSCORED = {dashed: name for name, dashed in _DASHED.items()}


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
