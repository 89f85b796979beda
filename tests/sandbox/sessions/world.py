"""A platform that takes sessions, in a namespace of a real API server. The test writes the pods' statuses
as a kubelet would, and deletes them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sandbox import settings
from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.nodes.clock import Clock
from sandbox.sessions.clients import Demand
from sandbox.sessions.journal import Journal
from sandbox.sessions.model import Cut
from sandbox.sessions.traffic import Traffic
from tests.sandbox.sessions import objects
from tests.sandbox.sessions.objects import Json

SESSIONS = "sandbox.sm-realtime/sessions"
WITHIN = 90.0
_ADDRESSES = itertools.count(1)


async def until(reached: Callable[[], object], what: object, within: float = WITHIN) -> None:
    """Returns once `reached` holds; fails when it does not in time, with `what` as it is then."""
    deadline = time.monotonic() + within
    while not reached():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        await asyncio.sleep(0.02)


class Platform:
    """One namespace with everything on a session's path."""

    def __init__(self, kube: Kube, kubeconfig: str, namespace: str, home: Home) -> None:
        self.kube, self.kubeconfig, self.namespace, self.home = kube, kubeconfig, namespace, home
        self.node = f"node-{namespace}"
        self._addresses: dict[str, str] = {}
        self.journal = Journal(home.root / "journal.jsonl")

    def settings(self, **given: Any) -> None:
        settings.write(settings.Settings(**given), self.home)

    async def pod(self, name: str, spec: Json, labels: Json | None = None, ready: bool = True) -> Json:
        meta = {"name": name, "namespace": self.namespace, "labels": labels or {"app": name}}
        made = await self.kube.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": meta,
                "spec": {"nodeName": self.node, "automountServiceAccountToken": False, **spec},
            }
        )
        if ready:
            await self.ready(name)
        return made

    async def ready(self, name: str, value: bool = True) -> None:
        number = next(_ADDRESSES)
        address = self._addresses.setdefault(name, f"10.240.{number // 250}.{number % 250 + 1}")
        status = {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": str(value)}],
        }
        await self.kube.merge("v1", "Pod", name, {"status": status}, self.namespace, "status")

    async def transcriber(self, name: str, language: str = "en", ping: int = 0, **spec: Any) -> None:
        await self.pod(name, objects.transcriber(language, ping=ping, **spec), {"lang": language})

    async def deployment(self, name: str, spec: Json, lang: str | None = None) -> None:
        """Something that would make such pods; paused at none, so that the test makes them."""
        labels = {"made-by": name} | ({"lang": lang} if lang else {})
        await self.kube.create(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {"made-by": name}},
                    "template": {"metadata": {"labels": labels}, "spec": spec},
                },
            }
        )

    async def install(self, transcribers: int = 2, capacity: int = 2, proxies: int = 1) -> None:
        """Everything for English, and `nginx-config` with clocks that cut nobody."""
        await self.configure()
        await self.deployment("transcriber", objects.transcriber(), "en")
        await self.deployment("resource-manager", objects.resource_manager())
        await self.kube.create(objects.service(self.namespace, "proxy", 8080, {"app": "proxy"}))
        await self.kube.create(objects.ingress(self.namespace))
        await self.pod("ingress", objects.ingress_controller(self.namespace))
        for number in range(proxies):
            await self.pod(f"proxy-{number}", objects.proxy(), {"app": "proxy"})
        await self.pod("rm", objects.resource_manager())
        await self.pod("triton", objects.inference(24 * transcribers * capacity))
        for number in range(transcribers):
            await self.transcriber(f"t{number}", capacity=capacity)

    async def configure(self, **data: str) -> None:
        await self.kube.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "nginx-config", "namespace": self.namespace},
                "data": {key.replace("_", "-"): value for key, value in data.items()},
            },
            force=True,
        )

    async def sessions(self) -> dict[str, str]:
        """What the pods say they hold, where it is not nothing."""
        pods = await self.kube.list("v1", "Pod", self.namespace)
        found = {pod["metadata"]["name"]: (pod["metadata"].get("annotations") or {}).get(SESSIONS) for pod in pods}
        return {name: count for name, count in found.items() if count not in (None, "0")}

    @asynccontextmanager
    async def machine(self) -> AsyncIterator[None]:
        """The node, which nobody plays: a pod told to stop stays for as long as its grace is."""
        await self.kube.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.node}})
        yield
        for pod in await self.kube.list("v1", "Pod", self.namespace):
            await self.delete(pod["metadata"]["name"])
        await self.kube.delete("v1", "Node", self.node)

    async def delete(self, name: str) -> None:
        await self.kube.delete("v1", "Pod", name, self.namespace, grace_seconds=0)

    @property
    def cuts(self) -> list[Cut]:
        return self.journal.cuts

    async def cut(self, count: int) -> list[tuple[str, str, str]]:
        """Once so many sessions were cut: pod, reason and step of each."""
        await until(lambda: len(self.cuts) >= count, self.journal.events)
        return sorted((each.hop.pod, each.reason, each.step) for each in self.cuts)

    @asynccontextmanager
    async def traffic(self, sessions: int, **demand: Any) -> AsyncIterator[Traffic]:
        """So many clients, all of them connected; their sessions are long unless `demand` says otherwise."""
        asked = Demand(**({"mean": 1e6, "longest": 1e6} | demand))
        traffic = Traffic(self.kube, Clock(self.home), asked, self.journal, self.namespace)
        running = asyncio.create_task(traffic.run())
        try:
            traffic.hold(sessions)
            await until(lambda: running.done() or traffic.alive == sessions, self.journal.events)
            yield traffic
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
