"""Reading a cluster: what an API server may answer, and what may go wrong before it is asked.

The API server is a small HTTP server on loopback, because the answers of interest are those a real one gives only
when it is broken.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from components.guard import live
from components.guard.reading import NOTHING, Group, Reading, SessionPod


def now() -> datetime:
    return datetime.now(UTC)


SESSION_GROUPS = "/apis/speechmatics.com/v1/sessiongroups"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def kubeconfig(server: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": "made-up"}}],
        }
    )


class ApiServer:
    """Answers lists from `items`, or everything with `broken`."""

    def __init__(self) -> None:
        self.items: dict[str, list[dict[str, Any]]] = {SESSION_GROUPS: [], "/api/v1/pods": [], "/api/v1/nodes": []}
        self.broken: Answer | None = None
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if self.broken is not None:
            return await self.broken(request)
        if request.path not in self.items:
            return web.Response(status=404, text="404 page not found\n")
        return web.json_response(
            {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": self.items[request.path]}
        )


@pytest.fixture
async def server() -> AsyncIterator[tuple[ApiServer, str]]:
    api, app = ApiServer(), web.Application()
    app.router.add_get("/{path:.*}", api.answer)
    async with TestServer(app, host="127.0.0.1") as running:
        yield api, str(running.make_url("")).rstrip("/")


def answering(status: int, body: dict[str, Any] | None = None, text: str = "") -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text) if body is None else web.json_response(body, status=status)

    return answer


async def test_groups_pods_and_nodes_are_read(server: tuple[ApiServer, str]) -> None:
    api, url = server
    api.items[SESSION_GROUPS] = [
        {"metadata": {"namespace": "ns", "name": "g"}, "status": {"usage": 2, "activeSessions": 1}}
    ]
    api.items["/api/v1/pods"] = [
        {"metadata": {"namespace": "ns", "name": "p"}, "spec": {"nodeName": "n", "containers": []}}
    ]
    api.items["/api/v1/nodes"] = [{"metadata": {"name": "n", "labels": {"agentpool": "trans01aaaaa"}}}]
    reading = await live.read_cluster(kubeconfig(url), now)
    assert reading == Reading((Group("ns", "g", 2, 1),), (SessionPod("ns", "p", "trans01aaaaa"),))
    assert any("labelSelector=speechmatics.io" in asked for asked in api.asked)


async def test_a_server_without_the_kind_has_no_session(server: tuple[ApiServer, str]) -> None:
    api, url = server
    del api.items[SESSION_GROUPS]
    assert await live.read_cluster(kubeconfig(url), now) == NOTHING


async def test_pods_outlive_the_kind_that_made_them(server: tuple[ApiServer, str]) -> None:
    """The definition deleted by hand: the groups are gone, their pods stop for as long as their sessions last."""
    api, url = server
    del api.items[SESSION_GROUPS]
    api.items["/api/v1/pods"] = [
        {"metadata": {"namespace": "ns", "name": "p"}, "spec": {"nodeName": "n", "containers": []}}
    ]
    api.items["/api/v1/nodes"] = [{"metadata": {"name": "n", "labels": {"agentpool": "trans01aaaaa"}}}]
    assert await live.read_cluster(kubeconfig(url), now) == Reading((), (SessionPod("ns", "p", "trans01aaaaa"),))


SILENT = {"metadata": {"namespace": "ns", "name": "g"}}
PODS = "/api/v1/namespaces/ns/pods"


def pod_of(kind: str) -> dict[str, Any]:
    owner = {"apiVersion": "v1", "kind": kind, "name": "g", "uid": "u", "controller": True}
    return {"metadata": {"namespace": "ns", "name": "p", "ownerReferences": [owner]}, "spec": {"containers": []}}


async def test_the_pods_around_a_group_without_status_are_read_after_it(server: tuple[ApiServer, str]) -> None:
    api, url = server
    api.items |= {SESSION_GROUPS: [SILENT], PODS: [pod_of("ReplicaSet")]}
    assert await live.read_cluster(kubeconfig(url), now) == Reading((Group("ns", "g", 0, 0),))
    paths = [asked.partition("?")[0] for asked in api.asked]
    assert paths.index(SESSION_GROUPS) < paths.index(PODS)
    assert "labelSelector" not in api.asked[paths.index(PODS)]
    api.items[PODS].append(pod_of("SessionGroup"))
    assert await live.read_cluster(kubeconfig(url), now) == Reading((Group("ns", "g", None, None),))


async def test_pods_that_cannot_be_read_are_a_problem(server: tuple[ApiServer, str]) -> None:
    api, url = server
    api.items |= {SESSION_GROUPS: [SILENT]}
    assert "404" in str((await live.read_cluster(kubeconfig(url), now)).problem)


async def test_groups_with_a_status_need_no_second_look(server: tuple[ApiServer, str]) -> None:
    api, url = server
    api.items[SESSION_GROUPS] = [{**SILENT, "status": {"usage": 0, "activeSessions": 0}}]
    assert not (await live.read_cluster(kubeconfig(url), now)).live
    assert not [asked for asked in api.asked if asked.startswith(PODS)]


def made(ago: timedelta) -> dict[str, Any]:
    """A group without a status, so old."""
    born = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"metadata": {**SILENT["metadata"], "creationTimestamp": born}}


async def test_a_group_of_this_very_update_is_given_time_for_its_first_status(
    server: tuple[ApiServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, url = server
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.0)
    young = made(timedelta(seconds=1))
    api.items |= {SESSION_GROUPS: [young], PODS: [pod_of("SessionGroup")]}

    async def third_time(request: web.Request) -> web.StreamResponse:
        if len([each for each in api.asked if each.startswith(SESSION_GROUPS)]) == 3:
            api.items[SESSION_GROUPS] = [{**young, "status": {"usage": 0, "activeSessions": 0}}]
        api.broken = None
        answer = await api.answer(request)
        api.asked.pop()
        api.broken = third_time
        return answer

    api.broken = third_time
    assert not (await live.read_cluster(kubeconfig(url), now)).live
    assert len([each for each in api.asked if each.startswith(SESSION_GROUPS)]) == 3


async def test_a_young_group_whose_status_does_not_come_is_live(
    server: tuple[ApiServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, url = server
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(live, "FIRST_STATUS_SECONDS", 0.05)
    api.items |= {SESSION_GROUPS: [made(timedelta(seconds=1))], PODS: [pod_of("SessionGroup")]}
    (group,) = (await live.read_cluster(kubeconfig(url), now)).live
    assert group.silent
    assert len([each for each in api.asked if each.startswith(SESSION_GROUPS)]) > 1


@pytest.mark.parametrize("item", [SILENT, made(timedelta(hours=1))])
async def test_an_older_group_without_status_is_not_waited_for(
    server: tuple[ApiServer, str], item: dict[str, Any]
) -> None:
    api, url = server
    api.items |= {SESSION_GROUPS: [item], PODS: [pod_of("SessionGroup")]}
    assert (await live.read_cluster(kubeconfig(url), now)).live
    assert len([each for each in api.asked if each.startswith(SESSION_GROUPS)]) == 1


async def test_a_404_for_anything_else_is_no_zero(server: tuple[ApiServer, str]) -> None:
    api, url = server
    del api.items["/api/v1/nodes"]
    assert "404" in str((await live.read_cluster(kubeconfig(url), now)).problem)


@pytest.mark.parametrize("status", [401, 403, 500, 503])
@pytest.mark.parametrize("structured", [True, False])
async def test_a_refusal_is_a_problem(server: tuple[ApiServer, str], status: int, structured: bool) -> None:
    api, url = server
    api.broken = answering(status, {"kind": "Status", "message": "no"} if structured else None, "no")
    assert str(status) in str((await live.read_cluster(kubeconfig(url), now)).problem)


async def test_nobody_there_is_a_problem() -> None:
    reading = await live.read_cluster(kubeconfig("http://127.0.0.1:9"), now)
    assert "does not answer" in str(reading.problem)


AZURE_404 = 'invoke of x failed: request failed /p: Status=404 Code="{}" Message="gone"'


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        (AZURE_404.format("ResourceNotFound"), True),
        (AZURE_404.format("ResourceGroupNotFound"), True),
        (AZURE_404.format("SubscriptionNotFound"), False),
        ('Status=403 Code="AuthorizationFailed" Message="ResourceNotFound"', False),
        ("GET https://x\n---\nRESPONSE 404: 404 Not Found\nERROR CODE: ResourceNotFound\n---", True),
        ("RESPONSE 404: 404 Not Found\nERROR CODE: SubscriptionNotFound", False),
        ("RESPONSE 500: oops\nERROR CODE: ResourceNotFound", False),
        ("", False),
    ],
)
def test_only_azures_own_word_makes_a_cluster_absent(text: str, absent: bool) -> None:
    assert live.absent(text) is absent


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | Exception], live.Read]:
    """A reader whose Azure answers with this kubeconfig, or with this error."""

    def made(answer: str | Exception) -> live.Read:
        async def invoke(token: str, args: dict[str, str], options: pulumi.InvokeOptions) -> Any:
            assert token == live.CREDENTIALS
            assert args == {"resourceGroupName": "rg", "resourceName": "cluster"}
            if isinstance(answer, Exception):
                raise answer
            return {"kubeconfigs": [{"name": "user", "value": base64.b64encode(answer.encode()).decode()}]}

        monkeypatch.setattr(pulumi.runtime, "invoke_async", invoke)
        monkeypatch.setattr(pulumi, "InvokeOptions", lambda provider: provider)
        provider: Any = object()
        return live.reader(provider, "rg", "cluster", now)

    return made


async def test_no_cluster_is_no_session(azure: Callable[[str | Exception], live.Read]) -> None:
    assert await azure(Exception(AZURE_404.format("ResourceNotFound")))() == NOTHING


async def test_azure_refusing_is_a_problem(azure: Callable[[str | Exception], live.Read]) -> None:
    reading = await azure(Exception('Status=403 Code="AuthorizationFailed" Message="no"'))()
    assert "AuthorizationFailed" in str(reading.problem)


@pytest.mark.parametrize("text", ["", "[]", "kind: Config", "a: b: c", "current-context: x"])
async def test_credentials_of_no_use_are_a_problem(azure: Callable[[str | Exception], live.Read], text: str) -> None:
    assert (await azure(text)()).problem is not None


async def test_a_server_that_hangs_is_a_problem_when_the_deadline_is_over(
    azure: Callable[[str | Exception], live.Read], server: tuple[ApiServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, url = server
    monkeypatch.setattr(live, "DEADLINE_SECONDS", 0.3)
    stopped = asyncio.Event()

    async def dribble(request: web.Request) -> web.StreamResponse:
        """A byte now and then: no single read ever times out."""
        response = web.StreamResponse()
        await response.prepare(request)
        while not stopped.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    api.broken = dribble
    started = time.monotonic()
    reading = await azure(kubeconfig(url))()
    stopped.set()
    assert "no answer within" in str(reading.problem)
    assert time.monotonic() - started < 5


async def test_many_slow_answers_are_no_hang(
    azure: Callable[[str | Exception], live.Read], server: tuple[ApiServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer has its own time: a reading between the other work of a busy program is not refused."""
    api, url = server
    monkeypatch.setattr(live, "ANSWER_SECONDS", 1.0)

    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.4)
        return web.json_response({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []})

    api.broken = slow
    assert (await azure(kubeconfig(url))()).problem is None
    assert len(api.asked) * 0.4 > live.ANSWER_SECONDS


async def test_a_single_answer_that_does_not_come_is_a_problem(
    server: tuple[ApiServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, url = server
    monkeypatch.setattr(live, "ANSWER_SECONDS", 0.2)
    stopped = asyncio.Event()

    async def never(request: web.Request) -> web.StreamResponse:
        await stopped.wait()
        return web.Response()

    api.broken = never
    reading = await live.read_cluster(kubeconfig(url), now)
    stopped.set()
    assert "does not answer: ReadTimeout" in str(reading.problem)


class Cluster:
    """A cluster whose every reading waits to be let go."""

    def __init__(self) -> None:
        self.sessions = 0
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        self.go = asyncio.Semaphore(0)

    async def read(self) -> Reading:
        self.begun.put_nowait(None)
        seen = self.sessions
        await self.go.acquire()
        return Reading((Group("ns", "g", seen, seen),))


async def test_those_who_wait_share_a_reading_that_began_after_they_asked() -> None:
    cluster = Cluster()
    ask = live.shared(cluster.read)
    first = [asyncio.ensure_future(ask()) for _ in range(3)]
    await cluster.begun.get()
    cluster.sessions = 1
    later = [asyncio.ensure_future(ask()) for _ in range(5)]
    await asyncio.sleep(0)
    cluster.go.release()
    await cluster.begun.get()
    cluster.go.release()
    assert {reading.groups[0].usage for reading in await asyncio.gather(*first)} == {0}
    since = {reading.groups[0].usage for reading in await asyncio.gather(*later)}
    assert since == {1}, "a session that began meanwhile"
    assert cluster.begun.empty(), "two readings for eight"


async def test_one_who_gives_up_takes_nothing_from_the_others() -> None:
    cluster = Cluster()
    ask = live.shared(cluster.read)
    gives_up, stays = asyncio.ensure_future(ask()), asyncio.ensure_future(ask())
    await cluster.begun.get()
    gives_up.cancel()
    cluster.go.release()
    assert (await stays).problem is None


async def test_a_reading_that_fails_is_not_kept() -> None:
    answers: list[Reading | Exception] = [RuntimeError("broken"), NOTHING]

    async def read() -> Reading:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    ask = live.shared(read)
    with pytest.raises(RuntimeError):
        await ask()
    assert await ask() == NOTHING
