"""Property paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.kubernetes import paths

names = st.text(st.characters(categories=("L", "N"), include_characters='-_./"[] '), min_size=1)
steps = st.one_of(names, st.integers(0, 99))


@given(names.filter(lambda name: name != "*"), st.lists(steps.filter(lambda step: step != "*"), max_size=5))
def test_what_is_rendered_reads_back(first: str, rest: list[str | int]) -> None:
    path = (first, *rest)
    assert paths.parse(paths.render(path)) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("spec.replicas", ("spec", "replicas")),
        ('data["a.b"]', ("data", "a.b")),
        ('["a.b"].c', ("a.b", "c")),
        ("spec.ports[0].port", ("spec", "ports", 0, "port")),
        ("spec.containers[*].image", ("spec", "containers", "*", "image")),
        ('metadata.annotations["x.y/z"]', ("metadata", "annotations", "x.y/z")),
    ],
)
def test_the_ways_to_write_a_path(text: str, path: paths.Path) -> None:
    assert paths.parse(text) == path


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a[x]", 'a["b'])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="path"):
        paths.parse(text)


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("spec", "spec.replicas", True),
        ("spec.replicas", "spec.replicas", True),
        ("spec.replicas", "spec", False),
        ("spec.rep", "spec.replicas", False),
        ("spec.ports[*].port", "spec.ports[3].port", True),
        ("spec.ports[1].port", "spec.ports[3].port", False),
    ],
)
def test_a_path_covers_itself_and_what_lies_below(pattern: str, path: str, covered: bool) -> None:
    assert paths.covers(paths.parse(pattern), paths.parse(path)) is covered
