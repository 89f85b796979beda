"""What the program itself says of an object in the API server, by the server's own record of who owns which field."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
MANAGER = "pulumi-kubernetes"
"""How the names of the provider's field managers begin."""


def owned(obj: Json) -> Json:
    """The object, pruned to the fields that the provider applied; what the server filled in is not among them."""
    identity = {key: obj["metadata"][key] for key in ("name", "namespace") if key in obj["metadata"]}
    found: Json = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    for entry in obj["metadata"].get("managedFields", []):
        if entry["operation"] == "Apply" and entry["manager"].startswith(MANAGER):
            found |= _picked(obj, entry["fieldsV1"])
    return found | {"metadata": found.get("metadata", {}) | identity}


def _picked(value: Any, fields: Json) -> Any:
    below = {key: each for key, each in fields.items() if key != "."}
    if isinstance(value, dict) and (below or "." in fields):
        return {key[2:]: _picked(value[key[2:]], each) for key, each in below.items() if key[2:] in value}
    if isinstance(value, list) and below:
        return [_picked_item(item, below) for item in value if _key_of(item, below) is not None]
    return value


def _key_of(item: Any, fields: Json) -> str | None:
    """The field that stands for this item of a list: by its keys (`k:`) or by its value (`v:`)."""
    for field in fields:
        wanted = json.loads(field[2:])
        if field.startswith("k:") and isinstance(item, dict) and wanted.items() <= item.items():
            return field
        if field.startswith("v:") and item == wanted:
            return field
    return None


def _picked_item(item: Any, fields: Json) -> Any:
    key = _key_of(item, fields)
    return _picked(item, fields[key]) if key is not None else item
