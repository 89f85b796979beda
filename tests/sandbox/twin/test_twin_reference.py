"""The twin's reference page: every field of the CRD has a row, and every row a test that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sandbox.twin.objects import crd

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
PAGE = CHECKOUT / "docs" / "reference" / "twin.md"
ROW = re.compile(r"^\| `((?:spec|status)\.[\w.]+)` \|.*\| `(test_\w+)` \|$", re.MULTILINE)
WHOLE = {"spec.selector", "spec.template"}
"""Objects the twin takes as one field."""


def fields(schema: dict[str, Any], path: str) -> Iterator[str]:
    properties = schema.get("properties")
    if properties is None or path in WHOLE:
        yield path
    else:
        for name, below in properties.items():
            yield from fields(below, f"{path}.{name}")


def test_every_field_of_the_crd_has_a_row_and_every_row_a_test() -> None:
    rows = dict(ROW.findall(PAGE.read_text()))
    root = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    assert set(rows) == {field for part in ("spec", "status") for field in fields(root[part], part)}
    written = "\n".join(path.read_text() for path in HERE.glob("test_twin_*.py"))
    assert [test for test in rows.values() if f"def {test}(" not in written] == []


def test_every_event_the_twin_writes_is_named() -> None:
    source = "\n".join(path.read_text() for path in (CHECKOUT / "sandbox" / "twin").glob("*.py"))
    called = r'(?:obj, "(?:Normal|Warning)", |Refuse\(|RefusedError\(\s*)"([A-Z]\w+)"'
    assert set(re.findall(called, source)) == set(re.findall(r"`([A-Z]\w+)`", PAGE.read_text().split("## Events")[1]))
