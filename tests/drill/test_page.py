"""What was seen of each run is kept, and makes the page."""

from __future__ import annotations

from pathlib import Path

from sandbox.drill import page, seen
from sandbox.drill.result import Ending, Result, counts
from sandbox.drill.scenario import Cut, Expect, Kind, Scenario, chosen
from tests.drill.events import EVENTS

(ONE,) = chosen(["transcriber-image"]).values()
LEFT = ONE.model_copy(update={"expect": Expect(hostile=Cut(cut="some", because="a step of ours"), missing="a command")})
SCENARIOS: dict[str, Scenario] = {"image": LEFT, "other": ONE}


def result(name: str, kind: Kind) -> Result:
    return Result(name, kind, counts(EVENTS), 61.4, 12.2, Ending.UNDER_LOAD)


def kept(name: str, kind: Kind, day: str) -> seen.Seen:
    return seen.of(result(name, kind), SCENARIOS.get(name, ONE), 60, 1, day)


def test_the_last_run_of_each_kind_is_kept_and_what_has_no_scenario_goes(tmp_path: Path) -> None:
    path = tmp_path / "seen.yaml"
    assert seen.read(path) == {}
    old, gone = kept("image", Kind.BASELINE, "2026-01-01"), kept("gone", Kind.FRIENDLY, "2026-01-01")
    seen.add([old, gone], {**SCENARIOS, "gone": ONE}, path)
    new, hostile = kept("image", Kind.BASELINE, "2026-01-02"), kept("image", Kind.HOSTILE, "2026-01-02")
    assert seen.add([new, hostile], SCENARIOS, path)["image"] == {"hostile": hostile, "baseline": new}
    assert seen.read(path) == {"image": {"hostile": hostile, "baseline": new}}


def test_the_page_has_each_run_what_cut_and_what_is_left() -> None:
    found = {"other": {"friendly": kept("other", Kind.FRIENDLY, "2026-01-02")}}
    text = page.text(SCENARIOS, found)
    (row,) = (line for line in text.splitlines() if line.startswith("| `other` | friendly | 2 "))
    assert row.endswith("| 2026-01-02, factor 60, seed 1 |")
    assert "RED: 1 sessions were cut" in row
    assert "| `other` | friendly | 1 cut, transcriber: node lost (up: image) |\n" in text
    assert "| `image` | a command |\n| `image` | a step of ours |\n" in text


def test_the_page_is_fresh() -> None:
    assert page.FILE.read_text() == page.text(chosen([]), seen.read()), "python -m sandbox.drill --page"


def test_every_run_of_every_scenario_was_seen_and_none_was_red() -> None:
    """Else the table would have holes: `python -m sandbox.drill NAME --write`."""
    found = seen.read()
    assert {name: set(runs) for name, runs in found.items()} == {
        name: {kind.value for kind in each.kinds} for name, each in chosen([]).items()
    }
    red = [each.row for runs in found.values() for each in runs.values() if each.row[-1].startswith("RED")]
    assert not red
