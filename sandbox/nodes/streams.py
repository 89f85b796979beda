"""Where the kubelet-server asks: logs, exec, attach and port-forward, answered for the pod.

One connection per request on a unix socket (the wire is described in kubelet-server/wire.go): a JSON line, an answer
line, then frames of one byte stream, four bytes length and payload.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.kube import Json
from sandbox.nodes import commands
from sandbox.nodes.logs import Life, Options

if TYPE_CHECKING:
    from sandbox.nodes.container import Container
    from sandbox.nodes.kubelet import PodWorker

STDIN, STDOUT, STDERR, EXIT = range(4)
HEADER = struct.Struct(">BI")
LONGEST = 1 << 20
STDIN_SECONDS = 2.0
"""How long a command that reads its input waits for the end of it. Real seconds."""

_log = logging.getLogger(__name__)


class _RefusalError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Wire:
    """One connection after its request line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def accept(self) -> None:
        self._writer.write(b'{"code": 200}\n')
        await self._writer.drain()

    async def send(self, stream: int, payload: bytes) -> None:
        for start in range(0, len(payload), LONGEST):
            part = payload[start : start + LONGEST]
            self._writer.write(HEADER.pack(stream, len(part)) + part)
        await self._writer.drain()

    async def exit(self, **how: int | str) -> None:
        payload = json.dumps(how).encode()
        self._writer.write(HEADER.pack(EXIT, len(payload)) + payload)
        await self._writer.drain()

    async def input(self) -> AsyncIterator[bytes]:
        """What the client sends, until it ends its input or hangs up."""
        while True:
            try:
                stream, length = HEADER.unpack(await self._reader.readexactly(HEADER.size))
                payload = await self._reader.readexactly(length)
            except asyncio.IncompleteReadError:
                return
            if stream != STDIN or not length:
                return
            yield payload

    async def hung_up(self) -> None:
        async for _ in self.input():
            continue


class Streams:
    """Answers for the pods that are played."""

    def __init__(self, workers: Mapping[str, PodWorker]) -> None:
        self._workers = workers

    async def serve(self, socket: Path) -> None:
        """For ever; an older socket at the path is replaced."""
        await asyncio.to_thread(socket.unlink, missing_ok=True)
        server = await asyncio.start_unix_server(self._connected, socket)
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = _Wire(reader, writer)
        try:
            request = json.loads(await reader.readline() or b"{}")
            try:
                await self._answer(request, wire)
            except _RefusalError as refused:
                writer.write(json.dumps({"code": refused.code, "message": str(refused)}).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError) as error:
            _log.info("a request of the kubelet-server ended early: %s", error)
        finally:
            writer.close()

    async def _answer(self, request: Json, wire: _Wire) -> None:
        op = request.get("op")
        if op == "pods":
            await wire.accept()
            pods = {
                "kind": "PodList",
                "apiVersion": "v1",
                "metadata": {},
                "items": [w.pod for w in self._workers.values()],
            }
            await wire.send(STDOUT, json.dumps(pods).encode())
            await wire.exit(code=0)
            return
        worker = self._find(request)
        match op:
            case "find":
                await wire.accept()
            case "logs":
                await self._logs(worker, request, wire)
            case "exec":
                await self._exec(self._running(worker, request), worker, request, wire)
            case "attach":
                container = self._running(worker, request)
                await wire.accept()
                await self._follow(container, container.log.current or Life(), Options(tail=0, follow=True), wire)
                await wire.exit(code=0)
            case "portForward":
                await self._forward(worker, int(request["port"]), wire)
            case _:
                raise _RefusalError(400, f"unknown request {op!r}")

    def _find(self, request: Json) -> PodWorker:
        namespace, name = request.get("namespace"), request.get("pod")
        for worker in self._workers.values():
            meta = worker.pod["metadata"]
            if meta["namespace"] == namespace and meta["name"] == name:
                return worker
        raise _RefusalError(404, f'pod "{name}" does not exist')

    def _container(self, worker: PodWorker, request: Json) -> Container:
        found = worker.container(str(request.get("container")))
        if found is None:
            raise _RefusalError(404, f'container "{request.get("container")}" not found in pod "{request.get("pod")}"')
        return found

    def _running(self, worker: PodWorker, request: Json) -> Container:
        found = self._container(worker, request)
        if not found.running:
            raise _RefusalError(500, f'container not found ("{found.name}")')
        return found

    # --- logs

    async def _logs(self, worker: PodWorker, request: Json, wire: _Wire) -> None:
        container, name = self._container(worker, request), worker.pod["metadata"]["name"]
        try:
            options = Options.of(request.get("options") or {})
        except ValueError as error:
            raise _RefusalError(422, f"Invalid request: {error}") from error
        life = container.log.previous if options.previous else container.log.current
        if life is None and options.previous:
            raise _RefusalError(400, f'previous terminated container "{container.name}" in pod "{name}" not found')
        if life is None:
            waiting = container.status["state"].get("waiting")
            if waiting:
                reason = waiting.get("reason", "")
                raise _RefusalError(400, f'container "{container.name}" in pod "{name}" is waiting to start: {reason}')
            life = Life()
        await wire.accept()
        await self._follow(container, life, options, wire)
        await wire.exit(code=0)

    async def _follow(self, container: Container, life: Life, options: Options, wire: _Wire) -> None:
        """Write the lines there are and, when asked to, those to come until the container or the client ends."""
        budget = options.limit_bytes
        lines = options.wanted(list(life.lines))
        told = life.written
        gone = asyncio.create_task(wire.hung_up())
        try:
            while True:
                text = b"".join(options.text(line) for line in lines)[:budget]
                await wire.send(STDOUT, text)
                budget = None if budget is None else budget - len(text)
                if not options.follow or gone.done() or budget == 0 or (life.ended and told == life.written):
                    return
                if told == life.written:
                    grown = asyncio.create_task(container.log.grown.wait())
                    await asyncio.wait({grown, gone}, return_when=asyncio.FIRST_COMPLETED)
                    grown.cancel()
                fresh = min(life.written - told, len(life.lines))
                lines = list(life.lines)[len(life.lines) - fresh :]
                told = life.written
        finally:
            gone.cancel()

    # --- exec

    async def _exec(self, container: Container, worker: PodWorker, request: Json, wire: _Wire) -> None:
        command = [str(word) for word in request.get("command") or []]
        await worker.mounting.refresh()
        container.look_again()
        await wire.accept()
        stdin = b""
        if command[:1] == ["cat"] and len(command) == 1:
            stdin = await self._all_input(wire)
        done = commands.run(command, replace(worker.inside(container), stdin=stdin))
        out, error = done.out, done.error
        if request.get("tty"):
            out, error = (out + error).replace(b"\n", b"\r\n"), b""
        await wire.send(STDOUT, out)
        await wire.send(STDERR, error)
        await wire.exit(code=done.code)

    async def _all_input(self, wire: _Wire) -> bytes:
        parts: list[bytes] = []

        async def collect() -> None:
            parts.extend([part async for part in wire.input()])

        collecting = asyncio.create_task(collect())
        await asyncio.wait({collecting}, timeout=STDIN_SECONDS)
        collecting.cancel()
        return b"".join(parts)

    # --- port-forward

    async def _forward(self, worker: PodWorker, port: int, wire: _Wire) -> None:
        paths = worker.paths(port)
        await wire.accept()
        meta = worker.pod["metadata"]
        if paths is None:
            await wire.exit(
                error=f"error forwarding port {port} to pod {meta['name']}: failed to connect to localhost:{port} "
                f"inside the pod's network namespace: dial tcp4 127.0.0.1:{port}: connect: connection refused"
            )
            return
        redis = any(c.serving and port in c.ports and "redis-cli" in c.known.programs for c in worker.containers)
        received = b""
        async for part in wire.input():
            received += part
            if redis and (answer := _redis(received)) is not None:
                await wire.send(STDOUT, answer)
                received = b""
            elif b"\r\n\r\n" in received:
                await wire.send(STDOUT, _http(received, list(paths)))
                break
            if len(received) > LONGEST:
                break
        await wire.exit(code=0)


def _redis(received: bytes) -> bytes | None:
    """The answer to one complete command; None while it is incomplete."""
    text = received.decode(errors="replace").upper()
    if text in ("PING\r\n", "*1\r\n$4\r\nPING\r\n"):
        return b"+PONG\r\n"
    if text.endswith("\r\n") and (not text.startswith("*") or text.count("\r\n") >= 1 + 2 * _arguments(text)):
        return b"-ERR the node stand-in does not simulate this command\r\n"
    return None


def _arguments(text: str) -> int:
    head = text.partition("\r\n")[0].removeprefix("*")
    return int(head) if head.isdigit() else 0


def _http(received: bytes, paths: list[str]) -> bytes:
    """One HTTP answer, as the image's table says for the port."""
    line = received.partition(b"\r\n")[0].decode(errors="replace").split(" ")
    if len(line) != 3 or not line[2].startswith("HTTP/1."):
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    known = line[1].partition("?")[0] in paths
    body = b"ok\n" if known else b"not found\n"
    status = b"200 OK" if known else b"404 Not Found"
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: "
    return head + str(len(body)).encode() + b"\r\n\r\n" + (b"" if line[0] == "HEAD" else body)
