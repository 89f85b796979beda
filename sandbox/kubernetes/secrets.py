"""Which values the engine marked secret, and marking the same ones in what goes back.

The marks of the inputs are copied to every place where the value comes back: the live object, the recorded inputs.
`data` and `stringData` of a Secret are secret whatever the program said.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, struct_pb2

from sandbox import rpc

Json = dict[str, Any]
Marks = bool | dict[str, "Marks"]
"""True: secret as a whole. A mapping: what is secret below which key. False: nothing."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_SIGNED = {key: value for key, value in rpc.secret(None).items() if key != "value"}


def marks(struct: struct_pb2.Struct) -> Marks:
    """What is marked secret in a struct of the engine. A list with a secret in it is secret as a whole."""
    return _marks(json_format.MessageToDict(struct))


def _marks(value: Any) -> Marks:
    if isinstance(value, list):
        return any(_marks(item) for item in value)
    if not isinstance(value, dict):
        return False
    if all(value.get(key) == sign for key, sign in _SIGNED.items()):
        return True
    below: dict[str, Marks] = {key: found for key, item in value.items() if (found := _marks(item))}
    return below or False


def mark(value: Json, of: Marks) -> Json:
    """A copy of an object (or of its recorded inputs) with everything secret marked."""
    marked = {
        key: _mark(item, of[key] if isinstance(of, dict) and key in of else of is True) for key, item in value.items()
    }
    if value.get("kind") != "Secret":
        return marked
    for key in ("data", "stringData"):
        if key in value:
            marked[key] = rpc.secret(value[key])
    annotations = value.get("metadata", {}).get("annotations", {})
    if LAST_APPLIED in annotations:
        hidden = {LAST_APPLIED: rpc.secret(annotations[LAST_APPLIED])}
        marked["metadata"] = {**marked["metadata"], "annotations": {**marked["metadata"]["annotations"], **hidden}}
    return marked


def secret_data_marks(of: Marks) -> Marks:
    """The marks of a Secret's inputs with those of `stringData` also at `data`, where the API server puts it."""
    if not isinstance(of, dict) or "stringData" not in of:
        return of
    return {**of, "data": True}


def _mark(value: Any, of: Marks) -> Any:
    if of is True:
        return rpc.secret(value)
    if isinstance(of, dict) and isinstance(value, dict):
        return {key: _mark(item, of.get(key, False)) for key, item in value.items()}
    return value
