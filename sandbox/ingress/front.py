"""Where connections come in: the load balancer's side and nginx's, on one TLS port of loopback.

The simulated upstream answers too: a websocket is echoed by a pod whose image has sessions on that port; a plain
request gets what the table of images says. What the caller would not see on the real way stands in `X-Sandbox-…`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from sandbox.hosted.host import Json
from sandbox.hosted.store import Store
from sandbox.ingress.controller import Loaded
from sandbox.ingress.routing import Location, pick
from sandbox.kube import Kube
from sandbox.nodes.images import Image, of

log = logging.getLogger(__name__)

POD, UPSTREAM_ID, CONTROLLER, WHY = (
    "X-Sandbox-Pod", "X-Sandbox-Upstream-Request-Id", "X-Sandbox-Controller", "X-Sandbox-Why",
)  # fmt: skip


@dataclass(eq=False)
class Session:
    """An open websocket and the pods it goes through, by uid."""

    through: frozenset[str]
    task: asyncio.Task[object] | None = field(default_factory=asyncio.current_task)


class Front:
    """Takes connections for the controllers that are up."""

    def __init__(self, time_factor: Callable[[], float] = lambda: 1.0) -> None:
        self._time_factor = time_factor
        self._loaded: dict[str, Loaded] = {}
        self._pods = Store(lambda _: self._cut_lost())
        self._sessions: set[Session] = set()
        self._turn = 0

    def load(self, uid: str, loaded: Loaded) -> None:
        """What the controller in the pod with this uid has loaded."""
        self._loaded[uid] = loaded

    def remove(self, uid: str) -> None:
        """No new connection goes to this pod; those it has stay until it is gone."""
        self._loaded.pop(uid, None)

    async def follow(self, admin: Kube) -> None:
        """Know all pods, with the administrator's rights: a session whose pod is gone is cut."""
        await self._pods.follow(admin, "v1", "Pod", None)

    async def serve(self, port: int) -> web.AppRunner:
        """Listen on loopback."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._choose_certificate
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context, reuse_address=True).start()
        return runner

    def _exposed(self) -> list[tuple[str, Loaded]]:
        return [(uid, loaded) for uid, loaded in sorted(self._loaded.items()) if loaded.exposed]

    def _choose_certificate(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        """The certificate of the host, or of the default server; without one the handshake is refused."""
        exposed = self._exposed()
        if not exposed:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        loaded = exposed[0][1]
        server = loaded.servers.get(name or "")
        if server is not None and server.secret is not None:
            chosen = loaded.certificates.get(server.secret)
        else:
            chosen = loaded.default
        if chosen is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = chosen
        return None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        exposed = self._exposed()
        if not exposed:
            return web.Response(status=503, headers={WHY: "no controller is behind a load balancer's address"})
        self._turn += 1
        uid, loaded = exposed[self._turn % len(exposed)]
        server = loaded.servers.get(request.host.partition(":")[0])
        location = pick(server.locations, request.path) if server and server.secret is not None else None
        if location is None:
            return _plain(404, loaded, {}, {WHY: "no such host or path on port 443"})
        variables = {"request_id": secrets.token_hex(16), "host": request.host, "scheme": "https"}
        variables |= {f"http_{k.lower().replace('-', '_')}": v for k, v in request.headers.items()}
        found = self._upstream(loaded, location)
        if found is None:
            return _plain(502, loaded, variables, {WHY: f"nothing listens behind Service {location.service}"})
        pod, image, port = found
        shown = {POD: pod["metadata"]["name"], CONTROLLER: uid}
        forwarded = loaded.config.headers.forwarded(variables)
        if identity := forwarded.get("Request-Id"):
            # what the upstream would log by either name
            shown[UPSTREAM_ID] = identity if forwarded.get("X-Request-ID") == identity else "two request ids"
        if location.websocket and request.headers.get("Upgrade", "").lower() == "websocket":
            if image.session_port == port:
                through = frozenset({uid, pod["metadata"]["uid"]})
                return await self._echo(request, loaded, location, variables, shown, through)
            return _plain(400, loaded, variables, shown | {WHY: "the upstream speaks no websocket"})
        # without Upgrade in the request to the upstream, a port for websockets has nothing to say
        known = request.path in image.ports[port]
        status = 200 if known else 400 if image.session_port == port else 404
        return _plain(status, loaded, variables, shown)

    def _upstream(self, loaded: Loaded, location: Location) -> tuple[Json, Image, int] | None:
        """A pod behind the Service, in turn, whose image listens on the port; None where the connection fails."""
        endpoints = loaded.endpoints(location)
        if not endpoints:
            return None
        namespace, name, port = endpoints[self._turn // max(1, len(self._loaded)) % len(endpoints)]
        for pod in self._pods.all():
            if (pod["metadata"]["namespace"], pod["metadata"]["name"]) == (namespace, name):
                images = [image for each in pod["spec"]["containers"] if (image := of(each["image"]))]
                listening = next((image for image in images if port in image.ports), None)
                return (pod, listening, port) if listening else None
        return None

    async def _echo(
        self, request: web.Request, loaded: Loaded, location: Location, variables: Mapping[str, str],
        shown: Mapping[str, str], through: frozenset[str],
    ) -> web.StreamResponse:  # fmt: skip
        socket = web.WebSocketResponse(autoping=False)
        socket.headers.update(loaded.config.headers.answered(101, variables))
        socket.headers.update(shown)
        await socket.prepare(request)
        session = Session(through)
        self._sessions.add(session)
        silence = location.read_seconds / self._time_factor()
        try:
            while True:
                message = await socket.receive(timeout=silence)
                if message.type is WSMsgType.TEXT:
                    await socket.send_str(message.data)
                elif message.type is WSMsgType.BINARY:
                    await socket.send_bytes(message.data)
                elif message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                    return socket
        except TimeoutError:
            log.warning("cut after %g s of silence: proxy-read-timeout", location.read_seconds)
            _abort(request)
            return socket
        except asyncio.CancelledError:
            _abort(request)
            raise
        finally:
            self._sessions.discard(session)

    def _cut_lost(self) -> None:
        if not self._sessions:
            return
        alive = {pod["metadata"]["uid"] for pod in self._pods.all()}
        for session in list(self._sessions):
            if not session.through <= alive and session.task is not None:
                session.task.cancel()


def _abort(request: web.Request) -> None:
    """End the connection as a process that is gone does: without a word."""
    if request.transport is not None:
        request.transport.abort()


def _plain(status: int, loaded: Loaded, variables: Mapping[str, str], shown: Mapping[str, str]) -> web.Response:
    added = loaded.config.headers.answered(status, variables) if variables else {}
    return web.Response(status=status, headers={**added, **shown})
