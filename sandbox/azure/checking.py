"""What Check fills in and refuses: names made up, locations found, the SDK's types, Azure's name rules."""

from __future__ import annotations

import hashlib
import secrets
import uuid

from pulumi.runtime.proto import provider_pb2

from sandbox.azure import catalogue, differ, names, schema
from sandbox.azure.catalogue import AutoName, Kind
from sandbox.rpc import UNKNOWN, Json

_Autonaming = provider_pb2.CheckRequest.AutonamingOptions

CONFIGURATION = frozenset({"subscriptionId", "location", "tenantId", "version", "environment"})
"""The settings of a provider resource that mean something here."""

ENVIRONMENT = "public"
"""The one cloud that is played; the SDK fills it in where a program names none."""


def filled(
    kind: Kind, request: provider_pb2.CheckRequest, olds: Json, news: Json, default_location: str | None
) -> Json:
    """The inputs with what azure-native adds (provider.go, `applyDefaults`): name, location, API version."""
    inputs = dict(news)
    if inputs.get(kind.name_input) is None:
        _name(kind, request, olds, inputs)
    if inputs.get("location") is None and "location" in schema.properties(kind.args_type):
        location = olds.get("location") or default_location
        if location is not None:
            inputs["location"] = location
    inputs.setdefault("azureApiVersion", kind.api_version)
    return inputs


def _name(kind: Kind, request: provider_pb2.CheckRequest, olds: Json, inputs: Json) -> None:
    """Give the resource a name (provider.go, `getDefaultName`), marked when it was drawn at random."""
    logical, wanted = request.urn.split("::")[-1], kind.name_input
    random = True
    asked = request.autonaming.mode if request.HasField("autonaming") else None
    if wanted in olds:
        name, random = olds[wanted], bool(olds.get(differ.CREATE_BEFORE_DELETE))
    elif asked == _Autonaming.DISABLE:
        return
    elif asked == _Autonaming.ENFORCE or (asked == _Autonaming.PROPOSE and kind.naming is not AutoName.UUID):
        name = request.autonaming.proposed_name
    elif kind.naming is AutoName.COPY:
        name, random = logical, False
    else:
        seed = request.randomSeed or secrets.token_bytes(32)
        digest = hashlib.sha256(seed + request.urn.encode()).digest()
        name = (
            str(uuid.UUID(bytes=digest[:16], version=4)) if kind.naming is AutoName.UUID else logical + digest.hex()[:8]
        )
    inputs[wanted] = name
    if random:
        inputs[differ.CREATE_BEFORE_DELETE] = True


def problems(kind: Kind, news: Json, inputs: Json) -> list[tuple[str, str]]:
    """Everything wrong with a resource's inputs: (path, reason). `news` is what the program gave."""
    found = schema.check(kind.args_type, news)
    if inputs.get(kind.name_input) is None:
        found.append((kind.name_input, f"missing required property '{kind.name_input}'"))
    if "location" in schema.properties(kind.args_type) and inputs.get("location") is None:
        found.append(
            (
                "location",
                "missing required property 'location'. Set it explicitly, or on the provider "
                "(an explicit provider does not read azure-native:location)",
            )
        )
    if not found:
        found = names.check(kind.label, inputs)
    return found


def credential_problems(args: Json) -> list[tuple[str, str]]:
    """What is wrong with the arguments of listManagedClusterUserCredentials."""
    known = {"resourceGroupName", "resourceName", "format", "serverFqdn"}
    found = [(name, f"unknown argument '{name}'") for name in args if name not in known]
    found += [
        (name, f"missing required property '{name}'")
        for name in ("resourceGroupName", "resourceName")
        if not isinstance(args.get(name), str) or args[name] == UNKNOWN
    ]
    if args.get("format") not in (None, "azure", "exec"):
        found.append(("format", f"'format' is {args['format']!r}, which is none of azure, exec"))
    return found


def input_shape(kind: Kind, state: Json, inputs: Json) -> Json:
    """Azure's answer as the user could have written it; subnets only where the user wrote them inline."""
    shaped = schema.input_shape(kind.args_type, state)
    if kind is catalogue.VIRTUAL_NETWORK and "subnets" not in inputs:
        shaped.pop("subnets", None)
    return shaped


def imported(kind: Kind, resource_id: str, state: Json) -> Json:
    """The inputs of a resource that is read for the first time."""
    readable = schema.input_shape(kind.args_type, state)
    for name in ("id", "name", "type", "etag", "provisioningState"):
        if name not in kind.path_inputs and kind is not catalogue.AGENT_POOL:
            readable.pop(name, None)
    return readable | kind.parse_id(resource_id) | {"azureApiVersion": kind.api_version}


def without_nulls(value: Json) -> Json:
    """The object without keys whose value is null, all the way down."""
    cleaned: Json = {}
    for name, item in value.items():
        if isinstance(item, dict):
            cleaned[name] = without_nulls(item)
        elif isinstance(item, list):
            cleaned[name] = [without_nulls(one) if isinstance(one, dict) else one for one in item]
        elif item is not None:
            cleaned[name] = item
    return cleaned
