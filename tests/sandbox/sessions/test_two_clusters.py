"""The clients of one run on two clusters: two namespaces of a real API server, one of which can go away."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.drill.clients import Clients
from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.nodes.clock import Clock
from sandbox.sessions.clients import Demand
from sandbox.sessions.journal import Began, Finished, Journal, Step, TurnedAway
from tests.sandbox.conftest import stop_all
from tests.sandbox.sessions.world import WITHIN, Platform, until

DELETED = "its cluster was deleted"
FOR_EVER = Demand(mean=1e6, longest=1e6)


@pytest.fixture
async def beside(platform: Platform, tmp_path: Path) -> AsyncIterator[Platform]:
    """Another namespace, for another cluster."""
    name = f"{platform.namespace}-beside"
    await platform.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    made = Platform(platform.kube, platform.kubeconfig, name, Home(tmp_path / "beside"))
    async with made.machine():
        yield made
    made.journal.close()
    await stop_all(platform.kube, name)


def running(journal: Journal) -> Counter[str]:
    """How many sessions each namespace holds, by the journal."""
    found: dict[int, str] = {}
    for event in journal.events:
        if isinstance(event, Began):
            found[event.session.id] = event.session.path[0].namespace
        elif isinstance(event, Finished):
            del found[event.session]
    for cut in journal.cuts:
        del found[cut.session.id]
    return Counter(found.values())


async def test_on_one_cluster_those_that_run_now_are_waited_for(platform: Platform) -> None:
    platform.settings(time_factor=60)
    await platform.install()
    journal = platform.journal
    async with Clients(Demand(mean=60, longest=120), Clock(platform.home), journal) as clients:
        await clients.come_to(platform.kube, platform.namespace)
        clients.hold(4)
        await until(lambda: running(journal).total() == 4, running(journal))
        before = {event.session.id for event in journal.events if isinstance(event, Began)}
        assert await clients.sessions_over(WITHIN), "others come all the while"
        assert before <= {event.session for event in journal.events if isinstance(event, Finished)}


async def test_each_client_moves_between_two_sessions(platform: Platform, beside: Platform) -> None:
    platform.settings(time_factor=60)
    await platform.install()
    await beside.install()
    journal = platform.journal
    async with Clients(Demand(mean=60, longest=120), Clock(platform.home), journal) as clients:
        await clients.come_to(platform.kube, platform.namespace)
        clients.hold(4)
        await until(lambda: running(journal)[platform.namespace] == 4, running(journal))
        await clients.come_to(beside.kube, beside.namespace)
        assert clients.clusters == [platform.kube, beside.kube]
        journal.step = "the name leads elsewhere"
        clients.move(1.0)
        await until(lambda: running(journal) == {beside.namespace: 4}, running(journal))
        assert await clients.sessions_over(WITHIN), "nobody is on the way to the old one"
        over = len(journal.events)
        clients.hold(2)
        await until(lambda: running(journal)[beside.namespace] <= 2, running(journal))
        clients.hold(4)
        await until(lambda: running(journal)[beside.namespace] == 4, running(journal))

    began = {event.session.id: event.session for event in journal.events if isinstance(event, Began)}
    assert len(began) == sum(isinstance(event, Began) for event in journal.events), "a number is one session's"
    for event in journal.events:
        if isinstance(event, Finished):
            assert event.at >= began[event.session].ends - 0.01, "nobody leaves a session to be elsewhere"
    later = [event.session.path[0].namespace for event in journal.events[over:] if isinstance(event, Began)]
    assert set(later) == {beside.namespace}
    assert _most(journal) == 4, "a client is on one cluster at a time"
    assert sum(isinstance(event, Step) for event in journal.events) == 1
    assert journal.cuts == []


def _most(journal: Journal) -> int:
    """Sessions at once."""
    now, most = 0, 0
    for event in journal.events:
        now += isinstance(event, Began) - isinstance(event, Finished)
        most = max(most, now)
    return most


async def test_who_is_in_a_session_stays_and_is_waited_for(platform: Platform, beside: Platform) -> None:
    await platform.install()
    await beside.install()
    async with Clients(FOR_EVER, Clock(platform.home), platform.journal) as clients:
        await clients.come_to(platform.kube, platform.namespace)
        clients.hold(2)
        await until(lambda: clients.alive == 2, platform.journal.events)
        await clients.come_to(beside.kube, beside.namespace)
        clients.move(0)
        assert not await clients.sessions_over(1.0)
        assert running(platform.journal) == {platform.namespace: 2}


async def test_who_is_just_coming_to_the_old_one_is_waited_for(platform: Platform, beside: Platform) -> None:
    await platform.install()
    await beside.install()
    async with Clients(FOR_EVER, Clock(platform.home), platform.journal) as clients:
        await clients.come_to(platform.kube, platform.namespace)
        await clients.come_to(beside.kube, beside.namespace)
        clients.hold(2)
        clients.move(0)
        assert not await clients.sessions_over(0), "they are on their way, and in no session yet"
        assert await clients.sessions_over(WITHIN)
        await until(lambda: running(platform.journal) == {beside.namespace: 2}, platform.journal.events)


async def test_a_deleted_cluster_cuts_what_is_on_it(platform: Platform, beside: Platform) -> None:
    """Its API server no longer answers: nobody hangs on it, neither the clients nor the player itself."""
    platform.settings(time_factor=60)
    await platform.install()
    await beside.install()
    journal = platform.journal
    async with (
        asyncio.timeout(WITHIN),
        _way(platform) as (kube, take_away),
        Clients(FOR_EVER, Clock(platform.home), journal) as clients,
    ):
        await clients.come_to(kube, platform.namespace)
        clients.hold(3)
        await until(lambda: clients.alive == 3, journal.events)
        await clients.come_to(beside.kube, beside.namespace)
        journal.step = "it is deleted"
        take_away()
        clients.cluster_deleted()
        assert await platform.cut(3) == [("ingress", DELETED, "it is deleted")] * 3
        assert clients.alive == 0
        assert clients.clusters == [beside.kube]

        def away() -> set[str]:
            return {event.reason for event in journal.events if isinstance(event, TurnedAway)}

        await until(away, "who does not know the new address yet finds nothing")
        assert away() == {DELETED}
        clients.move(0)
        await until(lambda: running(journal) == {beside.namespace: 3}, running(journal))
    assert len(journal.cuts) == 3


@asynccontextmanager
async def _way(platform: Platform) -> AsyncIterator[tuple[Kube, Callable[[], None]]]:
    """A connection to the API server, and what takes the server away from it."""
    server = urlsplit(platform.kube.server)
    ends: set[asyncio.StreamWriter] = set()

    async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        target.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(server.hostname, server.port)
        ends.update((writer, back))
        await asyncio.gather(pipe(reader, back), pipe(there, writer))

    listening = await asyncio.start_server(forward, server.hostname, 0)
    port = listening.sockets[0].getsockname()[1]

    def take_away() -> None:
        listening.close()
        for end in ends:
            end.transport.abort()

    async with Kube(platform.kubeconfig.replace(f":{server.port}", f":{port}"), "sessions") as kube:
        yield kube, take_away
    take_away()
