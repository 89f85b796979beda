"""The report: table, JSON and picture."""

from __future__ import annotations

import io
from xml.etree import ElementTree

from rich.console import Console

from sandbox.drill import report
from sandbox.drill.picture import LETTERS, RED, course, picture
from sandbox.drill.result import Ending, Result, counts
from sandbox.drill.scenario import Cut, Expect, Kind
from sandbox.sessions.journal import Step
from sandbox.sessions.model import Role
from tests.drill.events import EVENTS, ONE

RESULTS = [
    Result("image", Kind.FRIENDLY, counts(EVENTS), 61.4, 12.2, Ending.UNDER_LOAD),
    Result("image", Kind.HOSTILE, counts(EVENTS[:3]), 99.0, 12.0, Ending.AFTER, ("Pod a: old",)),
]
EXPECTS = {"image": Expect(friendly=Cut(cut="some", because="work that is left"))}


def test_the_table_has_a_row_for_each_run() -> None:
    out = io.StringIO()
    Console(file=out, width=300).print(report.table(RESULTS, EXPECTS))
    _, friendly, hostile = out.getvalue().splitlines()
    assert " ".join(friendly.split()) == "image friendly 2 1 2 1 1 61 s 40 s 12 s work that is left"
    assert (
        " ".join(hostile.split()) == "image hostile 2 0 0 0 0 99 s, once no client came any more 40 s 12 s as expected"
    )


def test_a_red_run_says_so_in_its_row() -> None:
    assert report.row(RESULTS[0], Expect())[-1] == "RED: 1 sessions were cut, and none was to be"


def test_the_document_has_every_cut_with_session_pod_reason_and_step() -> None:
    document = report.document(RESULTS, EXPECTS, seed=7, factor=60)
    assert (document["seed"], document["timeFactor"]) == (7, 60)
    ((cut,), none) = (run["cuts"] for run in document["runs"])
    assert (cut["session"], cut["hop"]["pod"], cut["reason"], cut["step"]) == (1, "rt-old", "node lost", "up: image")
    assert none == []


def test_what_cut_is_told_with_how_often() -> None:
    assert report.causes(RESULTS) == ["image, friendly: 1 cut, transcriber: node lost (up: image)"]


def test_a_course_counts_the_sessions_on_each_pod() -> None:
    traces = course(EVENTS).traces[Role.TRANSCRIBER]
    assert traces["old"].points == [(0, 1), (1, 2), (15, 1), (21, 0)]
    assert traces["new"].points == [(12, 1), (17, 0)]


def test_the_picture_marks_steps_and_cuts() -> None:
    drawn = ElementTree.fromstring(picture("a < title", {"friendly": EVENTS, "baseline": EVENTS[:3]}))
    texts = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert "a < title" in texts
    assert "friendly: 1 cut" in texts
    assert "baseline: 0 cut" in texts
    assert texts.count("1  10 s  up: image") == 2
    assert [e.get("stroke") for e in drawn.iter()].count(RED) == len([ONE])


def test_a_step_with_many_words_stays_in_its_column_and_close_ones_share_a_number() -> None:
    events = [Step(100.0, "x" * 200), Step(100.1, "right after it"), Step(200.0, "the end")]
    drawn = ElementTree.fromstring(picture("title", {"friendly": [*EVENTS[:1], *events]}))
    texts = [element.text or "" for element in drawn.iter() if element.tag.endswith("text")]
    assert [len(text) for text in texts if "xx" in text] == [LETTERS]
    assert "2  0 s  right after it" in texts
    assert {"1", "3"} <= set(texts)
    assert "2" not in texts
