"""What a resource answers before it exists: inputs where they are known, unknowns elsewhere (previewOutputs.go)."""

from __future__ import annotations

import collections.abc
import typing
from typing import Any

from pulumi._types import is_output_type

from sandbox.azure import schema
from sandbox.azure.catalogue import Kind
from sandbox.rpc import UNKNOWN, Json


def outputs(kind: Kind, inputs: Json) -> Json:
    """The outputs of a planned create."""
    return _fill(schema.outputs(kind.resource_type), inputs)


def _fill(types: dict[str, Any], inputs: Json) -> Json:
    return {name: _value(type_, inputs[name]) if name in inputs else UNKNOWN for name, type_ in types.items()}


def _value(type_: Any, value: Any) -> Any:
    origin = typing.get_origin(type_)
    if isinstance(type_, type) and is_output_type(type_):
        return _fill(schema.nested_outputs(type_), value) if isinstance(value, dict) else UNKNOWN
    if origin is collections.abc.Sequence:
        item = typing.get_args(type_)[0]
        return [_value(item, one) for one in value] if isinstance(value, list) else UNKNOWN
    if origin is collections.abc.Mapping:
        item = typing.get_args(type_)[1]
        return {name: _value(item, one) for name, one in value.items()} if isinstance(value, dict) else UNKNOWN
    return UNKNOWN if isinstance(value, dict | list) else value
