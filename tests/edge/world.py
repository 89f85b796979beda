"""A real nginx between real sockets: clients with TLS before it, pods that echo behind it, all on loopback.

A session is cut when its socket ends without a closing frame of either side.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
from aiohttp import WSMsgType, web

from sandbox.ingress.nginx import Nginx
from sandbox.ingress.rendering import Place, Rendered, rendered
from sandbox.kube import Json
from sandbox.plane import ports
from tests.edge.platform import Change, Platform, in_map
from tests.sandbox.ingress.world import Loopback
from tests.sandbox.twin.world import eventually

SESSION_SECONDS = 3.0
"""What the longest session lasts here. All clocks are divided alike, so nginx's own minute is a tenth of it."""

NET = f"127.{128 + os.getpid() % 64}.{os.getpid() // 64 % 250}"
"""Addresses of this run's pods."""
NUMBERS = itertools.count(1)

TIMED_OUT = "upstream timed out"
"""What nginx says when it ends a connection because of a read or a send timeout."""


@dataclass
class Pod:
    """Behind the Service: echoes websockets, shows in the answer's headers what it was asked with."""

    address: str
    port: int
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    """Unset: it takes nothing more from its sockets."""
    received: int = 0
    """Bytes of messages."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Pod]:
        self.reads.set()
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, self.address, self.port).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        seen = {f"Seen-{name}": request.headers[name] for name in ("Request-Id", "X-Request-ID", "X-Forwarded-Proto")
                if name in request.headers}  # fmt: skip
        headers = {"Pod": self.address, **seen}
        if "Upgrade" not in request.headers:
            return web.Response(text="plain", headers=headers)
        socket = web.WebSocketResponse(max_msg_size=0)
        socket.headers.update(headers)
        await socket.prepare(request)
        while True:
            await self.reads.wait()
            message = await socket.receive()
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                self.received += len(message.data)
            else:
                return socket


class Edge:
    """One controller's nginx with the objects it reads."""

    def __init__(self, platform: Platform, program: Path, folder: Path, pods: Sequence[Pod]) -> None:
        self.platform, self.pods = platform, list(pods)
        http, https = (ports._choose(set()) for _ in range(2))
        self.place = Place.below(str(folder), http, https)
        # a timeout of a websocket is said at this level; the controller's default is one above it
        self.objects = in_map(error_log_level="info")(self.sending_to(self.pods)(platform.objects))
        (self.promised,) = rendered(self.objects, self.place).clocks["worker_shutdown_timeout"]
        self.factor = self.promised / SESSION_SECONDS
        self.nginx = Nginx(program, self.place, self.factor)

    def sending_to(self, pods: Sequence[Pod]) -> Change:
        slices = [self.platform.slice([pod.address for pod in pods])]
        return lambda objects: replace(objects, slices=slices)

    @property
    def rendered(self) -> Rendered:
        return rendered(self.objects, self.place)

    async def start(self, change: Change) -> None:
        self.objects = change(self.objects)
        await self.nginx.start(self.rendered)

    async def reload(self, change: Change) -> set[int]:
        """Load changed objects; returns the old workers when each has been told to stop."""
        before = set(self.nginx.workers)
        self.objects = change(self.objects)
        await self.nginx.reload(self.rendered)
        await self.nginx.told(before)
        return before & self.nginx.workers.keys()

    async def passes(self, seconds: float) -> None:
        """A silence, or a stretch of a session, of so many seconds of the objects."""
        await asyncio.sleep(seconds / self.factor)

    async def pod_stops(self, grace_seconds: float, pre_stop_seconds: float) -> int | None:
        """What a kubelet does with the controller's pod; nginx's exit code, None when it had to be killed."""
        await self.passes(min(grace_seconds, pre_stop_seconds))
        if pre_stop_seconds < grace_seconds:
            await self.nginx.quit()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout((grace_seconds - pre_stop_seconds) / self.factor):
                    return await self.nginx.ended()
        await self.nginx.kill()
        return None

    @asynccontextmanager
    async def client(self, host: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        """One that trusts the certificate of this host, the program's own."""
        context = ssl.create_default_context(cadata=self._certificate())
        connector = aiohttp.TCPConnector(ssl=context, resolver=Loopback(), force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield session

    def _certificate(self) -> str:
        text: str = rendered(self.platform.objects, self.place).files["secrets/default"]
        return text[: text.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"

    def url(self, path: str = "/v2", host: str | None = None, scheme: str = "https") -> str:
        port = self.place.http if scheme == "http" else self.place.https
        return f"{scheme}://{host or self.platform.host}:{port}{path}"

    async def asked(self, path: str = "/ready", host: str | None = None, **headers: str) -> aiohttp.ClientResponse:
        """The answer to a plain request."""
        async with self.client() as client, client.get(self.url(path, host), headers=headers) as answer:
            return answer

    @asynccontextmanager
    async def session(self, path: str = "/v2", host: str | None = None, **headers: str) -> AsyncIterator[Session]:
        """An open one. What nginx answers before it is ready, or a pod too late for a short clock, is asked again."""
        async with self.client() as client:
            socket: aiohttp.ClientWebSocketResponse = await eventually(
                lambda: self._opened(client, self.url(path, host), headers), f"a websocket at {path}"
            )
            try:
                yield Session(socket)
            finally:
                await socket.close()

    @staticmethod
    async def _opened(
        client: aiohttp.ClientSession, url: str, headers: dict[str, str]
    ) -> aiohttp.ClientWebSocketResponse | None:
        try:
            return await client.ws_connect(url, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            if error.status in (502, 504):
                return None
            raise


class Session:
    """A client's websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._said = itertools.count(1)

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer that opened it."""
        return dict(self.socket._response.headers)

    async def lives(self) -> bool:
        """Whether what is said comes back."""
        text = f"message {next(self._said)}"
        try:
            await self.socket.send_str(text)
        except (aiohttp.ClientError, ConnectionError):
            return False
        message = await self.socket.receive()
        return message.type is WSMsgType.TEXT and message.data == text

    async def cut(self) -> bool:
        """Wait until it ends; whether that came without a word."""
        message = await self.socket.receive()
        assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR, WSMsgType.CLOSE), message
        return self.socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE

    async def close(self) -> None:
        await self.socket.close()


def grace_of(deployment: Json) -> tuple[float, float]:
    """The grace and the pre-stop of a Deployment's pods; the cluster's own grace where it names none."""
    spec = deployment["spec"]["template"]["spec"]
    sleep = spec["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    return spec.get("terminationGracePeriodSeconds", 30), sleep
