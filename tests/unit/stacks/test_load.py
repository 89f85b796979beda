"""The loader on every case file: what is right loads with these values, what is wrong is refused with these words."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from stacks.clocks import Code
from stacks.ending import REFUSED
from stacks.field_errors import CODES
from stacks.load import load, read
from stacks.misplaced import SEED_SECRETS
from stacks.problem import Problem, report
from stacks.schema import Settings
from stacks.schema.base import DnsLabel, only
from stacks.schema.paths import ANY_KEY, places
from tests.unit.cases import CASES, ERRORS, HAPPY, Json, given, name
from tests.unit.graph import CHECKOUT, configured, stack_config
from tests.yaml_file import read_yaml


def at(settings: Any, path: str) -> Any:
    for part in path.split("."):
        settings = settings.get(part) if isinstance(settings, dict) else getattr(settings, part)
    return list(settings) if isinstance(settings, tuple) else settings


@pytest.mark.parametrize("path", HAPPY, ids=name)
def test_a_right_configuration_loads(path: Path) -> None:
    case = read_yaml(path)
    settings, problems = read(*given(case))
    assert problems == []
    assert {key: at(settings, key) for key in case["settings"]} == case["settings"]


@pytest.mark.parametrize("path", ERRORS, ids=name)
def test_a_wrong_configuration_is_refused_with_path_code_reason_and_mend(path: Path) -> None:
    case = read_yaml(path)
    settings, problems = read(*given(case))
    assert settings is None
    found = sorted(problems, key=lambda problem: problem.path)
    wanted = sorted(case["problems"], key=lambda problem: str(problem["path"]))
    assert [(p.path, p.code) for p in found] == [(w["path"], w["code"]) for w in wanted]
    for problem, words in zip(found, wanted, strict=True):
        assert words["says"]
        assert words["says"] in problem.reason
        assert words["mend"] == problem.mend
    assert path.name.split(".")[2] in {problem.code for problem in problems}
    if "never" in case:
        assert case["never"] not in report("sandbox", problems)


def reason_codes() -> set[str]:
    """Every code the loader and the rules can give: the second argument of each `Problem`, and those of the schema."""
    loader = [CHECKOUT / "stacks" / name for name in ("load.py", "field_errors.py", "misplaced.py", "secrets.py")]
    modules = [*loader, *(CHECKOUT / "stacks" / "rules").glob("*.py")]
    calls = [node for path in modules for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    problems = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Problem"]
    literal = {each.args[1].value for each in problems if isinstance(each.args[1], ast.Constant)}
    return {str(code) for code in literal} | set(CODES.values()) | {code.value for code in Code} | {"wrong-type"}


def test_there_are_cases_for_every_reason_code() -> None:
    covered = {path.name.split(".")[2] for path in ERRORS}
    assert covered == reason_codes()
    assert len(ERRORS) >= 40


@pytest.mark.parametrize("path", SEED_SECRETS)
def test_a_secret_at_the_seeds_place_is_refused_with_the_command(path: str) -> None:
    """Unless it is empty text, which is the seed's own default."""

    def found(value: str) -> list[Problem]:
        section: Any = value
        for part in reversed(path.split(".")):
            section = {part: section}
        return [each for each in read(*given({"config": section}))[1] if each.path == path]

    key, file, _ = SEED_SECRETS[path]
    (problem,) = found("bWFkZSB1cA==")
    assert problem.code == "secret-in-clear"
    assert f"pulumi config rm --path '{path}'" in problem.mend
    assert f"pulumi config set --secret {key} < {file}" in problem.mend
    assert "bWFkZSB1cA==" not in report("sandbox", [problem])
    assert found("") == []


@pytest.mark.parametrize("path", [path.replace(ANY_KEY, "a") for path in places("tag")])
def test_an_unquoted_tag_is_refused_wherever_one_can_stand(path: str) -> None:
    section: Json = {"tag": 1.1}
    for part in reversed(path.split(".")[:-1]):
        section = {part: section}
    _, problems = read(*given({"config": section}))
    (problem,) = (each for each in problems if each.code == "unquoted-number")
    assert problem.path == path
    assert problem.mend == 'write it in quotes in the stack file: tag: "..."'


def loaded(path: Path) -> Settings:
    settings, problems = read(*given(read_yaml(path)))
    assert settings is not None, problems
    return settings


@dataclass(frozen=True)
class Key:
    """One key of a configuration."""

    path: str
    """With `[]` for the items of a list and `<key>` for those of a map."""
    field: FieldInfo
    is_set: bool
    is_changed: bool


def keys(section: BaseModel, above: str = "") -> Iterator[Key]:
    """Every key, those in lists and maps too."""
    for field_name, field in type(section).model_fields.items():
        path, value = f"{above}{field.alias or field_name}", getattr(section, field_name)
        way, items = f"{path}.", [value]
        if isinstance(value, tuple):
            way, items = f"{path}[].", list(value)
        elif isinstance(value, dict):
            way, items = f"{path}.{ANY_KEY}.", list(value.values())
        inner = [each for each in items if isinstance(each, BaseModel)]
        changed = bool(inner) or value != field.get_default(call_default_factory=True)
        yield Key(path, field, field_name in section.model_fields_set, changed)
        for each in inner:
            yield from keys(each, way)


def test_every_key_of_the_schema_is_set_by_the_case_with_everything() -> None:
    found = list(keys(loaded(CASES / "everything.happy.yaml")))
    assert {each.path for each in found} - {each.path for each in found if each.is_set} == set()


def one_value(field: FieldInfo) -> bool:
    """Whether a key takes its default only: no other value is taken, and one is refused for being another one.

    Where the type is null, none is of its type.
    """
    default: Any = field.get_default(call_default_factory=True)
    kinds = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
    members: list[Any] = [member.value for kind in kinds if issubclass(kind, Enum) for member in kind]
    others = (
        [not default]
        if isinstance(default, bool)
        else members or [1, 2, "other", ["other"], {"other": "one"}, {"en:other": 1}]
    )
    annotated: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    taken: TypeAdapter[Any] = TypeAdapter(annotated)
    refused = False
    for other in others:
        if other == default and type(other) is type(default):
            continue
        try:
            taken.validate_json(json.dumps(other))
        except ValidationError as error:
            said = {each["type"] for each in error.errors()}
            refused = refused or bool(said & {"literal_error", "not_allowed", "none_required"})
            continue
        return False
    return refused


@pytest.mark.parametrize(
    ("annotation", "default", "only_one"),
    [
        (Annotated[int, only(8080, "fixed")], 8080, True),
        (Annotated[int, only(1, "the candidate itself")], 1, True),
        (Annotated[dict[str, str], only({}, "none")], {}, True),
        (Annotated[dict[str, Any] | None, only(None, "none")], None, True),
        (Annotated[tuple[str, ...], only((), "none")], (), True),
        (type(None), None, True),
        (Literal["rt"], "rt", True),
        (Annotated[bool, only(False, "off")], False, True),
        (int, 1, False),
        (tuple[str, ...], (), False),
        (str | None, None, False),
        (DnsLabel, "name", False),
        (Annotated[str, Field(pattern="^[0-9]+$")], "1", False),
        (Annotated[int, Field(gt=5)], 6, False),
        (dict[str, str], {}, False),
        (bool, False, False),
    ],
)
def test_a_key_of_one_value_is_told_from_others(annotation: Any, default: Any, only_one: bool) -> None:
    assert one_value(FieldInfo.from_annotated_attribute(annotation, default)) is only_one


def test_every_key_that_can_have_another_value_has_one_in_a_case() -> None:
    """In the case with everything, or where it would switch the rest off, in another one."""
    found = [each for case in HAPPY for each in keys(loaded(case))]
    changed = {each.path for each in found if each.is_changed}
    assert {each.path for each in found if each.path not in changed and not one_value(each.field)} == set()


def test_a_report_names_the_file_and_says_that_nothing_happened() -> None:
    text = report("sandbox", [Problem("b", "two", "because", "do that"), Problem("a", "one", "why", "do this")])
    assert text.splitlines()[0] == "stacks/Pulumi.sandbox.yaml has 2 problems; nothing was changed."
    assert text.index("sm-realtime:a  [one]") < text.index("sm-realtime:b  [two]")


def test_the_program_ends_with_one_message_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    monkeypatch.setattr("pulumi.log.error", said.append)
    monkeypatch.setattr("pulumi.get_stack", lambda: "sandbox")
    with configured({"sm-realtime:redis": '{"sise": 1}'}, []), pytest.raises(SystemExit) as ended:
        load()
    assert ended.value.code == REFUSED == 32
    (text,) = said
    assert "redis.sise  [unknown-key]" in text
    assert "azure  [missing]" in text
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("stack", ["sandbox", "staging", "production"])
def test_every_stack_file_is_right(stack: str) -> None:
    settings, problems = read(*stack_config(stack))
    assert problems == []
    assert settings is not None
