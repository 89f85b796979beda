"""The journal: what is written can be read, in order; clients ask for the same by the same seed."""

from __future__ import annotations

import itertools
from pathlib import Path

from sandbox.sessions.clients import Client, Demand
from sandbox.sessions.journal import Began, Event, Finished, Journal, Left, Step, TurnedAway, WasCut, read
from sandbox.sessions.model import Cut, Hop, Kind, Role, Session

HOP = Hop(Role.TRANSCRIBER, "speech", "t1", "u1", 24, "containerd://1")
SESSION = Session(7, Kind.FLOW, "en", 10.5, 3.25, (HOP, Hop(Role.VLLM, "speech", "llm", "u2")))
EVENTS: list[Event] = [
    Step(1.0, "up"),
    Began(10.5, SESSION),
    TurnedAway(11.0, Kind.TRANSCRIPTION, "cmn_en", "no room", "up"),
    WasCut(12.0, Cut(SESSION, HOP, "node lost", "up", 12.0)),
    Finished(13.0, 8),
    Left(14.0, 2),
]


def test_what_is_written_is_read_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "journal.jsonl"
    with Journal(path) as journal:
        for event in EVENTS[:3]:
            journal.write(event)
        assert list(read(path)) == EVENTS[:3], "at once, not when it is closed"
    with Journal(path) as journal:
        for event in EVENTS[3:]:
            journal.write(event)
        assert journal.cuts == [Cut(SESSION, HOP, "node lost", "up", 12.0)]
    assert list(read(path)) == EVENTS


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for event in EVENTS:
            journal.write(event)
    path.write_text(path.read_text()[:-5])
    assert list(read(path)) == EVENTS[:-1]


def test_the_seed_decides_what_a_client_asks_for() -> None:
    demand = Demand(mean=600, longest=1200, languages=("en", "de"), flow=0.3, seed=5)

    def asked(seed: int, number: int) -> list[tuple[Kind, str, float]]:
        client = Client(Demand(600, 1200, ("en", "de"), 0.3, seed), number)
        return [client.next() for _ in range(50)]

    assert asked(5, 1) == asked(5, 1)
    assert asked(5, 1) != asked(5, 2)
    assert asked(5, 1) != asked(6, 1)
    drawn = [one for number in range(40) for one in asked(demand.seed, number)]
    assert max(length for _, _, length in drawn) == demand.longest
    assert {language for _, language, _ in drawn} == {"en", "de"}
    # 2,000 draws: a share of 0.3 has a standard deviation of 0.01
    assert 0.25 < sum(kind is Kind.FLOW for kind, _, _ in drawn) / len(drawn) < 0.35
    # an exponential cut off at twice its mean: mean x (1 - e^-2) = 519 s, with a deviation of some 9 s
    later = list(itertools.chain.from_iterable(asked(demand.seed, number)[1:] for number in range(40)))
    assert 480 < sum(length for _, _, length in later) / len(later) < 560
