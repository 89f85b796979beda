"""Hashes and variables."""

from __future__ import annotations

from components.flow.common import digest, more_env


def test_a_hash_tells_texts_apart_by_where_they_end() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab", "c") == digest("ab", "c")
    assert len(digest("")) == 16


def test_variables_with_a_source_come_first_and_the_others_by_name() -> None:
    entry = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "one"}}}
    assert [each["name"] for each in more_env([entry], {"B": "1", "A": "2"})] == ["KEY", "A", "B"]
