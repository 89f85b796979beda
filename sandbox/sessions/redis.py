"""Which node of a Redis with Sentinel is the primary, and since when it does not answer. Pure.

A real fail-over is played by its clock alone: nobody asks how many sentinels are up, and a node that hands over before
it stops takes as long as one that dies.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.hosted.host import Json
from sandbox.sessions.objects import Pod

_MONITOR = re.compile(r"^sentinel monitor \S+ \S+ \d+ \d+$", re.MULTILINE)
_DOWN_AFTER = re.compile(r"^sentinel down-after-milliseconds \S+ (\d+)$", re.MULTILINE)
_FAIL_OVER = re.compile(r"^sentinel failover-timeout \S+ (\d+)$", re.MULTILINE)
DEFAULT_DOWN_AFTER, DEFAULT_FAIL_OVER = 30.0, 180.0
"""Seconds of a Sentinel that is told nothing (redis/redis: `sentinel.c`)."""


@dataclass(frozen=True)
class Sentinel:
    """How long the sentinels wait, in seconds of this machine's clock."""

    down_after: float
    """Before a primary that is silent counts as down."""
    fail_over: float
    """For a fail-over, once it has begun."""


@dataclass(frozen=True)
class Elected:
    """Which node the sentinels call the primary."""

    primary: str = ""
    """Its uid; empty: no node has been seen yet."""
    away: float | None = 0.0
    """Since when it is not Ready (seconds since the epoch); None: it answers."""
    over: float = math.inf
    """When the fail-over that this began is over, as things are."""
    nodes: frozenset[str] = frozenset()
    """Uids of all nodes."""


def sentinels(redis: Iterable[Pod], config_maps: Sequence[Json], factor: float) -> dict[str, Sentinel]:
    """The clocks of each pod that runs with Sentinel, by its uid: a ConfigMap that it mounts says them."""
    texts = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): "\n".join((each.get("data") or {}).values())
        for each in config_maps
    }
    found = {}
    for pod in redis:
        text = "\n".join(texts.get((pod.namespace, name), "") for name in pod.mounts)
        if _MONITOR.search(text):
            down_after = _seconds(_DOWN_AFTER, text, DEFAULT_DOWN_AFTER)
            fail_over = _seconds(_FAIL_OVER, text, DEFAULT_FAIL_OVER)
            found[pod.uid] = Sentinel(down_after / factor, fail_over / factor)
    return found


def _seconds(pattern: re.Pattern[str], text: str, default: float) -> float:
    found = pattern.search(text)
    return int(found[1]) / 1000 if found else default


def elected(
    before: Elected | None,
    nodes: Sequence[Pod],
    ready: Collection[str],
    clocks: Mapping[str, Sentinel],
    now: float,
) -> Elected | None:
    """Who is the primary now; None: there is no Redis with Sentinel.

    `before` is the last answer, `nodes` the pods with a sentinel, `ready` the uids of pods that take calls, `clocks`
    those of each node, `now` seconds since the epoch. At first it is node 0, as `sentinel.conf` has it; a primary that
    is Ready again before it counts as down stays one; when a fail-over is over the first other Ready node is it.
    """
    if before is None and not nodes:
        return None
    uids = frozenset(each.uid for each in nodes)
    known = dataclasses.replace(before or Elected(), nodes=uids)
    by_ordinal = sorted(nodes, key=lambda each: (len(each.name), each.name))
    if not known.primary and by_ordinal:
        known = Elected(by_ordinal[0].uid, None, nodes=uids)
    if known.away is None:
        return known if known.primary in ready else _down(known, clocks, now)
    if known.primary in ready and now < known.away + _longest(clocks).down_after:
        return Elected(known.primary, None, nodes=uids)
    if now < known.over:
        return known
    up = [each.uid for each in by_ordinal if each.uid in ready]
    others = [uid for uid in up if uid != known.primary]
    return Elected((others or up)[0], None, nodes=uids) if up else known


def _down(known: Elected, clocks: Mapping[str, Sentinel], now: float) -> Elected:
    longest = _longest(clocks)
    return dataclasses.replace(known, away=now, over=now + longest.down_after + longest.fail_over)


def _longest(clocks: Mapping[str, Sentinel]) -> Sentinel:
    """Of nodes that were told different things the longest counts; of none, what a Sentinel does by itself."""
    return Sentinel(
        max((each.down_after for each in clocks.values()), default=0.0),
        max((each.fail_over for each in clocks.values()), default=0.0),
    )
