"""Redis with Sentinel on real processes: what is lost and how long it takes when a primary goes, or is told to go.

Run with `-s` it prints the numbers.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from stacks.clocks.outage import ELECTION_SECONDS
from tests.redis.load import Load
from tests.redis.nodes import Nodes, laid_out, programs, running, until
from tests.unit.graph import Json, run_program

NET = f"127.{64 + os.getpid() % 64}.{os.getpid() // 64 % 250}"
"""Addresses of this run alone."""

SHORT = 5000
"""Milliseconds of silence after which the primary counts as down, where the default, a minute, is not what is shown:
more than a busy machine makes a server silent for."""

Start = Callable[..., Nodes]


def sentinel(**more: object) -> Callable[[Json], None]:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {"redis": {"sentinel": {"enabled": True, **more}}}

    return change


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Nodes with these settings of Sentinel, running."""
    tools = programs(tmp_path / "programs")
    stack: list[object] = []

    def with_settings(**settings: object) -> Nodes:
        nodes = laid_out(run_program("sandbox", sentinel(**settings)), tmp_path, tools, NET)
        manager = running(nodes)
        stack.append(manager)
        return manager.__enter__()

    yield with_settings
    for manager in stack:
        manager.__exit__(None, None, None)  # type: ignore[attr-defined] # a context manager


def some(load: Load) -> None:
    """Until there are writes to lose."""
    before = time.monotonic()
    until(lambda: len(load.since(before)) > 500, 30, "500 acknowledged writes")


@pytest.mark.parametrize("settings", [{"downAfterMilliseconds": SHORT}, {}], ids=["five-seconds", "a-minute"])
def test_a_killed_primary_is_replaced_and_comes_back_as_a_replica_under_another_address(
    start: Start, settings: Json, record_property: Callable[[str, object], None]
) -> None:
    nodes = start(**settings)
    down_after = settings.get("downAfterMilliseconds", 60000) / 1000
    old = nodes.primary()
    assert old is not None
    assert old.name.endswith("-0")
    with Load(nodes) as load:
        some(load)
        killed = time.monotonic()
        old.kill()
        # by then its last answers have come in
        begun = time.monotonic()
        until(lambda: bool(load.since(begun)), down_after + ELECTION_SECONDS, "a write acknowledged by another primary")
        recovered = load.since(begun)[0] - killed
        some(load)
        nodes.move(old, f"{NET}.101")
        old.start()
        until(lambda: nodes.whole, 60, "the old primary follows the new one")
        some(load)
    new = nodes.primary()
    assert new is not None
    assert new is not old
    assert old.replication()["master_host"] == new.host
    lost = load.lost()
    print(f"\n{len(load.acknowledged)} acknowledged writes, {len(lost)} lost; recovered after {recovered:.1f} s")
    record_property("lost", len(lost))
    record_property("seconds", round(recovered, 1))
    # replication does not wait for replicas: what was on its way to them at the moment of the kill is lost, no more
    assert all(killed - 0.5 < at <= begun for at in lost.values()), "lost, though its replicas had time to copy it"


def test_nothing_is_lost_when_every_node_is_replaced_one_after_the_other(start: Start) -> None:
    nodes = start()
    with Load(nodes) as load:
        some(load)
        # the highest ordinal first, the next one when it is back: as a StatefulSet's rolling update
        for number, node in enumerate(reversed(nodes.each)):
            primary, begun = node.is_primary, time.monotonic()
            assert node.stop() == {"redis": 0, "sentinel": 0}
            stopped = time.monotonic() - begun
            until(lambda: len(load.since(time.monotonic() - 0.5)) > 0, ELECTION_SECONDS, "writes go on")
            nodes.move(node, f"{NET}.{111 + number}")
            node.start()
            until(lambda: nodes.whole, 60, f"{node.name} is back")
            print(f"\n{node.name} ({'primary' if primary else 'replica'}): stopped within {stopped:.1f} s")
            some(load)
    longest = max(after - before for before, after in pairwise(load.since(0)))
    print(f"{len(load.acknowledged)} acknowledged writes, longest time without one {longest:.1f} s")
    assert nodes.primary() is not nodes.each[0]
    assert load.lost() == {}
    assert longest < ELECTION_SECONDS


def test_after_a_stop_of_all_the_last_primary_is_the_primary(start: Start) -> None:
    nodes = start()
    with Load(nodes) as load:
        some(load)
        nodes.each[0].stop()
        until(lambda: nodes.primary() is not nodes.each[0], 20, "another primary")
        last = nodes.primary()
        before = time.monotonic()
        until(lambda: len(load.since(before)) > 500, 30, "writes the first node never sees")
    assert last is not None
    for node in nodes:
        node.kill()
    for node in nodes:
        node.start()
    until(lambda: nodes.whole, 90, "all are back")
    assert nodes.primary() is last
    assert load.lost() == {}


def test_a_primary_with_a_new_disk_does_not_empty_the_others(start: Start) -> None:
    nodes = start(downAfterMilliseconds=SHORT)
    old = nodes.primary()
    assert old is not None
    with Load(nodes) as load:
        some(load)
    old.kill()
    data = old.root / "data"
    for left in data.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    # at once: the sentinels still take it for the primary
    old.start()
    # its own one knows no replica: leading the fail-over, it would find nobody to promote
    until(lambda: bool(old.ask("PING", of="sentinel")), 60, "its sentinel takes part")
    assert nodes.each[1].ask("SENTINEL", "get-master-addr-by-name", "mymaster", of="sentinel")[0] != old.host
    until(lambda: nodes.whole, 60, "another node has taken over, and it follows")
    assert nodes.primary() is not old
    assert len(load.lost()) <= 5
    assert old.ask("DBSIZE") >= len(load.acknowledged) - 5


def test_a_primary_cut_off_from_its_replicas_takes_no_writes(start: Start) -> None:
    nodes = start()
    primary = nodes.primary()
    assert primary is not None
    for node in nodes:
        if node is not primary:
            node.kill()
    until(lambda: primary.ask("SET", "key", "x") is None, 15, "a write is refused")
    assert primary.ask("PING")
