"""What remains of a refused configuration: what is right as it is read, and nothing in the place of what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from stacks.load import fields, read
from stacks.problem import Problem
from stacks.remains import Contents, remains
from stacks.rules import check
from stacks.schema import Settings
from stacks.schema.base import Section, UnreadError
from stacks.schema.paths import ANY_KEY
from stacks.schema.session_groups import ScalingOverride
from tests.unit.cases import CASES, SCALARS, Json, given, merged
from tests.unit.stacks.test_load import keys, loaded
from tests.yaml_file import read_yaml

EVERYTHING = CASES / "everything.happy.yaml"


def document(**over: Any) -> Json:
    found: Json = merged(read_yaml(CASES / "base.yaml"), over)
    return found


def test_what_is_right_is_read_as_ever() -> None:
    """With a fault in the deepest list, all the rest of the case with everything is the same."""
    config, _ = given(read_yaml(EVERYTHING))
    whole = {key.partition(":")[2]: text for key, text in config.items()}
    values = {key: text if key in SCALARS else json.loads(text) for key, text in whole.items()
              if key in {field.alias or name for name, field in Settings.model_fields.items()}}  # fmt: skip
    rest, right = remains(values, [("pools", "services", 0, "maxCount")]), loaded(EVERYTHING)
    assert rest.pools.services[0].min_count == right.pools.services[0].min_count
    assert rest.pools.inference == right.pools.inference
    for made, read_whole in (
        (rest, right),
        (rest.pools, right.pools),
        (rest.pools.services[0], right.pools.services[0]),
    ):
        assert made.model_fields_set == read_whole.model_fields_set
    for name in Settings.model_fields.keys() - {"pools"}:
        assert getattr(rest, name) == getattr(right, name), name


ASKED: list[Callable[[Any], Any]] = [
    lambda pool: pool.max_count,
    lambda pool: hasattr(pool, "max_count"),
    lambda pool: getattr(pool, "max_count", 3),
    dict,
    lambda pool: pool.model_dump(),
    lambda pool: pool == pool.model_copy(),
]


@pytest.mark.parametrize("ask", ASKED)
def test_nothing_stands_in_for_what_is_wrong(ask: Callable[[Any], Any]) -> None:
    """Asked for by name, or with all the others."""
    settings = remains(document(), [("pools", "services", 0, "maxCount")])
    assert settings.pools.services[0].number == 1
    with pytest.raises(UnreadError):
        ask(settings.pools.services[0])
    with pytest.raises(UnreadError):
        settings.pools.model_dump()


@pytest.mark.parametrize(
    ("fault", "unread"),
    [
        (("pools", "further", "web"), "pools.further"),  # an entry of a map: who looks through it would miss one
        (("pools", "further", "none", "role"), "pools.further"),
        (("global", "transcriber", "languages", 1), "global_.transcriber.languages"),
        (("transcribers", "sessionGroups", "replicas"), "transcribers.session_groups.replicas"),
        (("azure",), "azure"),
    ],
)
def test_an_item_is_missed_by_nobody(fault: tuple[str | int, ...], unread: str) -> None:
    web = {"role": "services", "generations": [{"number": 1, "state": "active", "kubernetesVersion": "1.35.4"}]}
    here: Any = remains(document(pools={"further": {"web": web}}), [fault])
    *above, last = unread.split(".")
    for part in above:
        here = getattr(here, part)
    with pytest.raises(UnreadError):
        getattr(here, last)


def test_a_name_that_is_no_field_is_a_mistake_of_ours() -> None:
    with pytest.raises(AttributeError):
        _ = ScalingOverride().no_such_field  # type: ignore[attr-defined]


def test_secrets_of_which_nothing_is_known_are_neither_there_nor_not() -> None:
    some = Contents(["registryPassword"], ["licenseJson"])
    assert "registryPassword" in some
    assert "redisUrl" not in some
    for ask in (lambda: "licenseJson" in some, lambda: list(some), lambda: len(some)):
        with pytest.raises(UnreadError):
            ask()
    assert list(Contents(["redisUrl"], [])) == ["redisUrl"]


def test_a_rule_is_heard_until_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(settings: Settings, _: object) -> Iterator[Problem]:
        yield Problem("a", "one", "why", "do")
        if settings.azure.location:
            yield Problem("b", "two", "why", "do")

    monkeypatch.setattr("stacks.rules.RULES", (rule,))
    assert [each.path for each in check(remains(document(), []), ())] == ["a", "b"]
    assert [each.path for each in check(remains(document(), [("azure", "location")]), ())] == ["a"]


WRONG: tuple[Any, ...] = (None, [], {}, "made up", -7, 1.5, True, ["made up"], [{"made": "up"}], {"made": "up"})
THEIRS = ("nput should", "valid ", "tuple", "dictionary", "instance", "Value error", "Field required", "permitted")


def one_of_each_kind() -> list[str]:
    """A path for each type that the schema has for a key, checks of one kind being alike."""
    found = {}
    for each in keys(loaded(EVERYTHING)):
        if "[]" not in each.path and ANY_KEY not in each.path and each.path not in SCALARS:
            found[str(each.field.annotation), *(type(check).__name__ for check in each.field.metadata)] = each.path
    return sorted(found.values())


@pytest.mark.parametrize("path", one_of_each_kind())
def test_a_value_of_another_form_is_told_in_our_words_and_stops_no_rule(path: str) -> None:
    """Of every type a key: whatever stands there, it is told, and everything else is still looked at.

    Values that are wrong at the same places leave the same settings to the rules, which look at them once.
    """
    seen = set()
    for value in WRONG:
        section = value
        for part in reversed(path.split(".")):
            section = {part: section}
        config = given({"config": section})
        problems = fields(*config)[1]
        places = frozenset((each.path, each.code, each.mend) for each in problems)
        if not problems or places not in seen:
            seen.add(places)
            problems = read(*config)[1]
        for problem in problems:
            assert not [each for each in THEIRS if each in problem.reason], problem


def test_the_schema_has_no_section_that_is_made_otherwise() -> None:
    """Every field of a right configuration is in it, so nobody ever asks for one that could not be read."""

    def whole(value: Any) -> Iterator[Section]:
        inside: Iterable[Any] = value if isinstance(value, tuple) else ()
        if isinstance(value, Section):
            yield value
            inside = value.__dict__.values()
        elif isinstance(value, dict):
            inside = value.values()
        for each in inside:
            yield from whole(each)

    assert all(type(each).model_fields.keys() <= each.__dict__.keys() for each in whole(loaded(EVERYTHING)))
