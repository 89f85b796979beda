"""The configuration's models: every key described, strict, frozen, and in the seed's spelling."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.base import SHAPES
from stacks.schema.own import SessionSettings
from stacks.schema.transcriber_container import SpeakerKeys
from tests.unit.graph import CHECKOUT

SPELLING = (
    "[a-z][A-Za-z0-9]*|(ensemble|lm)_[a-z]{2}|CPUFactor|"
    "agent_id|deadline_duration|log_only|warning_count|warning_interval|model_list|model_name|llm_params|api_key"
)
"""camelCase, and the seed's own exceptions: keys that the vendor's services read themselves."""


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for each in parts(field.annotation):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from models(each, seen)


def parts(annotation: Any) -> Iterator[Any]:
    """A type and every type it is made of."""
    yield annotation
    for each in getattr(annotation, "__args__", ()):
        yield from parts(each)


MODELS = sorted(models(Settings, set()), key=lambda model: model.__name__)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__name__))
def test_every_field_is_described_and_spelt_as_the_seed_would(model: type[BaseModel]) -> None:
    """The keys of speakers are named as in their Secret."""
    assert model.__doc__
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name}"
        assert re.fullmatch(SPELLING, field.alias or name) or model is SpeakerKeys, f"{model.__name__}.{name}"
    assert model.model_config["frozen"] is True
    assert model.model_config["strict"] is True
    assert model.model_config["extra"] == "forbid"


def test_secrets_are_no_fields() -> None:
    assert not SECRET_KEYS.keys() & {field.alias or name for name, field in Settings.model_fields.items()}


def test_settings_cannot_be_changed_after_loading() -> None:
    settings = SessionSettings()
    with pytest.raises(ValidationError):
        settings.max_duration_seconds = 60  # type: ignore[misc] # that it cannot be set is what is tested


def test_the_schema_needs_nothing_of_ours() -> None:
    for path in (CHECKOUT / "stacks" / "schema").rglob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        ours = {m for m in imported if m.partition(".")[0] in ("stacks", "components", "sandbox", "operations")}
        assert not [m for m in ours if not m.startswith("stacks.schema")], path.name


def patterns(schema: Any) -> Iterator[str]:
    """Every pattern in a JSON schema, of values and of a map's keys."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        properties = schema.get("patternProperties", {})
        yield from properties
        for each in schema.values():
            yield from patterns(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from patterns(each)


def test_every_pattern_has_words_for_an_error() -> None:
    found = set(patterns(Settings.model_json_schema()))
    assert len(found) > 20
    assert found - SHAPES.keys() == set()
