"""What `make bench` compares: the stack, the flat program's objects, and how a goal is judged."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

import pytest

from sandbox.languagehost.forked import PLACE
from tests.bench import flat, stack
from tests.bench.__main__ import verdicts
from tests.bench.measure import Preview, Program, Runs, Time, in_pairs, times
from tests.bench.steps import steps
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


def test_a_program_that_is_timed_is_not_forked_by_the_plane(tmp_path: Path) -> None:
    """It would not be counted. An engine that only says whether it could be."""
    engine = tmp_path / "pulumi"
    engine.write_text(f'#!/bin/sh\necho "+ ${{{PLACE}:-7}} to create"\n')
    engine.chmod(0o755)
    assert Program(tmp_path, {"PATH": str(tmp_path), PLACE: "1"}).preview("any")[1] == 7


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


SIZES = (1, 10, 32, 55)


def curve(base: float, of_language: float, of_pair: float = 0.0) -> list[float]:
    """Totals that grow with the number of languages, and with its square."""
    return [base + of_language * count + of_pair * count**2 for count in SIZES]


def runs(cpu: list[float], spread: float = 0.02) -> dict[int, Runs]:
    """Five runs of each, half of them off the middle by at least `spread`."""
    off = (-2 * spread, -spread, 0.0, spread, 2 * spread)
    return {
        count: Runs(tuple(Time(seconds + each, seconds + each) for each in off))
        for count, seconds in zip(SIZES, cpu, strict=True)
    }


def judged(ours: list[float], steps: list[float] | None = None, spread: float = 0.02) -> list[bool | None]:
    """Steps, the four sizes, the cost of a language."""
    counted = {count: round(each) for count, each in zip(SIZES, steps or curve(450_000, 37_000), strict=True)}
    return [met for met, _ in verdicts(counted, runs(ours, spread), runs(curve(10.0, 0.03)))]


def test_the_error_of_a_median_is_that_of_many_medians() -> None:
    """Of runs of a normal distribution with a deviation of 1 s, by drawing them."""
    dice = random.Random(1)
    drawn = [Runs(tuple(Time(0.0, dice.gauss(100, 1)) for _ in range(25))) for _ in range(400)]
    told = statistics.mean(each.cpu_error for each in drawn)
    assert told == pytest.approx(statistics.stdev(each.cpu for each in drawn), rel=0.15)


def test_a_machine_that_changes_its_speed_changes_both_of_a_pair() -> None:
    """It slows down within the third pair; the medians of the two sides would be 0.4 times apart."""
    ours = Runs(tuple(Time(1.2 * each, 1.1 * each) for each in (1, 1, 1, 3, 3)))
    wall, cpu = times(ours, Runs(tuple(Time(each, each) for each in (1, 1, 3, 3, 3))))
    assert wall == pytest.approx(1.2)
    assert cpu == pytest.approx(1.1)


def test_pairs_take_turns_and_no_side_is_always_the_first() -> None:
    order: list[str] = []

    def preview(name: str) -> Preview:
        def run() -> Time:
            order.append(name)
            return Time(len(order), 0.0)

        return run

    taken = in_pairs([(preview("a"), preview("b")), (preview("c"), preview("d"))], 2)
    assert "".join(order) == "abcd" + "abcd" + "badc"
    assert [each.wall for each in taken[0][0].taken] == [5, 10]
    assert [each.wall for each in taken[1][1].taken] == [8, 11]


@pytest.mark.parametrize(
    ("ours", "met"),
    [
        (curve(10.0, 0.02), [True] * 6),
        ([10.02, 10.19, 10.66, 11.07], [True] * 6),  # the same, off by the noise of a measurement
        (curve(15.0, 0.02), [True, False, False, False, False, True]),
        (curve(10.0, 0.0, 0.0004), [True] * 5 + [False]),
        (curve(10.0, 0.02, 0.0004), [True] * 5 + [False]),  # half of it grows
        (curve(10.0, 0.05, -0.0004), [True] * 5 + [False]),  # the first ones are dearer
        ([10.02, 10.65, 10.64, 11.1], [True] * 5 + [False]),  # the second interval costs nothing
    ],
)
def test_a_goal_is_met_or_it_is_not(ours: list[float], met: list[bool]) -> None:
    assert judged(ours) == met


def test_runs_too_far_apart_show_nothing_and_say_so() -> None:
    assert judged(curve(10.0, 0.02), spread=0.2) == [True] * 5 + [None]
    said = verdicts({}, runs(curve(10.0, 0.02), 0.2), runs(curve(10.0, 0.03)))[-1][1]
    assert "would not show" in said


@pytest.mark.parametrize(
    ("steps", "met"),
    [
        (curve(450_000, 37_000), True),
        (curve(450_000, 37_000, 2), True),  # less than languages differ from each other
        (curve(450_000, 37_000, 20), False),
        (curve(450_000, 37_000, -20), False),
    ],
)
def test_steps_that_grow_with_the_languages_are_seen(steps: list[float], met: bool) -> None:
    assert judged(curve(10.0, 0.02), steps)[0] is met


def test_a_verdict_has_the_number_of_every_interval() -> None:
    said = verdicts({1: 100, 10: 190, 32: 410}, runs(curve(10.0, 0.02)), runs(curve(10.0, 0.03)))
    assert said[0][1].endswith("10 from 1 to 10, 10 from 10 to 32")
    assert "20 ms from 1 to 10, 20 ms from 10 to 32, 20 ms from 32 to 55" in said[-1][1]


def test_a_language_more_is_the_same_number_of_steps() -> None:
    """But for the few that tell which of two tasks came first."""
    counted = steps((2, 5, 8))
    assert counted[8] - counted[5] == pytest.approx(counted[5] - counted[2], rel=0.001)
    assert counted[5] > counted[2]
