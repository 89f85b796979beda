"""What a journal says about a run, and whether that is what was expected."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from sandbox.drill.result import Counts, Ending, Result, counts
from sandbox.drill.scenario import Cut, Expect, Kind
from sandbox.drill.verdict import red, work_left
from tests.drill.events import EVENTS, ONE

SOME = Cut(cut="some", because="a known fault")
LATE = Cut(cut=0, done="without load", because="the Service knows no old pods")


def test_the_first_step_divides_what_was_before_from_what_is_counted() -> None:
    found = counts(EVENTS)
    assert (found.alive, found.started, found.finished) == (2, 1, 2)
    assert [cut.session for cut in found.cuts] == [ONE]
    assert found.turned_away == Counter({"no room": 1})
    assert found.shortest == 40, "from 110 until the longer one's own end"


def test_without_a_step_nothing_is_counted_but_who_is_there() -> None:
    assert counts(EVENTS[:2]) == Counts(alive=2)


def result(kind: Kind, cut: bool, ending: Ending = Ending.UNDER_LOAD, error: str = "") -> Result:
    cuts = counts(EVENTS).cuts if cut else ()
    return Result("one", kind, Counts(alive=2, cuts=cuts), ending=ending, left=["Pod a: old"], error=error)


@pytest.mark.parametrize(
    ("expect", "found", "says"),
    [
        (Expect(), result(Kind.FRIENDLY, False), ""),
        (Expect(), result(Kind.FRIENDLY, True), "1 sessions were cut, and none was to be"),
        (Expect(friendly=SOME), result(Kind.FRIENDLY, True), ""),
        (Expect(friendly=SOME), result(Kind.FRIENDLY, False), "nothing was cut, though the file says it would"),
        (Expect(), result(Kind.BASELINE, False), "(a baseline must cut)"),
        (Expect(), result(Kind.BASELINE, True), ""),
        (Expect(), result(Kind.FRIENDLY, False, Ending.AFTER), "not done under load: Pod a: old"),
        (Expect(), result(Kind.HOSTILE, False, Ending.AFTER), ""),
        (Expect(), result(Kind.HOSTILE, False, Ending.NEVER), "not done even without clients: Pod a: old"),
        (Expect(), result(Kind.BASELINE, True, Ending.NEVER), ""),
        (Expect(), replace(result(Kind.HOSTILE, False), amiss=["pods are 1"]), "pods are 1"),
        (Expect(friendly=LATE), result(Kind.FRIENDLY, False, Ending.AFTER), ""),
        (Expect(friendly=LATE), result(Kind.FRIENDLY, False), "done under load, though the file says it would not be"),
        (Expect(friendly=LATE), result(Kind.FRIENDLY, False, Ending.NEVER), "not done under load: Pod a: old"),
        (Expect(), result(Kind.HOSTILE, False, error="it broke"), "it broke"),
        (Expect(), Result("one", Kind.FRIENDLY), "no session was alive"),
    ],
)
def test_what_is_red(expect: Expect, found: Result, says: str) -> None:
    assert says in red(expect, found)
    assert bool(says) == bool(red(expect, found))


def test_the_work_that_is_left_is_the_programs_own() -> None:
    assert work_left(Expect(friendly=SOME), Kind.FRIENDLY) == "a known fault"
    assert work_left(Expect(friendly=SOME), Kind.HOSTILE) == ""
    assert work_left(Expect(friendly=LATE), Kind.FRIENDLY) == "the Service knows no old pods"
    assert work_left(Expect(missing="it is not there"), Kind.HOSTILE) == "it is not there"
    assert work_left(Expect(missing="it is not there"), Kind.BASELINE) == ""
    assert work_left(Expect(baseline=SOME), Kind.BASELINE) == ""
    assert work_left(Expect(baseline=Cut(cut=0, because="of its grace")), Kind.BASELINE) == ""
