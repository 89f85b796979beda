"""The kubelets of one cluster: which pods are played, on which nodes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from sandbox.home import Home
from sandbox.kube import Json, Kube, KubeError
from sandbox.nodes import gpu
from sandbox.nodes.clock import Clock
from sandbox.nodes.images import REGISTRIES, Registry
from sandbox.nodes.kubelet import PodWorker
from sandbox.nodes.streams import Streams
from sandbox.nodes.world import World, sessions

RESTART_SECONDS = 1.0
"""Before a pod whose playing failed is taken up again. Real seconds."""

_log = logging.getLogger(__name__)


class Agent:
    """Watches nodes, Services and bound pods, and plays each pod whose node exists."""

    def __init__(
        self, kube: Kube, home: Home, kubelet_port: int, registries: Mapping[str, Registry] = REGISTRIES
    ) -> None:
        self.world = World(kube, Clock(home), registries)
        self.synced = asyncio.Event()
        """Set once all that existed at the start is played."""
        self._kube, self._port = kube, kubelet_port
        self._pods: dict[str, Json] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self.workers: dict[str, PodWorker] = {}

    async def run(self, socket: Path) -> None:
        """Play for ever; `socket` is where the kubelet-server asks. Raises `KubeError` when it may not watch."""
        nodes_known, services_known = asyncio.Event(), asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_nodes(nodes_known))
                tasks.create_task(self._watch_services(services_known))
                tasks.create_task(Streams(self.workers).serve(socket))
                await nodes_known.wait()
                await services_known.wait()
                tasks.create_task(self._watch_pods())
        finally:
            left = [*self._tasks.values(), *self._chores]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    # --- nodes and Services

    async def _watch_nodes(self, known: asyncio.Event) -> None:
        seen: set[str] | None = set()
        async for kind, node in self._kube.watch("v1", "Node"):
            if kind == "RESYNC":
                seen = set()
            elif kind == "SYNCED":
                for name in set(self.world.nodes) - (seen or set()):
                    await self._node_gone(name)
                seen = None
                known.set()
            elif kind == "DELETED":
                await self._node_gone(node["metadata"]["name"])
            else:
                if seen is not None:
                    seen.add(node["metadata"]["name"])
                self._node_seen(node)

    def _node_seen(self, node: Json) -> None:
        name = node["metadata"]["name"]
        new = name not in self.world.nodes
        self.world.nodes[name] = node
        if new:
            self._chore(self._register(node))
            for uid, pod in self._pods.items():
                if pod["spec"]["nodeName"] == name:
                    self._begin(uid)

    async def _node_gone(self, name: str) -> None:
        """The node's pods are not played any more: the pod garbage collector takes them."""
        self.world.nodes.pop(name, None)
        self.world.addresses.forget(name)
        self.world.pulled = {pull for pull in self.world.pulled if pull[0] != name}
        for uid, worker in list(self.workers.items()):
            if worker.node == name:
                await self._report_cut(worker, f"its node {name} is gone")
                await self._end(uid)

    async def _register(self, node: Json) -> None:
        """Where the node's kubelet answers, when whoever made the node has not said so."""
        status = node.get("status") or {}
        endpoint = (status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}
        addresses = status.get("addresses") or []
        if endpoint.get("Port") == self._port and any(a["type"] == "ExternalDNS" for a in addresses):
            return
        kept = [a for a in addresses if a["type"] != "ExternalDNS"]
        patch = {
            "status": {
                "addresses": [*kept, {"type": "ExternalDNS", "address": "localhost"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
            }
        }
        try:
            await self._kube.merge("v1", "Node", node["metadata"]["name"], patch, subresource="status")
        except KubeError as error:
            _log.warning("node %s: its kubelet's port is not written: %s", node["metadata"]["name"], error.message)

    async def _watch_services(self, known: asyncio.Event) -> None:
        async for kind, service in self._kube.watch("v1", "Service"):
            if kind == "RESYNC":
                self.world.services.clear()
                continue
            if kind == "SYNCED":
                known.set()
            else:
                key = (service["metadata"]["namespace"], service["metadata"]["name"])
                if kind == "DELETED":
                    self.world.services.pop(key, None)
                else:
                    self.world.services[key] = service
            self.world.touch()

    # --- pods

    async def _watch_pods(self) -> None:
        seen: set[str] | None = set()
        async for kind, pod in self._kube.watch("v1", "Pod", fields="spec.nodeName!="):
            if kind == "RESYNC":
                seen = set()
            elif kind == "SYNCED":
                for uid in set(self._pods) - (seen or set()):
                    await self._pod_gone(uid)
                seen = None
                self.synced.set()
                for name in self.world.nodes:
                    self._chore(gpu.refresh(self.world, name))
            elif kind == "DELETED":
                await self._pod_gone(pod["metadata"]["uid"])
            else:
                uid = pod["metadata"]["uid"]
                if seen is not None:
                    seen.add(uid)
                self._pods[uid] = pod
                if uid in self.workers:
                    self.workers[uid].see(pod)
                else:
                    self._begin(uid)

    def _begin(self, uid: str) -> None:
        pod = self._pods[uid]
        if pod["spec"]["nodeName"] not in self.world.nodes or uid in self._tasks:
            return
        worker = PodWorker(self.world, pod, self._process_changed)
        self.workers[uid] = self.world.played[uid] = worker
        self._tasks[uid] = asyncio.create_task(self._play(worker), name=f"pod {pod['metadata']['name']}")

    async def _play(self, worker: PodWorker) -> None:
        """A failure of the stand-in itself is reported, and the pod taken up again from what the API server says."""
        while True:
            try:
                await worker.run()
                return
            except Exception:
                meta = worker.pod["metadata"]
                _log.exception("pod %s/%s: playing it failed; trying again", meta["namespace"], meta["name"])
                await asyncio.sleep(RESTART_SECONDS)
                worker = PodWorker(self.world, worker.pod, self._process_changed)
                self.workers[meta["uid"]] = self.world.played[meta["uid"]] = worker

    async def _pod_gone(self, uid: str) -> None:
        pod = self._pods.pop(uid, None)
        worker = self.workers.get(uid)
        if pod is not None and worker is not None:
            await self._report_cut(worker, "the pod was deleted without grace")
        await self._end(uid)
        self.world.addresses.free(uid)
        self.world.recorder.forget(uid)

    async def _report_cut(self, worker: PodWorker, why: str) -> None:
        held = sessions(worker.pod)
        if held and any(container.running for container in worker.containers):
            await self.world.recorder.record(worker.pod, "Warning", "SessionsCut", f"{held} sessions were cut: {why}")

    async def _end(self, uid: str) -> None:
        """Stop playing a pod, whatever becomes of it."""
        task = self._tasks.pop(uid, None)
        worker = self.workers.pop(uid, None)
        self.world.played.pop(uid, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if worker is not None:
            self.world.touch()
            self._process_changed(worker)

    def _process_changed(self, worker: PodWorker) -> None:
        if any(gpu.is_plugin(container.spec["image"]) for container in worker.containers):
            self._chore(gpu.refresh(self.world, worker.node))

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside; it reports its own errors."""
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
