"""What the SDK's own types say of a resource's properties, and the check of inputs against them.

Nothing is written twice: property names, types, nesting, enums and requiredness are read from the classes of
`pulumi_azure_native` (getters, `__init__` signatures, `Enum` members). The real provider lets an unknown property
pass; here it is refused, because on the way to Azure it would be dropped without a word.
"""

from __future__ import annotations

import collections.abc
import enum
import inspect
import typing
from typing import Any

import pulumi
from pulumi._types import (
    input_type_py_to_pulumi_names,
    input_type_types,
    is_input_type,
    output_type_types,
    resource_types,
)

from sandbox.rpc import UNKNOWN, Json

_INTERNAL = frozenset({"__createBeforeDelete", "azureApiVersion"})
"""Inputs the provider itself adds in Check."""

BEYOND_THE_ENUM = {"OSSKU": frozenset({"Ubuntu2404"})}
"""Values Azure takes that the SDK's enum lacks (AKS documentation: `Ubuntu2404` since Kubernetes 1.32)."""


def properties(args_type: type[object]) -> dict[str, Any]:
    """The properties of a class of inputs: name as sent over the wire, and type."""
    return dict(input_type_types(args_type))


def required(args_type: type[object]) -> frozenset[str]:
    """The properties without which an object of the class cannot be built."""
    names = input_type_py_to_pulumi_names(args_type)
    parameters = inspect.signature(args_type.__init__).parameters
    return frozenset(wire for python, wire in names.items() if parameters[python].default is inspect.Parameter.empty)


def outputs(resource_type: type[object]) -> dict[str, Any]:
    """The properties Azure answers with, by the SDK's resource class: name and type."""
    return dict(resource_types(resource_type))


def nested_outputs(output_type: type[object]) -> dict[str, Any]:
    return dict(output_type_types(output_type))


def alternatives(type_: Any) -> list[Any]:
    """The plain types a value may have, with the SDK's wrapping (Input, Optional, Output, Awaitable) taken off."""
    if not _is_union(type_):
        return [type_]
    found: list[Any] = []
    for choice in typing.get_args(type_):
        origin = typing.get_origin(choice)
        wrapped = origin is collections.abc.Awaitable or origin is pulumi.Output
        if choice is not type(None) and not wrapped:
            found.extend(alternatives(choice))
    return found


def check(args_type: type[object], inputs: Json) -> list[tuple[str, str]]:
    """Every way in which the inputs are not of the class: (path, reason)."""
    shown = {name: value for name, value in inputs.items() if name not in _INTERNAL}
    return _check_object(args_type, shown, "")


def _check_object(args_type: type[object], value: Json, path: str) -> list[tuple[str, str]]:
    known = properties(args_type)
    problems = []
    for name in sorted(required(args_type) - value.keys()):
        where = _join(path, name)
        problems.append((where, f"missing required property '{where}'"))
    for name, item in value.items():
        where = _join(path, name)
        if name not in known:
            label = args_type.__name__.removesuffix("Args").removesuffix("Init")
            problems.append((where, f"unknown property '{where}': {label} has no property '{name}'"))
        else:
            problems.extend(_check_value(known[name], item, where))
    return problems


def _check_value(type_: Any, value: Any, path: str) -> list[tuple[str, str]]:
    if value == UNKNOWN or value is None:
        return []
    choices = alternatives(type_)
    enums = [choice for choice in choices if isinstance(choice, type) and issubclass(choice, enum.Enum)]
    if enums:
        return _check_enum(enums, value, path)
    problems: list[tuple[str, str]] = []
    for choice in choices:
        problems = _check_one(choice, value, path)
        if not problems:
            return []
    return problems


def _check_enum(enums: list[type[enum.Enum]], value: Any, path: str) -> list[tuple[str, str]]:
    allowed = [member.value for kind in enums for member in kind]
    allowed += sorted(extra for kind in enums for extra in BEYOND_THE_ENUM.get(kind.__name__, frozenset()))
    if value in allowed:
        return []
    return [(path, f"'{path}' is {value!r}, which is none of {', '.join(map(str, allowed))}")]


def _check_one(type_: Any, value: Any, path: str) -> list[tuple[str, str]]:
    origin = typing.get_origin(type_)
    if type_ is Any:
        return []
    if origin is collections.abc.Sequence:
        if not isinstance(value, list):
            return [_wrong(path, "array", value)]
        (item_type,) = typing.get_args(type_)
        return [p for index, item in enumerate(value) for p in _check_value(item_type, item, f"{path}[{index}]")]
    if origin is collections.abc.Mapping:
        if not isinstance(value, dict):
            return [_wrong(path, "object", value)]
        item_type = typing.get_args(type_)[1]
        return [p for name, item in value.items() for p in _check_value(item_type, item, _join(path, name))]
    if isinstance(type_, type) and is_input_type(type_):
        return _check_object(type_, value, path) if isinstance(value, dict) else [_wrong(path, "object", value)]
    return _check_scalar(type_, value, path)


def _check_scalar(type_: Any, value: Any, path: str) -> list[tuple[str, str]]:
    fits = {
        str: isinstance(value, str),
        bool: isinstance(value, bool),
        int: isinstance(value, int) and not isinstance(value, bool),
        float: isinstance(value, int | float) and not isinstance(value, bool),
    }
    if type_ not in fits:
        raise TypeError(f"{path}: a type of the SDK that schema.py does not know: {type_!r}")
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return [] if fits[type_] else [_wrong(path, names[type_], value)]


def _wrong(path: str, expected: str, value: Any) -> tuple[str, str]:
    got = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}.get(type(value), "a number")
    return path, f"'{path}' should be of type '{expected}' but got {got}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_union(type_: Any) -> bool:
    origin = typing.get_origin(type_)
    return origin is typing.Union or getattr(origin, "__name__", "") == "UnionType"


def input_shape(args_type: type[object], state: Json) -> Json:
    """The part of an object of outputs that a user could have written as inputs."""
    known = properties(args_type)
    return {name: _shape(known[name], item) for name, item in state.items() if name in known and item is not None}


def _shape(type_: Any, value: Any) -> Any:
    for choice in alternatives(type_):
        origin = typing.get_origin(choice)
        if isinstance(value, dict) and isinstance(choice, type) and is_input_type(choice):
            return input_shape(choice, value)
        if isinstance(value, list) and origin is collections.abc.Sequence:
            return [_shape(typing.get_args(choice)[0], item) for item in value]
        if isinstance(value, dict) and origin is collections.abc.Mapping:
            return {name: _shape(typing.get_args(choice)[1], item) for name, item in value.items()}
        if isinstance(value, dict) and origin is collections.abc.Sequence:
            return sorted(value)  # a set of strings is a map in Azure's answer
    return value
