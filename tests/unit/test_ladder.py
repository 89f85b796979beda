"""The rows of the rungs that are put back are the ladder of clocks, whole; their page is fresh; its tests exist."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from operations.clocks import defaults
from sandbox.drill.ladder import page, rows, seen
from sandbox.drill.ladder.rows import Place as Field
from stacks.clocks import Place, Rung, ladder
from stacks.load import fields
from tests.unit.graph import CHECKOUT

ROWS = {row.rung: row for row in rows.read().rungs}

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "flow": {"flow": {"enabled": True}},
    "limited": {"flow": {"enabled": True, "config": {"ce": {"conversationLimit": {"enabled": True}}}}},
    "other-controller": {"ingress": {"enabled": False}, "proxy": {"ingress": {"ingressClassName": "other"}}},
    "sentinel": {"resourceManager": {"redis": {"sentinel": {"enabled": True}}}},
}
"""Between them every rung there can be."""


def rungs(name: str) -> tuple[Rung, ...]:
    settings, problems = fields(defaults(**CONFIGURATIONS[name]), [])
    assert settings is not None, problems
    return ladder(settings)


def test_every_rung_has_a_row_and_every_row_is_a_rung() -> None:
    found = {each.name for name in CONFIGURATIONS for each in rungs(name)}
    assert len(found) > 20
    assert set(ROWS) == found


def covers(field: Field, place: Place) -> bool:
    whole = not field.field or field.field == place.field
    return field.kind == place.kind and fnmatchcase(place.name, field.name) and whole


@pytest.mark.parametrize("rung", rungs("flow"), ids=lambda rung: rung.name)
def test_what_is_put_back_is_the_rungs_every_field_and_nothing_else(rung: Rung) -> None:
    places = ROWS[rung.name].places
    assert [place.text for place in rung.places if not any(covers(each, place) for each in places)] == []
    assert [each for each in places if not any(covers(each, place) for place in rung.places)] == []


def test_a_rung_that_is_said_to_be_nowhere_has_no_field() -> None:
    found = [each for name in CONFIGURATIONS for each in rungs(name) if ROWS[each.name].nowhere]
    assert {each.name for each in found} == {"limit of a conversation", "another ingress controller"}
    assert not any(each.places for each in found)


def test_guards_leave_the_rungs_own_field_alone() -> None:
    """Else the run without the rung put back would be the same as the one with it."""
    found = rows.read()
    for row in found.rungs:
        own: set[tuple[str, tuple[str, ...]]] = {(each.kind, each.field) for each in row.places}
        assert not own & {(each.kind, each.field) for each in found.taken_away(row)}, row.rung


@pytest.mark.parametrize("test", sorted({test for row in ROWS.values() for test in row.edge}))
def test_a_test_on_a_real_nginx_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert re.search(rf"^async def {name}\(", (CHECKOUT / path).read_text(), re.MULTILINE)


def test_the_page_is_fresh() -> None:
    assert page.FILE.read_text() == page.text(rows.read(), seen.read()), "python -m sandbox.drill.ladder --page"


def test_what_was_seen_is_what_the_rows_say_is_red() -> None:
    for rung, found in seen.read().items():
        red = ROWS[rung].red
        assert red is not None
        assert found.cut.get(red.cut, 0) > 0 or red.gave_up in found.gave_up, rung
