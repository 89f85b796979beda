"""Hashes and variables."""

from __future__ import annotations

from components.flow.common import digest, with_env


def test_a_hash_tells_texts_apart_by_where_they_end() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab", "c") == digest("ab", "c")
    assert len(digest("")) == 16


def test_variables_with_a_source_come_first_and_the_others_by_name() -> None:
    entry = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "one"}}}
    assert [each["name"] for each in with_env([], [entry], {"B": "1", "A": "2"})] == ["KEY", "A", "B"]


def test_a_name_stands_once_and_the_controllers_stay_last() -> None:
    own, last = [{"name": "A", "value": "own"}, {"name": "B", "value": "own"}], [{"name": "Z", "value": "last"}]
    assert with_env(own, [{"name": "C", "value": "1"}], {"A": "given", "C": "2"}, last) == [
        {"name": "B", "value": "own"},
        {"name": "C", "value": "2"},
        {"name": "A", "value": "given"},
        {"name": "Z", "value": "last"},
    ]
