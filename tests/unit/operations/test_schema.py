"""The JSON schema of a stack file, by a validator of its own: what the loader takes passes, what it refuses fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from operations.keys import Kind, keys
from operations.schema import FILE, stack_schema, text
from stacks.problem import PROJECT
from stacks.schema import SECRET_KEYS, Settings
from tests.unit.cases import CASES, ERRORS, HAPPY, Json, merged, name, removed
from tests.unit.graph import CHECKOUT, STACKS
from tests.yaml_file import read_yaml

VALIDATOR = Draft202012Validator(stack_schema())
BUILT_IN = set(get_args(ErrorType))
"""What pydantic finds by types and constraints, and a schema can say too; the rest are functions of ours."""

INSIDE = {"proxy-agent-list.error.wrong-type", "proxy-template.error.missing"}
"""Cases whose wrong part lies where the loader looks further than a schema can: what may be an object or text (an
agent's file, the templates of Flow)."""


def sections(case: Json) -> Json:
    document: Json = merged(read_yaml(CASES / "base.yaml"), case.get("config") or {})
    for path in case.get("remove", ()):
        removed(document, path)
    return document


def stack_file(case: Json) -> Json:
    """A case as the file it would be."""
    config: Json = {f"{PROJECT}:{key}": value for key, value in sections(case).items()}
    config |= {f"{PROJECT}:{key}": {"secure": "v1:made:up"} for key in case.get("secrets", {})}
    config |= {f"{PROJECT}:{key}": value for key, value in case.get("clear", {}).items()}
    return {"config": {**config, **case.get("other", {})}, "encryptionsalt": "v1:made:up"}


def errors(document: Any) -> list[str]:
    return [f"{list(each.absolute_path)}: {each.message}" for each in VALIDATOR.iter_errors(document)]


def test_it_is_a_schema_and_fresh() -> None:
    Draft202012Validator.check_schema(stack_schema())
    assert FILE.read_text() == text(), "run: python -m operations schema --write"


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_passes_and_names_the_schema(stack: str) -> None:
    file = CHECKOUT / "stacks" / f"Pulumi.{stack}.yaml"
    assert errors(read_yaml(file)) == []
    assert file.read_text().startswith(f"# yaml-language-server: $schema={FILE.name}\n")


@pytest.mark.parametrize("path", HAPPY, ids=name)
def test_a_right_case_passes(path: Path) -> None:
    assert errors(stack_file(read_yaml(path))) == []


def schema_errors(case: Json) -> set[str]:
    """Error types of a case that are of the schema's kind; secrets in clear are too."""
    found = {"clear"} if case.get("clear") else set()
    try:
        Settings.model_validate_json(json.dumps(sections(case)))
    except ValidationError as error:
        found |= {each["type"] for each in error.errors()} & BUILT_IN
    return found


@pytest.mark.parametrize("path", ERRORS, ids=name)
def test_a_case_that_is_wrong_in_the_schemas_way_fails(path: Path) -> None:
    case = read_yaml(path)
    wrong = bool(schema_errors(case)) and name(path) not in INSIDE
    assert not wrong or errors(stack_file(case))


def test_there_are_error_cases_that_are_the_schemas() -> None:
    """Most are not: they are about two keys together, or about what a schema has no word for."""
    cases = [read_yaml(path) for path in ERRORS]
    assert sum(bool(schema_errors(case)) for case in cases) >= 60


def test_a_value_that_is_the_only_one_is_said_so() -> None:
    fixed = [key for key in keys() if key.kind in (Kind.FIXED, Kind.INERT) and isinstance(key.default, bool)]
    assert fixed
    for key in fixed:
        section: Any = not key.default
        for part in reversed(key.path.split(".")):
            section = {part: section}
        assert errors(stack_file({"config": section})), key.path


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_secret_is_encrypted_or_refused(key: str) -> None:
    assert errors(stack_file({"secrets": {key: ""}})) == []
    assert errors(stack_file({"clear": {key: "made up"}}))


@pytest.mark.parametrize("key", ["azure-native:location", "sm-realtime:pol", "location"])
def test_a_key_that_nothing_reads_fails(key: str) -> None:
    document = stack_file({})
    assert errors(document) == []
    assert errors({**document, "config": {**document["config"], key: "x"}})


def test_every_definition_has_a_name_of_its_own() -> None:
    """Of two classes with one name both get their module's before it, and an editor shows that."""
    assert [name for name in stack_schema()["$defs"] if "__" in name] == []


def test_every_key_is_described_for_the_editor() -> None:
    """Also where a section is written out beside its place, laid over its default."""
    definitions = stack_schema()["$defs"]

    def undescribed(schema: Any, path: str) -> list[str]:
        if isinstance(schema, list):
            return [each for item in schema for each in undescribed(item, path)]
        if not isinstance(schema, dict):
            return []
        found = []
        for key, each in schema.get("properties", {}).items():
            options = [each, *each.get("anyOf", ()), definitions.get(each.get("$ref", "").rpartition("/")[2], {})]
            if path and not any("description" in option for option in options):
                found.append(f"{path}.{key}")
        return found + [each for key, part in schema.items() for each in undescribed(part, f"{path}.{key}")]

    assert undescribed(definitions, "$defs") == []
