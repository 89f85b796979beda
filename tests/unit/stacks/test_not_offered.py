"""The list of what is refused on purpose and the schema say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from stacks.misplaced import SERVERS, section_of
from stacks.schema import Settings

PAGE = (Path(__file__).resolve().parents[3] / "docs/reference/not-offered.md").read_text()
ROWS = re.findall(r"^\| `([^`]+)` \| (?:`([^`]+)`|its own) \| (.+) \|$", PAGE, re.MULTILINE)


def keys(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key of the schema by its path."""
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path, field
        section = section_of(field.annotation)
        if section is not None:
            yield from keys(section, f"{path}.")


def refusal(field: FieldInfo, value: object) -> str | None:
    """What the schema says to a value, or nothing."""
    annotation: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    try:
        TypeAdapter(annotation).validate_python(value, strict=True)
    except ValidationError as error:
        return error.errors()[0]["msg"]
    return None


def only_values() -> dict[str, tuple[str, str]]:
    """Keys with one value: the value, and what the schema says to another one."""
    found = {}
    for path, field in keys(Settings):
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            (value,) = get_args(field.annotation)
            found[path] = (str(value).lower() if isinstance(value, bool) else str(value), "")
        elif field.annotation is bool:
            for value in (True, False):
                said = refusal(field, value)
                if said is not None:
                    found[path] = (str(not value).lower(), said)
    return found


def test_every_key_with_one_value_is_listed_and_every_listed_key_has_one() -> None:
    of_schema = {re.sub(f"^({'|'.join(SERVERS)})\\.", "<server>.", path) for path in only_values()}
    assert {path for path, _, _ in ROWS} == of_schema


def test_the_list_has_the_value_and_the_reason_of_the_schema() -> None:
    values = only_values()
    for listed, value, reason in ROWS:
        for path in [listed.replace("<server>", server) for server in SERVERS] if "<server>" in listed else [listed]:
            wanted, said = values[path]
            assert value in (wanted, ""), path
            assert said in ("", f"should be {wanted}: {reason}"), path
