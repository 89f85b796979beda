"""What `make bench` compares: the stack, the flat program's objects, and how a goal is judged."""

from __future__ import annotations

import pytest

from tests.bench import flat, stack
from tests.bench.__main__ import verdicts
from tests.bench.measure import Time
from tests.seed_languages import SEED_LANGUAGES, SEED_RECIPES
from tests.unit.graph import Graph, Json, run_program


def test_the_seeds_lists_have_55_languages_in_four_recipes() -> None:
    assert [len(spoken) for spoken in SEED_RECIPES.values()] == [13, 14, 14, 14]
    assert len(set(SEED_LANGUAGES)) == 55


@pytest.mark.parametrize("count", [0, 56])
def test_there_are_no_other_numbers_of_languages(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 55"):
        stack.languages(count)


def test_only_the_servers_of_the_languages_are_switched_on() -> None:
    config: Json = {
        "sm-realtime:global": {"licensing": {}},
        "sm-realtime:pools": {role: [{}] for role in ("services", "inference", "transcribers")},
    }
    stack.configure(config, 14)
    assert config["sm-realtime:global"]["transcriber"]["languages"][-1] == "bg"
    assert "sm-realtime:inferenceServerEnhancedRecipe2" in config
    assert "sm-realtime:inferenceServerEnhancedRecipe3" not in config


@pytest.fixture(scope="module")
def three() -> Graph:
    return run_program("sandbox", lambda config: stack.configure(config, 3))


def test_the_flat_program_has_every_object_and_nothing_else(three: Graph) -> None:
    described = flat.described(three)
    assert {each["name"] for each in described} == {each.name for each in three.resources if each.custom}
    groups = [each["name"] for each in described if each["type"].endswith(":SessionGroup")]
    assert len(groups) == 4


def test_it_can_be_registered_in_one_loop(three: Graph) -> None:
    """Whatever an object needs stands before it."""
    known: set[str] = set()
    for each in flat.described(three):
        assert set(each["dependsOn"]) <= known
        assert not each["provider"] or each["provider"] in known
        known.add(each["name"])


def test_what_the_recording_made_up_is_a_reference() -> None:
    ids = {"a-id": "a"}
    assert flat.referring({"x": ["a-id", {"y": "b-id"}]}, ids) == {"x": [{"$id": "a"}, {"y": "b-id"}]}


def times(*cpu: float) -> dict[int, Time]:
    return {count: Time(seconds, seconds, seconds) for count, seconds in zip((1, 10, 32, 55), cpu, strict=True)}


@pytest.mark.parametrize(
    ("ours", "met"),
    [
        ((10.0, 10.9, 13.1, 15.4), [True, True, True, True, True]),
        ((13.1, 14.0, 16.2, 18.5), [False, True, True, True, True]),
        ((10.0, 10.9, 13.1, 17.0), [True, True, True, True, False]),
    ],
)
def test_a_goal_is_met_or_it_is_not(ours: tuple[float, ...], met: list[bool]) -> None:
    assert [each for each, _ in verdicts(times(*ours), times(10.0, 10.9, 13.1, 15.4))] == met
