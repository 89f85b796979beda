"""Clients against the real API server: held, placed, counted, cut, and written down."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter, defaultdict

from sandbox.kube import Json, Kube
from sandbox.sessions.counts import PERIOD, Counts
from sandbox.sessions.journal import Began, Finished, Left, TurnedAway, read
from sandbox.sessions.model import Hop, Role
from tests.sandbox.sessions import objects
from tests.sandbox.sessions.world import SESSIONS, Platform, until

SIGTERM = "did not survive SIGTERM"


async def test_every_pod_of_the_path_says_how_many_sessions_it_holds(platform: Platform) -> None:
    await platform.install(transcribers=2, capacity=2, proxies=1)
    async with platform.traffic(3) as traffic:
        await traffic.written()
        assert await platform.sessions() == {"ingress": "3", "proxy-0": "3", "triton": "3", "t0": "2", "t1": "1"}
    assert await platform.sessions() == {}, "they leave with their player"
    assert next(event for event in platform.journal.events if isinstance(event, Left)).sessions == 3
    assert list(read(platform.home.root / "journal.jsonl")) == platform.journal.events


async def test_the_number_is_held_while_sessions_come_and_go(platform: Platform) -> None:
    platform.settings(time_factor=60)
    await platform.install(transcribers=5, capacity=4)
    async with platform.traffic(0, mean=60, longest=120) as traffic:
        traffic.hold(20)

        def finished() -> list[Finished]:
            return [event for event in platform.journal.events if isinstance(event, Finished)]

        await until(lambda: len(finished()) >= 100, "100 sessions have finished")
        began = {e.session.id: e for e in platform.journal.events if isinstance(e, Began)}
        assert len(began) - len(finished()) == traffic.alive
        for event in finished():
            session = began[event.session].session
            assert session.length <= 2.0, "two minutes, sixty times as fast"
            assert event.at >= session.ends - 0.01, "not before its time"
        traffic.hold(5)
        await until(lambda: traffic.alive <= 5, "those above the number leave")
        traffic.hold(0)
        await until(lambda: traffic.alive == 0, "all leave when their sessions are over")
        await traffic.written()
        assert await platform.sessions() == {}
    assert platform.cuts == []
    assert not [event for event in platform.journal.events if isinstance(event, TurnedAway)]


async def test_a_pod_is_written_at_most_once_in_half_a_second(platform: Platform) -> None:
    platform.settings(time_factor=60)
    await platform.install(transcribers=5, capacity=4)
    written: defaultdict[str, list[float]] = defaultdict(list)

    async def watch() -> None:
        last: dict[str, str] = {}
        async for event, pod in platform.kube.watch("v1", "Pod", platform.namespace):
            if event != "MODIFIED":
                continue
            name, count = pod["metadata"]["name"], (pod["metadata"].get("annotations") or {}).get(SESSIONS, "")
            if last.get(name) != count:
                written[name].append(time.monotonic())
                last[name] = count

    watching = asyncio.create_task(watch())
    async with platform.traffic(0, mean=30, longest=60) as traffic:
        traffic.hold(20)
        await until(lambda: len(written["proxy-0"]) >= 10, "ten writes to the proxy")
    watching.cancel()
    for times in written.values():
        gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
        # what a busy machine delays of one write it takes from the gap to the next: no two gaps are short
        pairs = [a + b for a, b in itertools.pairwise(gaps)]
        assert all(pair > PERIOD for pair in pairs), gaps
        assert len(times) <= (times[-1] - times[0]) / PERIOD + 2


async def test_counts_are_for_one_pod_and_not_for_another_of_its_name(platform: Platform) -> None:
    first = await platform.pod("p", objects.redis())
    hop = Hop(Role.REDIS, platform.namespace, "p", first["metadata"]["uid"])
    counts = Counts(platform.kube)
    assert await counts.change(hop, 2)
    assert await platform.sessions() == {"p": "2"}
    await platform.delete("p")
    assert not await counts.change(hop, 1), "it is gone"
    await platform.pod("p", objects.redis())
    assert not await counts.change(hop, 1), "another one"
    assert await platform.sessions() == {}


async def test_a_pod_that_was_told_to_stop_takes_no_session(platform: Platform) -> None:
    made = await platform.pod("p", objects.redis())
    await platform.kube.delete("v1", "Pod", "p", platform.namespace)
    counts = Counts(platform.kube)
    hop = Hop(Role.REDIS, platform.namespace, "p", made["metadata"]["uid"])
    assert not await counts.change(hop, 1)


async def test_a_conflict_is_tried_again(platform: Platform) -> None:
    """Another writer changes the pod as fast as it can; every number arrives all the same."""
    made = await platform.pod("p", objects.redis())
    hop = Hop(Role.REDIS, platform.namespace, "p", made["metadata"]["uid"])

    class Contended(Kube):
        """A connection whose first writes meet a newer pod: each carries the version the pod had at first."""

        left = 2

        async def merge(
            self,
            api_version: str,
            kind: str,
            name: str,
            patch: Json,
            namespace: str | None = None,
            subresource: str | None = None,
        ) -> Json:
            if self.left:
                self.left -= 1
                stale = {**patch["metadata"], "resourceVersion": made["metadata"]["resourceVersion"]}
                return await super().merge(api_version, kind, name, patch | {"metadata": stale}, namespace)
            return await super().merge(api_version, kind, name, patch, namespace, subresource)

    async with Contended(platform.kubeconfig, "contended") as kube:
        counts = Counts(kube)
        assert await counts.change(hop, 1)
        assert kube.left == 0
        assert len(counts.writes) == 3, "the two that were refused are tried again"
    assert await platform.sessions() == {"p": "1"}


async def test_what_an_earlier_player_left_is_taken_off(platform: Platform) -> None:
    await platform.install()
    patch = {"metadata": {"annotations": {SESSIONS: "7"}}}
    await platform.kube.merge("v1", "Pod", "t1", patch, platform.namespace)
    async with platform.traffic(1) as traffic:
        await traffic.written()
        assert await platform.sessions() == {"ingress": "1", "proxy-0": "1", "triton": "1", "t0": "1"}


async def test_who_finds_no_room_is_turned_away_and_comes_again(platform: Platform) -> None:
    platform.settings(time_factor=60)
    await platform.install(transcribers=1, capacity=2)
    async with platform.traffic(2) as traffic:
        platform.journal.step = "full"
        traffic.hold(3)

        def away() -> list[TurnedAway]:
            return [event for event in platform.journal.events if isinstance(event, TurnedAway)]

        await until(lambda: len(away()) >= 2, "it tries again")
        assert {(event.reason, event.step) for event in away()} == {("no transcriber for en has room", "full")}
        await platform.kube.merge("v1", "Pod", "triton", {"metadata": {"labels": {"a": "b"}}}, platform.namespace)
        await platform.pod("triton-2", objects.inference())
        await platform.transcriber("t9")
        await until(lambda: traffic.alive == 3, "there is room now")


async def test_a_pod_that_goes_cuts_its_sessions_and_no_others(platform: Platform) -> None:
    platform.settings(time_factor=60)
    await platform.install(transcribers=3, capacity=2)
    async with platform.traffic(4) as traffic:
        platform.journal.step = "by hand"
        await platform.delete("t1")
        gone = ("t1", "pod gone: deleted without grace", "by hand")
        assert await platform.cut(2) == [gone, gone]
        await until(lambda: traffic.alive == 4, "the two clients come again")
        await traffic.written()
        held = await platform.sessions()
        assert Counter(held) == {"ingress": "4", "proxy-0": "4", "triton": "4", "t0": "2", "t2": "2"}
        assert len(platform.cuts) == 2


async def test_a_flip_of_the_proxies_service_moves_new_sessions_only(platform: Platform) -> None:
    await platform.install(transcribers=3)
    await platform.pod("proxy-b", objects.proxy(), {"app": "proxy-b"})
    async with platform.traffic(2) as traffic:
        patch = {"spec": {"selector": {"app": "proxy-b"}}}
        await platform.kube.merge("v1", "Service", "proxy", patch, platform.namespace)

        async def flipped() -> bool:
            slices = await platform.kube.list("discovery.k8s.io/v1", "EndpointSlice", platform.namespace)
            targets = {e["targetRef"]["name"] for each in slices for e in each.get("endpoints") or []}
            return targets == {"proxy-b"}

        deadline = time.monotonic() + 60
        while not await flipped():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        traffic.hold(4)
        await until(lambda: traffic.alive == 4, "two more")
        await traffic.written()
        held = await platform.sessions()
        assert int(held["proxy-0"]) >= 2, "the first two stay"
        assert int(held["proxy-0"]) + int(held["proxy-b"]) == 4
        assert int(held["proxy-b"]) >= 1
        assert platform.cuts == []


async def test_row_busy_sigterm_and_row_cordoned_pod(platform: Platform) -> None:
    """The settings are read at every use: one player sees both answers."""
    await platform.install(transcribers=0)
    await platform.pod("triton-1", objects.inference(24 * 3))
    await platform.pod("triton-2", objects.inference(24))
    await platform.pod("t0", objects.transcriber(capacity=4, ping=0), {"lang": "en"})
    async with platform.traffic(2) as traffic:
        await platform.kube.merge("v1", "Node", platform.node, {"spec": {"unschedulable": True}})
        traffic.hold(3)
        no_room = "no transcriber for en has room"
        await until(
            lambda: any(isinstance(e, TurnedAway) and e.reason == no_room for e in platform.journal.events),
            "a cordoned node takes nobody",
        )
        platform.settings(cordoned_pod="takes", time_factor=60)
        traffic.hold(4)
        await until(lambda: traffic.alive >= 3, "now it does")
        await until(lambda: traffic.alive == 4, "and the fourth")
        traffic.hold(0)
        await platform.kube.delete("v1", "Pod", "t0", platform.namespace)
        # what comes later in the same watch is seen later
        await platform.delete("triton-2")
        assert await platform.cut(1) == [("triton-2", "pod gone: deleted without grace", "")]
        assert traffic.alive == 3, "friendly: it serves them until its grace is over"
        platform.settings(busy_sigterm="ends", time_factor=60)
        patch = {"metadata": {"labels": {"looked-at": "again"}}}
        await platform.kube.merge("v1", "Pod", "t0", patch, platform.namespace)
        await until(lambda: len(platform.cuts) == 4, "the other three are cut")
        assert [(cut.hop.pod, cut.reason) for cut in platform.cuts[1:]] == [("t0", SIGTERM)] * 3


async def test_rows_of_redis_and_of_the_resource_manager(platform: Platform) -> None:
    await platform.install()
    await platform.deployment("redis", objects.redis())
    await platform.pod("redis-0", objects.redis())
    async with platform.traffic(2) as traffic:
        await platform.ready("redis-0", False)
        await platform.ready("rm", False)
        # a change that the player sees after those two: it has looked at both by then
        await platform.delete("t1")
        traffic.hold(3)
        away = "no resource manager is Ready"
        await until(
            lambda: any(isinstance(e, TurnedAway) and e.reason == away for e in platform.journal.events), "one is away"
        )
        assert platform.cuts == [], "friendly: running sessions go on"
        platform.settings(without_redis="cut")
        await platform.ready("redis-0", True)
        await platform.ready("redis-0", False)
        assert await platform.cut(2) == [("triton", "without Redis", "")] * 2


async def test_a_fail_over_is_an_outage_while_replicas_are_ready(platform: Platform) -> None:
    """Sixty times as fast the sentinels need 5 s; that they have elected another is seen though nothing changes."""
    platform.settings(time_factor=60, without_redis="cut")
    await platform.install()
    await platform.kube.create(objects.redis_configuration(platform.namespace, 60_000, 240_000))
    await platform.deployment("redis", objects.redis_node())
    for number in range(3):
        await platform.pod(f"redis-node-{number}", objects.redis_node())
    without = ("triton", "without Redis", "")
    async with platform.traffic(2) as traffic:
        await platform.delete("redis-node-0")
        assert await platform.cut(2) == [without] * 2
        said = "no Redis answers"
        await until(
            lambda: any(isinstance(e, TurnedAway) and e.reason == said for e in platform.journal.events), "they wait"
        )
        await until(lambda: traffic.alive == 2, "another node is the primary")
        await platform.delete("redis-node-1")
        assert await platform.cut(4) == [without] * 4


async def test_row_of_lapsed_registrations(platform: Platform) -> None:
    """It counts for those who begin under it: of three only the last."""
    platform.settings(time_factor=60)
    await platform.install()
    await platform.deployment("redis", objects.redis())
    await platform.pod("redis-0", objects.redis())
    await platform.pod("rm-2", objects.resource_manager(lease="60s"))
    async with platform.traffic(2) as traffic:
        platform.settings(time_factor=60, lapsed_registration="cut")
        traffic.hold(3)
        await until(lambda: traffic.alive == 3, "the third has begun")
        await platform.ready("redis-0", False)
        assert await platform.cut(1) == [("triton", "lease of a registration of 60 s", "")]
        assert traffic.alive == 2


async def test_row_flow_silence(platform: Platform) -> None:
    """It counts for those who begin under it: of three conversations only the last is silent throughout."""
    platform.settings(time_factor=60)
    await platform.install()
    await platform.deployment("flow", objects.flow_service())
    await platform.pod("flow-1", objects.flow_service(capacity=3))
    async with platform.traffic(2, flow=1) as traffic:
        platform.settings(time_factor=60, flow_silence="never pinged")
        traffic.hold(3)
        assert await platform.cut(1) == [("ingress", "proxy-read-timeout of 60 s", "")]
        assert traffic.alive >= 2
        assert platform.cuts[0].session.id == 3


async def test_a_clock_that_is_too_short_cuts_by_its_name(platform: Platform) -> None:
    """Sixty times as fast: nginx's 60 s are 1 s, the pings would come every 5 s."""
    platform.settings(time_factor=60)
    await platform.install(transcribers=0)
    await platform.transcriber("t9", ping=300)
    await platform.pod("triton-2", objects.inference())
    async with platform.traffic(2):
        cuts = await platform.cut(2)
    assert {(pod, reason) for pod, reason, _ in cuts} == {("ingress", "proxy-read-timeout of 60 s")}
    for cut in platform.cuts:
        assert 1.0 <= cut.at - cut.session.began < 3.0


async def test_another_configuration_ends_the_workers_of_before(platform: Platform) -> None:
    platform.settings(time_factor=60)
    await platform.install()
    await platform.configure(worker_shutdown_timeout="90s")
    async with platform.traffic(2) as traffic:
        platform.journal.step = "another map"
        await platform.configure(worker_shutdown_timeout="90s", proxy_read_timeout="24h")
        changed = time.time()
        cuts = await platform.cut(2)
        assert {reason for _, reason, _ in cuts} == {"worker-shutdown-timeout of 90 s"}
        assert all(1.0 < cut.at - changed < 4.0 for cut in platform.cuts), "a second and a half"
        await until(lambda: traffic.alive == 2, "the new workers take them")
