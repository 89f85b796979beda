"""One pod on its node, from the moment it is bound to the moment it is gone.

The truth is in the API server: a stand-in that starts anew finds in the pod's status what runs, and carries on.
"""

from __future__ import annotations

import asyncio
import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from sandbox.kube import Json, KubeError
from sandbox.nodes import images, status
from sandbox.nodes.clock import Signal, epoch, stamp
from sandbox.nodes.commands import Inside
from sandbox.nodes.container import Container
from sandbox.nodes.creation import SYNC_SECONDS
from sandbox.nodes.mounting import Mounting
from sandbox.nodes.process import KILLED, TERMINATED, Exit, Role
from sandbox.nodes.publishing import RETRY_SECONDS, Publisher
from sandbox.nodes.volumes import Files
from sandbox.nodes.world import World, sessions
from sandbox.sessions.rows import BusySigterm

HANDLERS = frozenset({"", "runc"})
GPU_HANDLERS = HANDLERS | {"nvidia-container-runtime"}
"""Runtime handlers of AKS nodes, without and with a GPU."""


class PodWorker:
    """Plays one pod."""

    def __init__(self, world: World, pod: Json, on_change: Callable[[PodWorker], None]) -> None:
        """`on_change` hears of every change of what the pod's processes do."""
        self.world, self.pod = world, pod
        self._on_change = on_change
        self.changed = Signal()
        """Fires when the pod's object changes."""
        self.mounting = Mounting(self)
        self._publisher = Publisher(self)
        before = pod.get("status") or {}
        self._began = before.get("startTime") or stamp()
        self._seen_alive = "deletionTimestamp" not in pod["metadata"]
        self._over = False
        self.ready = False
        self.address = before.get("podIP") or ""
        found = [*(before.get("containerStatuses") or []), *(before.get("initContainerStatuses") or [])]
        # copies: the containers change their statuses, and what stands in the API server is compared with them
        known = {s["name"]: copy.deepcopy(s) for s in found}
        self.init = [
            Container(self, spec, Role.SIDECAR if status.is_sidecar(spec) else Role.INIT, known.get(spec["name"]))
            for spec in pod["spec"].get("initContainers") or []
        ]
        self.apps = [Container(self, spec, Role.APP, known.get(spec["name"])) for spec in pod["spec"]["containers"]]
        if self.address:
            world.addresses.hold(self.node, pod["metadata"]["uid"], self.address)

    @property
    def node(self) -> str:
        return str(self.pod["spec"]["nodeName"])

    @property
    def containers(self) -> list[Container]:
        return [*self.init, *self.apps]

    @property
    def processes(self) -> Iterator[Container]:
        return iter(self.containers)

    @property
    def volumes(self) -> Mapping[str, Files]:
        return self.mounting.volumes

    def container(self, name: str) -> Container | None:
        return next((c for c in self.containers if c.name == name), None)

    # --- what others see of the pod

    def paths(self, port: int) -> Sequence[str] | None:
        """The HTTP paths that answer 200 at a port of the pod; None when nothing listens there."""
        found = [paths for paths in (c.paths(port) for c in self.containers) if paths is not None]
        return max(found, key=len) if found else None

    def connections(self) -> tuple[tuple[int, int], ...]:
        """The established connections of the pod's sessions, by port."""
        count = sessions(self.pod)
        port = next((c.known.session_port for c in self.containers if c.serving and c.known.session_port), None)
        return ((port, count),) if port is not None and count else ()

    def inside(self, container: Container) -> Inside:
        """What a command finds in that container."""
        spec = self.pod["spec"]
        hostname = self.node if spec.get("hostNetwork") else spec.get("hostname") or self.pod["metadata"]["name"][:63]
        serving = [c for c in self.containers if c.serving]
        redis = any(c.spec["image"] and _is_redis(c.spec["image"]) for c in serving)
        return Inside(
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOSTNAME": hostname, **container.env},
            hostname=hostname,
            address=self.address,
            files=container.files,
            folders=container.folders,
            programs=container.known.programs,
            listening=tuple(sorted({port for c in serving for port in c.ports})),
            connections=self.connections(),
            redis=redis,
        )

    def answers_changed(self) -> None:
        """A process of the pod began or ceased to listen: every probe of the pod may find something else."""
        for container in self.containers:
            container.changed.fire()
        self._on_change(self)

    # --- life

    async def run(self) -> None:
        """Until the pod is gone. Cancelled, it leaves the pod as it is."""
        async with asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(self._publisher.run())
            playing = tasks.create_task(self._play())
            while "deletionTimestamp" not in self.pod["metadata"]:
                await self.changed.wait()
            playing.cancel()
            await asyncio.wait({playing})
            await self._stop()
            publishing.cancel()

    def see(self, pod: Json) -> None:
        """A newer state of the object."""
        if int(pod["metadata"]["resourceVersion"]) >= int(self.pod["metadata"]["resourceVersion"]):
            gates = self.pod["spec"].get("readinessGates")
            self.pod = pod
            self.changed.fire()
            if gates:
                self.publish()

    async def _play(self) -> None:
        before = self.pod.get("status") or {}
        if before.get("phase") in ("Succeeded", "Failed"):
            self._over = True
            return
        resumed = any(c.status.get("containerID") for c in self.containers)
        if not resumed:
            self.address = ""
        self.publish()
        await (self.mounting.refresh() if resumed else self.mounting.mount())
        if not resumed:
            await self._sandbox()
        async with asyncio.TaskGroup() as tasks:
            sidecars = []
            for container in self.init:
                if container.role is Role.SIDECAR:
                    sidecars.append(tasks.create_task(container.supervise()))
                    if not self._initialized():
                        await container.started.wait()
                elif not self._initialized() and not await container.supervise():
                    break
            else:
                await asyncio.gather(*(container.supervise() for container in self.apps))
            for sidecar in sidecars:
                sidecar.cancel()
        for container in self.init:
            if container.running:
                container.end(Exit(0))
        self._over = True
        self.publish()

    def _initialized(self) -> bool:
        """Whether a container proper has ever run: then init containers are not run again."""
        return any(c.status.get("containerID") for c in self.apps)

    # --- sandbox

    async def _sandbox(self) -> None:
        while (why := await self._no_runtime()) is not None:
            await self.warn("FailedCreatePodSandBox", f"Failed to create pod sandbox: {why}")
            await self.world.clock.sleep(SYNC_SECONDS)
        host_network = self.pod["spec"].get("hostNetwork")
        uid = self.pod["metadata"]["uid"]
        self.address = self.world.host_ip(self.node) if host_network else self.world.addresses.take(self.node, uid)
        self.publish()

    async def _no_runtime(self) -> str | None:
        """Why the node cannot run the pod's RuntimeClass; None when it can."""
        name = self.pod["spec"].get("runtimeClassName")
        if not name:
            return None
        try:
            found = await self.world.kube.find("node.k8s.io/v1", "RuntimeClass", name)
        except KubeError as error:
            return error.message
        if found is None:
            return f'failed to get RuntimeClass handler: RuntimeClass "{name}" not found'
        handler = found["handler"]
        if handler in (GPU_HANDLERS if self.world.gpus(self.node) else HANDLERS):
            return None
        unknown = f'no runtime for "{handler}" is configured'
        return f"rpc error: code = Unknown desc = failed to get sandbox runtime: {unknown}"

    async def warn(self, reason: str, message: str) -> None:
        await self.world.recorder.record(self.pod, "Warning", reason, message)

    # --- the end

    async def _stop(self) -> None:
        """The pod is asked to stop: it goes when its sessions and processes have ended, or its grace is over."""
        if any(c.running for c in self.containers):
            for container in self.containers:
                if container.running:
                    await container.event("Normal", "Killing", f"Stopping container {container.name}")
            forced = await self._drain()
            left = sessions(self.pod)
            if left:
                why = "the pod's grace period was over" if forced else "its busy processes ended at SIGTERM"
                await self.warn("SessionsCut", f"{left} sessions were cut: {why}")
            for container in self.containers:
                if container.running:
                    container.end(Exit(KILLED if forced else TERMINATED))
        self._over = True
        meta = self.pod["metadata"]
        await self._publisher.write()
        while True:
            try:
                await self.world.kube.delete(
                    "v1", "Pod", meta["name"], meta["namespace"], grace_seconds=0, uid=meta["uid"]
                )
                return
            except KubeError as error:
                if error.code == 409:
                    return
                await asyncio.sleep(RETRY_SECONDS)

    async def _drain(self) -> bool:
        """Wait for the work to be done; True when the grace was over first."""
        real = self.world.clock.real
        grace = float(self.pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        asked = time.time() if self._seen_alive else asked_to_stop(self.pod)
        deadline, idle_since = asked + real(grace), None if self._works() else asked
        needed = max((c.stop_seconds() for c in self.containers if c.running), default=0.0)
        while True:
            now = time.time()
            shorter = float(self.pod["metadata"].get("deletionGracePeriodSeconds") or 0)
            if shorter < grace:
                grace, deadline = shorter, min(deadline, now + real(shorter))
            if self._works():
                idle_since = None
            elif idle_since is None:
                idle_since = now
            done = math.inf if idle_since is None else idle_since + real(needed)
            if now >= deadline:
                return True
            if now >= done:
                return False
            await self.changed.wait(min(done, deadline) - now)

    def _works(self) -> bool:
        """Whether the pod, told to stop, goes on for the sake of its sessions."""
        serving = [c for c in self.containers if c.running and c.known.session_port is not None]
        finishes = self.world.clock.current.busy_sigterm is BusySigterm.FINISHES or all(
            c.finishes_busy for c in serving
        )
        return sessions(self.pod) > 0 and finishes

    # --- writing the status

    def publish(self) -> None:
        """The status has changed; it is written soon."""
        self._publisher.dirty.set()

    def seen(self) -> status.Seen:
        sandbox = bool(self.address)
        return status.Seen(
            self.pod,
            [c.status for c in self.init],
            [c.status for c in self.apps],
            self.address,
            self.world.host_ip(self.node),
            sandbox,
            self._began,
            self._over,
        )

    def now_ready(self, ready: bool) -> None:
        """The status that stands says so."""
        if ready != self.ready:
            self.ready = ready
            self.world.touch()


def asked_to_stop(pod: Json) -> float:
    """When the pod was told to stop (epoch seconds): timestamps are cut to whole seconds, the latest moment counts."""
    meta = pod["metadata"]
    return epoch(meta["deletionTimestamp"]) - float(meta.get("deletionGracePeriodSeconds") or 0) + 1


def _is_redis(image: str) -> bool:
    reference = images.parse(image)
    return reference is not None and reference.original == "docker.io/library/redis"
