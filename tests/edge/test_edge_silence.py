"""How long nginx keeps a connection on which nothing is said, or nothing is taken."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import aiohttp
import pytest

from components.cluster.ingress_controller import READ_TIMEOUT, SEND_TIMEOUT
from components.speech import proxy_ingress
from tests.edge.conftest import Start
from tests.edge.platform import Change, all_of, as_it_is, in_map, without_annotation
from tests.edge.world import TIMED_OUT, Pod, Session

CHUNK = bytes(1 << 20)
CHUNKS = 48
"""More MiB than the sockets between a client and its pod hold, which is up to 6 of a receiver and 4 of a sender."""

ENDS_IT = re.compile(rf"{TIMED_OUT} \(\d+: [^)]*\) while proxying upgraded connection")


def guards(key: str, annotation: str) -> Sequence[tuple[Change, bool, str]]:
    """The map and the Ingress say the same: one of them is enough, without both nginx's own minute counts."""
    no_key, no_annotation = in_map(**{key.replace("-", "_"): None}), without_annotation(annotation)
    return (
        (as_it_is, True, "both"),
        (no_key, True, "the-annotation-alone"),
        (no_annotation, True, "the-key-alone"),
        (all_of(no_key, no_annotation), False, "neither"),
    )


READ = guards(READ_TIMEOUT, proxy_ingress.READ_TIMEOUT)
SEND = guards(SEND_TIMEOUT, proxy_ingress.SEND_TIMEOUT)


@pytest.mark.parametrize(("change", "held"), [row[:2] for row in READ], ids=[row[2] for row in READ])
async def test_the_longest_silence_of_a_session_is_held(start: Start, change: Change, held: bool) -> None:
    edge = await start(change)
    async with edge.session() as session:
        await edge.passes(edge.platform.silence)
        assert await session.lives() == held
    assert bool(ENDS_IT.search(edge.nginx.log)) != held


async def test_a_silence_longer_than_the_read_timeout_is_cut(start: Start) -> None:
    edge = await start()
    async with edge.session() as session:
        assert await session.cut()
    assert ENDS_IT.search(edge.nginx.log)


async def test_a_session_keeps_the_read_timeout_it_was_opened_with(start: Start) -> None:
    """A longer one comes too late for those who are in: the worker that has them keeps what it loaded."""
    short = all_of(in_map(proxy_read_timeout=None), without_annotation(proxy_ingress.READ_TIMEOUT))
    edge = await start(short)
    async with edge.session() as old:
        await edge.reload(lambda _: edge.sending_to(edge.pods)(edge.platform.objects))
        async with edge.session() as new:
            await edge.passes(edge.platform.silence)
            assert not await old.lives()
            assert await new.lives()


async def flood(session: Session) -> bool:
    """Send until everything is sent, or the session ends; whether all of it went out."""
    try:
        for _ in range(CHUNKS):
            await session.socket.send_bytes(CHUNK)
    except (aiohttp.ClientError, ConnectionError):
        return False
    return True


@pytest.mark.parametrize(("change", "held"), [row[:2] for row in SEND], ids=[row[2] for row in SEND])
async def test_a_pod_that_takes_nothing_for_as_long_is_waited_for(
    start: Start, pods: list[Pod], change: Change, held: bool
) -> None:
    """Audio that a pod does not read: the send timeout. The answers' silence, the read timeout, is as long."""
    edge = await start(change)
    async with edge.session() as session:
        pods[0].reads.clear()
        sending = asyncio.create_task(flood(session))
        try:
            await edge.passes(edge.platform.silence)
            assert pods[0].received <= len(CHUNK), "the one message it was waiting for"
            pods[0].reads.set()
            assert await sending == held
            assert await session.lives() == held
        finally:
            sending.cancel()
    assert (pods[0].received == CHUNKS * len(CHUNK)) == held
    assert bool(ENDS_IT.search(edge.nginx.log)) != held
