"""What the controller does to nginx on purpose, while a client talks: reload, another map, the end of its pod.

Only a wrong configuration cuts: each protection is shown red with the same steps and one thing changed.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest

from components.cluster.certificate import self_signed
from components.cluster.credentials import encoded
from components.cluster.ingress_controller import PRE_STOP_SECONDS, TLS_SECRET
from sandbox.ingress.rendering import Objects, Rendered
from sandbox.ingress.routing import NotLoadedError
from tests.edge.conftest import Start
from tests.edge.platform import Change, Json, as_it_is, in_map, replaced
from tests.edge.world import TIMED_OUT, Edge, Pod, grace_of

MINUTE = "60s"


def other_pod(edge: Edge, pods: list[Pod]) -> Change:
    return edge.sending_to(pods[1:])


def other_map(edge: Edge, pods: list[Pod]) -> Change:
    return in_map(proxy_connect_timeout="30s", ssl_redirect="false")


def other_certificate(edge: Edge, pods: list[Pod]) -> Change:
    pair = self_signed([edge.platform.host], datetime.now(UTC))
    data = {"tls.crt": encoded(pair.certificate), "tls.key": encoded(pair.key)}

    def change(objects: Objects) -> Objects:
        named = [s["metadata"]["name"] == TLS_SECRET for s in objects.secrets]
        secrets = [{**s, "data": data} if ours else s for ours, s in zip(named, objects.secrets, strict=True)]
        return replace(objects, secrets=secrets)

    return change


def no_ingress(edge: Edge, pods: list[Pod]) -> Change:
    """Even the Ingress may go: who is in stays in."""
    return lambda objects: replace(objects, ingresses=[])


@pytest.mark.parametrize("what", [other_pod, other_map, other_certificate, no_ingress])
async def test_a_session_is_held_through_a_reload(
    start: Start, pods: list[Pod], what: Callable[[Edge, list[Pod]], Change]
) -> None:
    edge = await start()
    before = edge.rendered.files
    async with edge.session() as session:
        old = await edge.reload(what(edge, pods))
        assert edge.rendered.files != before
        await edge.nginx.left(old, 1)  # the one with the session
        assert await session.lives()
        assert session.headers["Pod"] == pods[0].address
        await session.close()
        await edge.nginx.gone(old)


async def test_new_sessions_go_where_the_endpoints_are_now(start: Start, pods: list[Pod]) -> None:
    edge = await start()
    async with edge.session() as old:
        await edge.reload(edge.sending_to(pods[1:]))
        async with edge.session() as new:
            assert new.headers["Pod"] == pods[1].address
            assert await old.lives()
            assert await new.lives()


async def test_sessions_of_several_reloads_are_held_each_by_a_worker_of_its_own(start: Start, pods: list[Pod]) -> None:
    """Each reload leaves a worker behind for as long as it has a session: what many changes of endpoints cost."""
    edge = await start()
    async with edge.session() as first:
        await edge.reload(edge.sending_to(pods))
        async with edge.session() as second:
            old = await edge.reload(edge.sending_to(pods[1:]))
            async with edge.session() as third:
                assert [await each.lives() for each in (first, second, third)] == [True] * 3
                await edge.nginx.left(old, 2)


async def test_a_restart_in_place_of_a_reload_cuts(start: Start, pods: list[Pod]) -> None:
    edge = await start()
    async with edge.session() as session:
        await edge.nginx.kill()
        await edge.nginx.start(edge.rendered)
        assert await session.cut()
        async with edge.session() as another:
            assert await another.lives()


@pytest.mark.parametrize(
    ("change", "held"),
    [(as_it_is, True), (in_map(worker_shutdown_timeout=None), True), (in_map(worker_shutdown_timeout=MINUTE), False)],
    ids=["as-it-is", "no-key-no-limit", "a-minute"],
)
async def test_a_worker_told_to_stop_keeps_its_session_as_long_as_its_key_says(
    start: Start, pods: list[Pod], change: Change, held: bool
) -> None:
    edge = await start(change)
    async with edge.session() as session:
        assert await session.lives()
        old = await edge.reload(edge.sending_to(pods[1:]))
        await edge.passes(edge.promised / 2)
        assert await session.lives() == held
        assert bool(old & edge.nginx.workers.keys()) == held
    assert TIMED_OUT not in edge.nginx.log


async def test_and_cuts_it_when_that_is_over(start: Start, pods: list[Pod]) -> None:
    """Only sessions longer than promised meet it: the clock begins when the worker is told, not before."""
    edge = await start()
    async with edge.session() as session:
        old = await edge.reload(edge.sending_to(pods[1:]))
        await edge.passes(edge.promised / 2)
        assert await session.lives()  # so that the read timeout, as long, begins anew and is not what ends it
        assert await session.cut()
        await edge.nginx.gone(old)
        assert TIMED_OUT not in edge.nginx.log
        async with edge.session() as another:
            assert await another.lives()


def no_grace(deployment: Json) -> Json:
    changed = copy.deepcopy(deployment)
    del changed["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    return changed


@pytest.mark.parametrize(
    ("change", "pod", "held"),
    [
        (as_it_is, copy.deepcopy, True),
        (as_it_is, no_grace, False),
        (in_map(worker_shutdown_timeout=MINUTE), copy.deepcopy, False),
    ],
    ids=["as-it-is", "the-clusters-grace", "a-minute-for-workers"],
)
async def test_a_session_is_held_while_the_controllers_pod_stops(
    start: Start, change: Change, pod: Callable[[Json], Json], held: bool
) -> None:
    edge = await start(change)
    grace, pre_stop = grace_of(pod(edge.platform.deployment))
    assert pre_stop == PRE_STOP_SECONDS
    async with edge.session() as session:
        assert await session.lives()
        workers = set(edge.nginx.workers)
        stopping = asyncio.create_task(edge.pod_stops(grace, pre_stop))
        await edge.nginx.told(workers)
        await edge.passes(edge.promised / 2)
        assert await session.lives() == held
    # the pod is gone with its last session, and long before its grace
    assert (await stopping == 0) == (pod is not no_grace)


async def test_a_stopping_pod_takes_sessions_during_its_pre_stop_and_none_afterwards(start: Start) -> None:
    """The load balancer's probes need that time to notice."""
    edge = await start()
    grace, pre_stop = grace_of(edge.platform.deployment)
    async with edge.session() as first:
        workers = set(edge.nginx.workers)
        stopping = asyncio.create_task(edge.pod_stops(grace, pre_stop))
        async with edge.session() as second:
            await edge.nginx.told(workers)
            with pytest.raises(aiohttp.ClientConnectorError):
                await edge.asked()
            assert await first.lives()
            assert await second.lives()
    assert await stopping == 0


async def test_a_worker_left_by_a_reload_lives_through_the_stop_of_its_pod(start: Start, pods: list[Pod]) -> None:
    edge = await start()
    async with edge.session() as first:
        await edge.reload(edge.sending_to(pods[1:]))
        async with edge.session() as second:
            workers = set(edge.nginx.workers)
            await edge.nginx.quit()
            await edge.nginx.told(workers)
            assert await first.lives()
            assert await second.lives()
    assert await edge.nginx.ended() == 0


BROKEN = [
    ("add_header Request-Id $session_id always;", "add_header Request-Id $nobody always;"),
    ("add_header Request-Id $session_id always;", "more_headers Request-Id $session_id;"),
    ("proxy_set_header Request-Id $session_id;", "proxy_set_header Request-Id;"),
    ("proxy_set_header Request-Id $session_id;", "proxy_set_header Request-Id $session_id"),
    ('location ~* "^/', "location /"),
]


@pytest.mark.parametrize(("old", "new"), BROKEN)
async def test_what_nginx_does_not_load_changes_nothing(start: Start, old: str, new: str) -> None:
    """The last: without `path-regex` the chart's paths have braces outside quotes."""
    edge = await start()
    async with edge.session() as session:
        workers = set(edge.nginx.workers)
        with pytest.raises(NotLoadedError, match="emerg"):
            await edge.nginx.reload(Rendered(replaced(edge.rendered.files, old, new), edge.place))
        assert await session.lives()
        assert edge.nginx.workers == dict.fromkeys(workers, False)
        async with edge.session() as another:
            assert await another.lives()
