"""The JSON schema of a whole stack file, for editors: completion, descriptions, and what is wrong while it is typed.

What a schema cannot say (whether an address range has host bits, rules between two keys) is said by the program.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from stacks.misplaced import PROVIDERS, SEED_SECRETS
from stacks.problem import PROJECT
from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.paths import section_of
from stacks.schema.workload import LAID_OVER

Json = dict[str, Any]

FILE = Path(__file__).resolve().parents[1] / "stacks" / "schema.json"

OF_PULUMI = {
    "secretsprovider": "What encrypts the secrets of this stack; written by `pulumi stack init`.",
    "encryptedkey": "The key of this stack's secrets, itself encrypted; written by `pulumi stack init`.",
    "encryptionsalt": "Salt of the passphrase of this stack's secrets; written by `pulumi stack init`.",
}
"""Keys of a stack file beside its configuration."""


def stack_schema() -> Json:
    """The schema of `stacks/Pulumi.<stack>.yaml`."""
    settings = _closed(Settings.model_json_schema(by_alias=True))
    _with_defaults(settings)
    _with_empty_secrets(settings)
    definitions = settings["$defs"]
    properties = {f"{PROJECT}:{key}": _loose(each, definitions) for key, each in settings["properties"].items()}
    definitions = {name: _loose(each, definitions) for name, each in definitions.items()}
    secure = {"type": "string", "description": "Encrypted by `pulumi config set --secret`."}
    for key, description in SECRET_KEYS.items():
        properties[f"{PROJECT}:{key}"] = {
            "description": f"Secret: {description}. Set by `pulumi config set --secret {key}`.",
            "type": "object",
            "properties": {"secure": secure},
            "required": ["secure"],
            "additionalProperties": False,
        }
    others = "|".join((PROJECT, *PROVIDERS))
    config = {
        "type": "object",
        "description": "The configuration of the stack.",
        "properties": properties,
        "patternProperties": {f"^(?!({others}):)[a-z][-a-z0-9]*:.+": {}},
        "required": [f"{PROJECT}:{key}" for key in settings["required"]],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of the Speechmatics real-time platform on Azure",
        "type": "object",
        "properties": {
            "config": config,
            **{key: {"type": "string", "description": text} for key, text in OF_PULUMI.items()},
        },
        "required": ["config"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _closed(schema: Any) -> Any:
    """Without titles, which only repeat the keys, and with no key in a map but those of its pattern."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _named(each) if key in ("properties", "$defs") else _closed(each) for key, each in schema.items()}
    if isinstance(kept.get("title"), str):
        del kept["title"]
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return kept


def _named(schemas: Json) -> Json:
    """Schemas by name, of which one may be called `title`."""
    return {name: _closed(each) for name, each in schemas.items()}


def _with_defaults(schema: Json) -> None:
    """Defaults that a function makes, which pydantic leaves out."""
    for model in _models(Settings, {}).values():
        shown = schema if model is Settings else schema["$defs"].get(model.__name__, {})
        for name, field in model.model_fields.items():
            if field.default_factory is not None and section_of(field.annotation) is None:
                value = field.get_default(call_default_factory=True)
                shown["properties"][field.alias or name]["default"] = to_jsonable_python(value, by_alias=True)


def _with_empty_secrets(schema: Json) -> None:
    """The chart's own places of secrets, which may hold no more than its empty default."""
    for path, secret in SEED_SECRETS.items():
        *above, last = path.split(".")
        section: Json | None = schema
        for part in above:
            section = schema["$defs"].get(_target(section, part)) if section else None
        if section:
            text = f"Empty: the secret itself is the flat key `{secret.key}`."
            section["properties"].setdefault(last, {"enum": ["", None], "description": text})


def _target(section: Json, part: str) -> str:
    return str(section["properties"].get(part, {}).get("$ref", "")).rpartition("/")[2]


def _models(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    found[model.__name__] = model
    for each in _sections(model):
        if each.__name__ not in found:
            _models(each, found)
    return found


def _sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for field in model.model_fields.values():
        inner = section_of(field.annotation)
        if inner is not None:
            yield inner


def _loose(schema: Any, definitions: Json) -> Any:
    """Sections that are laid over their default, with every key left out or null as one likes."""
    if isinstance(schema, list):
        return [_loose(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get(LAID_OVER):
        rest = {key: value for key, value in schema.items() if key not in ("$ref", LAID_OVER)}
        return {**_partial({"$ref": schema["$ref"]}, definitions), **rest}
    return {key: _loose(each, definitions) for key, each in schema.items()}


def _partial(schema: Json, definitions: Json) -> Json:
    if "$ref" in schema:
        found = deepcopy(definitions[schema["$ref"].rpartition("/")[2]])
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    if "properties" not in schema:
        return schema
    below = {name: _or_null(_partial(each, definitions)) for name, each in schema["properties"].items()}
    return {key: value for key, value in {**schema, "properties": below}.items() if key != "required"}


def _or_null(schema: Json) -> Json:
    return schema if any(each.get("type") == "null" for each in schema.get("anyOf", ())) else {
        "anyOf": [schema, {"type": "null"}]
    }  # fmt: skip


def text() -> str:
    """The file as it should be."""
    return json.dumps(stack_schema(), indent=1, ensure_ascii=False) + "\n"
