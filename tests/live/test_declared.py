"""Pruning a live object to what was declared."""

from __future__ import annotations

import pytest

from tests.live.declared import pruned


@pytest.mark.parametrize(
    ("live", "declared", "left"),
    [
        ({"a": 1, "filled": 2}, {"a": 9}, {"a": 1}),
        ({"filled": 2}, {"a": 9}, {}),
        ({"m": {"a": 1, "b": 2}}, {"m": {"b": 0}}, {"m": {"b": 2}}),
        ([{"name": "b", "x": 1, "y": 2}], [{"name": "b", "x": 0}], [{"name": "b", "x": 1}]),
        ([{"name": "b"}, {"name": "injected", "x": 1}], [{"name": "b"}], [{"name": "b"}, {"name": "injected", "x": 1}]),
        ([{"key": 1, "filled": 2}], [{"key": 0}], [{"key": 1}]),
        ([1, 2], [1], [1, 2]),
        ({"a": 1}, {"a": 1, "none": {}, "gone": {"b": 1}}, {"a": 1, "none": {}}),
    ],
)
def test_what_was_not_declared_is_left_out_and_what_somebody_added_to_a_list_stays(
    live: object, declared: object, left: object
) -> None:
    assert pruned(live, declared) == left
