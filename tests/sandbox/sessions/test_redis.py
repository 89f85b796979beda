"""When Redis is away: without Sentinel while no primary is Ready, with it until a fail-over is over."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from sandbox.sessions.model import Role
from sandbox.sessions.objects import Pod
from sandbox.sessions.redis import Elected, Sentinel, elected, sentinels
from sandbox.sessions.view import View
from tests.sandbox.sessions import objects
from tests.sandbox.sessions.views import SPACE, including, nodes, pod, whole, workload

CLOCKS = Sentinel(down_after=60, fail_over=180)
T = 1_000.0


def node(number: int, life: str = "", **given: object) -> Pod:
    """A node with Sentinel; another `life` is another pod of the same name."""
    made = pod(f"redis-node-{number}", objects.redis_node(), **given)  # type: ignore[arg-type]
    return dataclasses.replace(made, uid=made.uid + life)


class Play:
    """The answers, one after the other, each from the one before."""

    def __init__(self) -> None:
        self.elected: Elected | None = None

    def primary(self, now: float, *there: Pod) -> str | None:
        """Uid of the primary that answers when these nodes are there; None: nobody does."""
        ready = {each.uid for each in there if each.takes_calls}
        self.elected = elected(self.elected, there, ready, {each.uid: CLOCKS for each in there}, now)
        return self.elected.primary if self.elected and self.elected.away is None else None


ALL = (node(0), node(1), node(2))
UNREADY = (node(0, ready=False), node(1), node(2))
TOLD = (node(0, stopping=("2026-11-27T12:00:00Z", 30)), node(1), node(2))
GONE = (node(1), node(2))
BACK = (node(0, "-2"), node(1), node(2))


def test_node_0_is_the_first_primary() -> None:
    assert Play().primary(T, node(10), node(2), node(0), node(1)) == "uid-redis-node-0"
    assert Play().primary(T, *GONE) == "uid-redis-node-1", "its pod is not there yet"
    assert Play().primary(T, *UNREADY) is None, "it is the primary all the same"
    assert Play().primary(T) is None


@pytest.mark.parametrize("without", [UNREADY, TOLD, GONE], ids=["unready", "told to stop", "gone"])
def test_a_primary_that_goes_is_missed_until_a_fail_over_is_over(without: tuple[Pod, ...]) -> None:
    play = Play()
    assert play.primary(T, *ALL) == "uid-redis-node-0"
    assert play.primary(T, *without) is None, "though others are Ready"
    assert play.primary(T + 239, *without) is None
    assert play.primary(T + 240, *without) == "uid-redis-node-1"
    assert play.primary(T + 241, *BACK) == "uid-redis-node-1", "who was elected stays the primary"


def test_another_node_that_goes_is_not_missed() -> None:
    play = Play()
    play.primary(T, *ALL)
    assert play.primary(T, node(0), node(1, ready=False)) == "uid-redis-node-0"


def test_a_pod_under_the_primarys_name_is_not_the_primary() -> None:
    play = Play()
    play.primary(T, *ALL)
    play.primary(T, *TOLD)
    assert play.primary(T + 30, *BACK) is None, "it does not know yet who is"
    assert play.primary(T + 240, *BACK) == "uid-redis-node-0-2", "the first node that is Ready"


def test_a_primary_that_is_back_before_it_counts_as_down_stays_the_primary() -> None:
    play = Play()
    play.primary(T, *ALL)
    play.primary(T, *UNREADY)
    assert play.primary(T + 59, *ALL) == "uid-redis-node-0"
    play.primary(T + 100, *UNREADY)
    assert play.primary(T + 160, *ALL) is None, "the others choose another one by now"
    assert play.primary(T + 340, *ALL) == "uid-redis-node-1"


def test_without_a_ready_node_it_stays_away() -> None:
    play = Play()
    play.primary(T, *ALL)
    none = tuple(dataclasses.replace(each, ready=False) for each in ALL)
    assert play.primary(T, *none) is None
    assert play.primary(T + 9_999, *none) is None
    assert play.primary(T + 10_000, none[0], none[1], node(2)) == "uid-redis-node-2"
    alone = Play()
    alone.primary(T, node(0))
    assert alone.primary(T, *UNREADY[:1]) is None
    assert alone.primary(T + 240, node(0)) == "uid-redis-node-0", "there is no other"


def test_the_clocks_are_those_of_the_map_that_the_nodes_mount() -> None:
    maps = [objects.redis_configuration(SPACE, 60_000, 180_000)]
    assert sentinels([node(0)], maps, 60.0) == {"uid-redis-node-0": Sentinel(1, 3)}
    assert sentinels([pod("r", objects.redis())], maps, 60.0) == {}, "it mounts none"
    other = [objects.redis_configuration("elsewhere", 60_000, 180_000)]
    assert sentinels([node(0)], other, 60.0) == {}
    maps[0]["data"]["sentinel.conf"] = "sentinel monitor mymaster redis-node-0 6379 2\n"
    assert sentinels([node(0)], maps, 1.0) == {"uid-redis-node-0": Sentinel(30, 180)}, "Sentinel's own"
    # what this program's scripts say of the file is not the file
    maps[0]["data"]["sentinel.conf"] = Path("components/cluster/redis_scripts.py").read_text()
    assert sentinels([node(0)], maps, 1.0) == {}


def deployed(*redis: Pod, who: Elected | None = None) -> View:
    made = workload("StatefulSet", "redis", objects.redis())
    view = including(whole(), *redis, elected=who, nodes=nodes("n1"))
    return dataclasses.replace(view, workloads={**view.workloads, made.uid: made})


def test_without_sentinel_only_the_primary_answers() -> None:
    follower = pod("redis-replicas-0", objects.redis("redis-server", "--replicaof", "redis-master-0", "6379"))
    primary = pod("redis-master-0", objects.redis())
    assert not deployed(primary, follower).away(Role.REDIS)
    assert deployed(pod("redis-master-0", objects.redis(), ready=False), follower).away(Role.REDIS)
    assert deployed(follower).away(Role.REDIS), "however many follow"
    assert not whole(follower).away(Role.REDIS), "none is deployed here"


def test_with_sentinel_only_the_elected_answers() -> None:
    uids = frozenset(each.uid for each in ALL)
    assert not deployed(*ALL, who=Elected("uid-redis-node-1", None, nodes=uids)).away(Role.REDIS)
    assert deployed(*ALL, who=Elected("uid-redis-node-1", T, nodes=uids)).away(Role.REDIS)
    assert deployed(*GONE, who=Elected("uid-redis-node-0", None, nodes=uids)).away(Role.REDIS)
    beside = pod("redis-master-0", objects.redis())
    away = Elected("uid-redis-node-0", T, math.inf, uids)
    assert not deployed(*ALL, beside, who=away).away(Role.REDIS), "another Redis answers"
