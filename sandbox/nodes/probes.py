"""Probes: what a kubelet would be answered, and what it makes of the answers (kubernetes: pkg/kubelet/prober)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sandbox.kube import Json
from sandbox.nodes import commands
from sandbox.nodes.clock import Clock, Signal
from sandbox.nodes.commands import Inside


class Kind(StrEnum):
    STARTUP = "Startup"
    LIVENESS = "Liveness"
    READINESS = "Readiness"


@dataclass(frozen=True)
class Result:
    """One answer. An error is not counted at all: a kubelet throws it away, after an event."""

    ok: bool
    message: str = ""
    error: bool = False


class Network(Protocol):
    """The pod's end of a dial."""

    address: str

    def paths(self, port: int) -> Sequence[str] | None:
        """The HTTP paths that answer 200 at a port; None when nothing listens there."""
        ...


def resolve_port(port: int | str, container: Json) -> int:
    """The number a probe dials. Raises `ValueError` in a kubelet's words (pkg/probe/util.go)."""
    if isinstance(port, str):
        named = next((p["containerPort"] for p in container.get("ports") or [] if p.get("name") == port), None)
        if named is not None:
            return int(named)
        if not port.isdigit():
            raise ValueError(f'strconv.Atoi: parsing "{port}": invalid syntax')
        port = int(port)
    if not 0 < port < 65536:
        raise ValueError(f"invalid port number: {port}")
    return port


def _refused(host: str, port: int) -> str:
    return f"dial tcp {host}:{port}: connect: connection refused"


def _http(action: Json, container: Json, network: Network) -> Result:
    port = resolve_port(action["port"], container)
    host, path = action.get("host") or network.address, action.get("path") or "/"
    scheme = (action.get("scheme") or "HTTP").lower()
    url = f"{scheme}://{host}:{port}{path}"
    paths = network.paths(port) if host in (network.address, "127.0.0.1", "localhost") else None
    if paths is None:
        return Result(False, f'Get "{url}": {_refused(host, port)}')
    if scheme == "https":
        return Result(False, f'Get "{url}": http: server gave HTTP response to HTTPS client')
    if path.partition("?")[0] not in paths:
        return Result(False, "HTTP probe failed with statuscode: 404")
    return Result(True)


def check(probe: Json, container: Json, network: Network, inside: Callable[[], Inside]) -> Result:
    """What the probe finds at this moment."""
    try:
        match probe:
            case {"httpGet": action}:
                return _http(action, container, network)
            case {"tcpSocket": action}:
                port, host = resolve_port(action["port"], container), action.get("host") or network.address
                reached = host in (network.address, "127.0.0.1", "localhost") and network.paths(port) is not None
                return Result(True) if reached else Result(False, _refused(host, port))
            case {"grpc": action}:
                port = int(action["port"])
                return Result(False, f'service unhealthy or not simulated: no gRPC health service at "{port}" is known')
            case {"exec": action}:
                done = commands.run(action.get("command") or [], inside())
                return Result(done.code == 0, (done.out + done.error).decode(errors="replace").strip())
    except ValueError as error:
        return Result(False, str(error), error=True)
    return Result(False, "missing probe handler", error=True)


@dataclass
class Watched:
    """The container that is probed, as the prober needs it."""

    spec: Json
    started_at: float
    """Epoch seconds."""
    changed: Signal
    """Fires whenever an answer could differ from the last one."""
    check: Callable[[Json], Result]
    event: Callable[[str], Awaitable[None]]
    """Records an Unhealthy event."""


class Prober:
    """Probes one life of one container. Steady answers are not asked for again before something changes."""

    def __init__(self, watched: Watched, clock: Clock) -> None:
        self._watched, self._clock = watched, clock

    async def until_started(self) -> bool:
        """True when the startup probe has succeeded (at once without one), False when its budget is used up."""
        probe = self._watched.spec.get("startupProbe")
        if probe is None:
            return True
        outcome: list[bool] = []
        await self._follow(Kind.STARTUP, probe, outcome.append, lambda: bool(outcome))
        return outcome[0]

    async def until_unhealthy(self) -> None:
        """Returns when the liveness probe has failed; without one never."""
        probe = self._watched.spec.get("livenessProbe")
        if probe is None:
            await asyncio.Event().wait()
            return
        failed: list[bool] = []
        await self._follow(Kind.LIVENESS, probe, lambda ok: None if ok else failed.append(True), lambda: bool(failed))

    async def readiness(self, settle: Callable[[bool], None]) -> None:
        """Tells every change of readiness, for ever."""
        probe = self._watched.spec.get("readinessProbe")
        if probe is None:
            settle(True)
            await asyncio.Event().wait()
            return
        await self._follow(Kind.READINESS, probe, settle, lambda: False)

    async def _follow(self, kind: Kind, probe: Json, settle: Callable[[bool], None], over: Callable[[], bool]) -> None:
        watched, clock = self._watched, self._clock
        delay = clock.real(probe.get("initialDelaySeconds") or 0) - (time.time() - watched.started_at)
        await asyncio.sleep(max(0.0, delay))
        thresholds = {True: probe.get("successThreshold") or 1, False: probe.get("failureThreshold") or 3}
        last: bool | None = None
        run = 0
        while True:
            result = watched.check(probe)
            if result.error:
                await watched.event(f"{kind} probe errored and resulted in unknown state: {result.message}")
            else:
                if not result.ok:
                    await watched.event(f"{kind} probe failed: {result.message}")
                run = run + 1 if result.ok is last else 1
                last = result.ok
                if run >= thresholds[result.ok]:
                    settle(result.ok)
                    if over():
                        return
                    if result.ok:
                        await watched.changed.wait()
                        continue
            await clock.sleep(probe.get("periodSeconds") or 10)
