"""A namespace with nodes that the stand-in plays, for tests against the real API server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox import settings
from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.nodes.agent import Agent
from sandbox.nodes.images import REGISTRIES, VENDOR, Registry
from sandbox.nodes.kubelet import PodWorker
from sandbox.plane import programs
from sandbox.plane.control_plane import ControlPlane

Json = dict[str, Any]
SESSIONS = "sandbox.sm-realtime/sessions"
GPUS = "sandbox.sm-realtime/gpus"
REDIS = "redis:7.4.1"
TAG = "1.34.6-1307912"
FACTOR = 20.0
"""How much faster than the objects' seconds the tests' clocks run."""
WITHIN = 60.0


@dataclass
class Stage:
    """What a test plays on."""

    plane: ControlPlane
    kube: Kube
    namespace: str
    home: Home
    node: str
    gpu_node: str
    password: str
    """What the vendor's registry accepts from `sandbox` in this test."""
    agent: Agent = field(init=False)
    _running: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.settings(FACTOR)

    def settings(self, factor: float, **others: str) -> None:
        settings.write(settings.Settings(time_factor=factor, **others), self.home)

    # --- the stand-in

    async def start(self) -> None:
        """Start the node stand-in; returns when it plays all there is."""
        digest = hashlib.sha256(f"sandbox:{self.password}".encode()).hexdigest()
        registries = {**REGISTRIES, VENDOR: Registry(digest)}
        self.agent = Agent(self.kube, self.home, self.plane.kubelet_port, registries)
        self._running = asyncio.create_task(self.agent.run(self.plane.folder / programs.KUBELET_SOCKET))
        synced = asyncio.create_task(self.agent.synced.wait())
        await asyncio.wait({synced, self._running}, timeout=WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            self._running.result()
        assert synced.done(), "the node stand-in has not come up"

    def played(self) -> dict[str, PodWorker]:
        """The pods of this stage that are played, by name; the cluster may have others."""
        workers = self.agent.workers.values()
        mine = [worker for worker in workers if worker.pod["metadata"]["namespace"] == self.namespace]
        return {worker.pod["metadata"]["name"]: worker for worker in mine}

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
            self._running = None

    # --- objects

    async def add_node(self, name: str, gpus: int = 0, address: str = "10.224.0.4") -> None:
        room = {"cpu": "16", "memory": "64Gi", "pods": "110", "ephemeral-storage": "100Gi"}
        await self.kube.create(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "annotations": {GPUS: str(gpus)} if gpus else {}},
                "status": {
                    "capacity": room,
                    "allocatable": room,
                    "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
                },
            }
        )

    async def create(self, kind: str, name: str, api_version: str = "v1", **body: Any) -> Json:
        return await self.kube.create(
            {
                "apiVersion": api_version,
                "kind": kind,
                "metadata": {"name": name, "namespace": self.namespace},
                **body,
            }
        )

    async def pod(
        self,
        name: str,
        *containers: Json,
        node: str | None = None,
        labels: Mapping[str, str] | None = None,
        sessions: int | None = None,
        **spec: Any,
    ) -> Json:
        """A pod bound to a node; by default one container `main` with Redis in it."""
        meta: Json = {"name": name, "namespace": self.namespace, "labels": dict(labels or {"app": name})}
        if sessions is not None:
            meta["annotations"] = {SESSIONS: str(sessions)}
        return await self.kube.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": meta,
                "spec": {
                    "nodeName": node or self.node,
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": 30,
                    "containers": list(containers) or [container()],
                    **spec,
                },
            }
        )

    async def service(self, name: str, port: int, target: int | str | None = None, **selector: str) -> None:
        ports = [{"port": port, "targetPort": target or port}]
        await self.create("Service", name, spec={"selector": selector or {"app": name}, "ports": ports})

    async def pull_secret(self, name: str = "registry", password: str | None = None) -> None:
        auth = base64.b64encode(f"sandbox:{password or self.password}".encode()).decode()
        content = json.dumps({"auths": {VENDOR: {"auth": auth}}})
        data = {".dockerconfigjson": base64.b64encode(content.encode()).decode()}
        await self.create("Secret", name, type="kubernetes.io/dockerconfigjson", data=data)

    async def hold(self, name: str, count: int) -> None:
        """The pod holds that many sessions."""
        patch = {"metadata": {"annotations": {SESSIONS: str(count)}}}
        await self.kube.merge("v1", "Pod", name, patch, self.namespace)

    # --- observation

    async def get(self, name: str) -> Json | None:
        return await self.kube.find("v1", "Pod", name, self.namespace)

    async def until(self, name: str, reached: Callable[[Json], object], within: float = WITHIN) -> Json:
        """The pod, once `reached` holds for it; fails with what it is instead."""
        deadline = time.monotonic() + within
        while True:
            pod = await self.get(name)
            if pod is not None and reached(pod):
                return pod
            if time.monotonic() > deadline:
                raise AssertionError(f"{name}: {json.dumps((pod or {}).get('status'), indent=1)}")
            await asyncio.sleep(0.05)

    async def ready(self, name: str, within: float = WITHIN) -> Json:
        return await self.until(name, is_ready, within)

    async def gone(self, name: str, within: float = WITHIN) -> float:
        """Seconds until the pod does not exist any more."""
        began = time.monotonic()
        while await self.get(name) is not None:
            assert time.monotonic() - began < within, f"{name} is still there"
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def event(self, name: str, reason: str, text: str = "", within: float = WITHIN) -> Json:
        """The first event on the pod with that reason, and text in its message."""
        deadline = time.monotonic() + within
        while True:
            events = await self.kube.list(
                "v1", "Event", self.namespace, fields=f"involvedObject.name={name},reason={reason}"
            )
            for event in events:
                if text in event["message"]:
                    return event
            if time.monotonic() > deadline:
                raise AssertionError(f"{name}: no {reason} {text!r} among {[e['message'] for e in events]}")
            await asyncio.sleep(0.05)

    async def counted(self, event: Json, times: int, within: float = WITHIN) -> None:
        """Returns when the event has been recorded that many times."""
        deadline = time.monotonic() + within
        while (await self.kube.get("v1", "Event", event["metadata"]["name"], self.namespace))["count"] < times:
            assert time.monotonic() < deadline, f"not {times} times: {event['message']}"
            await asyncio.sleep(0.05)

    async def delete(self, name: str, grace: int | None = None) -> None:
        await self.kube.delete("v1", "Pod", name, self.namespace, grace_seconds=grace)

    async def kubectl(self, *arguments: str, stdin: bytes = b"", within: float = 30) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of the real kubectl."""
        config = self.plane.folder / "kubectl.yaml"
        config.write_text(self.plane.admin_kubeconfig())
        process = await asyncio.create_subprocess_exec(
            str(self.plane.tools.path("kubectl")), f"--kubeconfig={config}", "-n", self.namespace, *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, error = await asyncio.wait_for(process.communicate(stdin), within)
        return process.returncode or 0, out.decode(), error.decode()


def container(name: str = "main", image: str = REDIS, **fields: Any) -> Json:
    return {"name": name, "image": image, **fields}


def vendor(name: str, repository: str, **fields: Any) -> Json:
    return container(name, f"{VENDOR}/{repository}:{TAG}", **fields)


def env(**values: str) -> list[Json]:
    return [{"name": name, "value": value} for name, value in values.items()]


def is_ready(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def status_of(pod: Json, name: str = "main") -> Json:
    """A container's status; empty while there is none."""
    status = pod.get("status", {})
    everything: Sequence[Json] = [
        *(status.get("containerStatuses") or []),
        *(status.get("initContainerStatuses") or []),
    ]
    return next((s for s in everything if s["name"] == name), {})


def waiting(reason: str, text: str = "", name: str = "main") -> Callable[[Json], bool]:
    """Whether the container waits for that reason, with the text in its message."""

    def holds(pod: Json) -> bool:
        state = status_of(pod, name).get("state", {}).get("waiting", {})
        return bool(state.get("reason") == reason and text in state.get("message", ""))

    return holds


def condition(pod: Json, kind: str) -> Json:
    return next((c for c in pod["status"]["conditions"] if c["type"] == kind), {})


async def until(reached: Callable[[], bool], within: float = WITHIN) -> None:
    """Returns once `reached` holds; fails when it does not in time."""
    deadline = time.monotonic() + within
    while not reached():
        assert time.monotonic() < deadline, "it did not come to that in time"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def staged(plane: ControlPlane, kube: Kube, namespace: str, root: Path) -> AsyncIterator[Stage]:
    """A stage with one plain and one GPU node; all it made is gone afterwards."""
    stage = Stage(plane, kube, namespace, Home(root), f"node-{namespace}", f"gpu-{namespace}", secrets.token_hex(8))
    await stage.add_node(stage.node)
    await stage.add_node(stage.gpu_node, gpus=1, address="10.224.0.5")
    await stage.start()
    try:
        yield stage
    finally:
        await stage.stop()
        for pod in await kube.list("v1", "Pod", namespace):
            await kube.delete("v1", "Pod", pod["metadata"]["name"], namespace, grace_seconds=0)
        for name in (stage.node, stage.gpu_node):
            await kube.delete("v1", "Node", name)
