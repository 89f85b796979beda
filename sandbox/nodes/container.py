"""One container of a pod: pulled, created, probed, restarted, as its kubelet would have it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from sandbox.kube import Json, KubeError
from sandbox.nodes import creation, entries, environment, images, process, volumes
from sandbox.nodes.clock import Backoff, Signal, epoch, spoken
from sandbox.nodes.environment import ConfigError
from sandbox.nodes.logs import Log
from sandbox.nodes.probes import Prober, Watched, check
from sandbox.nodes.process import KILLED, TERMINATED, Exit, Role

if TYPE_CHECKING:
    from sandbox.nodes.kubelet import PodWorker

CRASH_BACKOFF = (10.0, 300.0)
"""Seconds before a container that ended is started again, from the second time on: doubled up to the longest."""
CRASH_FORGIVEN = 600.0
"""A life of this many seconds starts the back-off anew."""
_UNKNOWN = images.Image(start_seconds=0, stop_seconds=0)


class Container:
    """One container; `status` is its entry in the pod's status."""

    def __init__(self, pod: PodWorker, spec: Json, role: Role, status: Json | None) -> None:
        self.pod, self.world = pod, pod.world
        self.spec, self.role = spec, role
        self.image: images.Image | None = images.of(spec["image"])
        self.status: Json = status or entries.fresh(spec, pod.pod["spec"])
        self.env: Mapping[str, str] = {}
        self.files: volumes.Files = {}
        self.folders: frozenset[str] = frozenset()
        self.serving = self.running and self._came_up_before()
        """Whether the process listens."""
        self.started = asyncio.Event()
        """Set once the container has started in a kubelet's sense (its startup probe has succeeded)."""
        self.changed = Signal()
        self.log = Log()
        self._backoff = Backoff(*CRASH_BACKOFF)
        self._crashed = False
        self._exit: asyncio.Future[Exit] | None = None

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def known(self) -> images.Image:
        return self.image or _UNKNOWN

    @property
    def running(self) -> bool:
        return "running" in self.status["state"]

    def listens(self, port: int) -> bool:
        return self.paths(port) is not None

    @property
    def ports(self) -> Mapping[int, Sequence[str]]:
        """Where the process listens, with the HTTP paths that answer 200."""
        return images.listening(self.known, self.spec, self.env)

    def paths(self, port: int) -> Sequence[str] | None:
        """The HTTP paths that answer 200; None when nothing listens there."""
        return self.ports.get(port) if self.serving else None

    async def event(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        section = "containers" if self.role is Role.APP else "initContainers"
        await self.world.recorder.record(self.pod.pod, kind, reason, message, f"spec.{section}{{{self.name}}}")

    # --- one life after the other

    async def supervise(self) -> bool:
        """Run the container for as long as its pod wants it; whether it ended well for good."""
        resumed = self.running
        ended = self.status["state"].get("terminated")
        while True:
            if ended is None:
                exit_ = await self._life(resumed)
                resumed = False
            else:
                exit_, ended = Exit(ended["exitCode"]), None
            if not self._starts_again(exit_):
                return exit_.code == 0
            await self._back_off()

    def _starts_again(self, exit_: Exit) -> bool:
        policy = self.pod.pod["spec"].get("restartPolicy", "Always")
        if self.role is Role.SIDECAR:
            return True
        if self.role is Role.INIT:
            return exit_.code != 0 and policy != "Never"
        return policy == "Always" or (policy == "OnFailure" and exit_.code != 0)

    async def _back_off(self) -> None:
        """The first restart is immediate, later ones wait longer and longer."""
        ended = self.status["state"]["terminated"]
        if epoch(ended["finishedAt"]) - epoch(ended["startedAt"]) > self.world.clock.real(CRASH_FORGIVEN):
            self._backoff.reset()
            self._crashed = False
        if not self._crashed:
            self._crashed = True
            return
        seconds = self._backoff.next()
        meta = self.pod.pod["metadata"]
        full = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        self.wait_as(
            "CrashLoopBackOff", f"back-off {spoken(seconds)} restarting failed container={self.name} pod={full}"
        )
        await self.event("Warning", "BackOff", f"Back-off restarting failed container {self.name} in pod {full}")
        await self.world.clock.sleep(seconds)

    async def _life(self, resumed: bool) -> Exit:
        """From creation to the end of the process. Cancelled, it leaves the process as it is."""
        if resumed:
            await self._recall()
        else:
            self._created(await creation.create(self))
            await self.event("Normal", "Started", "Container started")
        self._exit = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._process(resumed)), tasks.create_task(self._probed(resumed))]
            exit_ = await self._exit
            for task in running:
                task.cancel()
        self.end(exit_)
        return exit_

    def wait_as(self, reason: str, message: str | None = None) -> None:
        state = self.status["state"]
        if "terminated" in state:
            self.status["lastState"] = state
        self.status["state"] = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
        self.pod.publish()

    def end(self, exit_: Exit) -> None:
        """The process is over."""
        self.status |= entries.ended(self.status, exit_, done=self.role is Role.INIT and exit_.code == 0)
        self.serving = False
        self.started.clear()
        self.log.say(f"the process ended with exit code {exit_.code}")
        self.log.end()
        self._wake()

    def _wake(self) -> None:
        self.pod.answers_changed()
        self.world.touch()
        self.pod.publish()

    # --- creation

    def _created(self, reference: images.Reference) -> None:
        """The container has been created and started."""
        self.status |= entries.started(self.status, reference, self.pod.pod["metadata"]["uid"])
        self.log.begin()
        self.log.say(f"container {self.name} started from {reference.full}")
        self.pod.publish()

    def look_into_volumes(self) -> None:
        """What the mounts show at the container's start."""
        files, folders = volumes.files_of(self.spec, self.pod.volumes)
        self.files, self.folders = files, frozenset(folders)

    def look_again(self) -> None:
        """What the mounts show now: files mounted by `subPath` stay as they were."""
        mounts = [m["mountPath"] for m in self.spec.get("volumeMounts") or [] if m.get("subPath")]
        kept = {path: self.files[path] for path in mounts if path in self.files}
        self.look_into_volumes()
        self.files |= kept

    async def _recall(self) -> None:
        """A container that runs already, found by a stand-in that has just begun: its environment as it is now."""
        self.world.pulled.add((self.pod.node, self.spec["image"]))
        self.look_into_volumes()
        try:
            self.env = await environment.resolve(self.world, self.pod.pod, self.spec, self.pod.address)
        except (ConfigError, KubeError) as error:
            self.log.say(f"its environment cannot be read any more: {error}")

    # --- the process

    async def _process(self, resumed: bool) -> None:
        """Play the process of one life; it says so when it ends."""
        if not self.serving:
            age = self._age() if resumed else 0.0
            await asyncio.sleep(max(0.0, self.world.clock.real(self.known.start_seconds) - age))
            exit_ = await process.start(self)
            if exit_ is not None:
                self._leave(exit_)
                return
        self.serving = True
        self.log.say(f"listening on {', '.join(map(str, sorted(self.ports))) or 'no port'}")
        self._wake()
        await asyncio.Event().wait()

    def _age(self) -> float:
        """Real seconds since the process began, as the status has it."""
        return time.time() - epoch(self.status["state"]["running"]["startedAt"])

    def _came_up_before(self) -> bool:
        """Whether the process of a container found running listens already."""
        up = self._age() >= self.world.clock.real(self.known.start_seconds) and self.known.needs is None
        return bool(self.status["started"] and (up or self.status["ready"]))

    def _leave(self, exit_: Exit) -> None:
        if self._exit is not None and not self._exit.done():
            self._exit.set_result(exit_)

    # --- probes

    async def _probed(self, resumed: bool) -> None:
        async def unhealthy(message: str) -> None:
            await self.event("Warning", "Unhealthy", message)

        started_at = time.time() - (self._age() if resumed else 0.0)
        watched = Watched(
            self.spec,
            started_at,
            self.changed,
            lambda probe: check(probe, self.spec, self.pod, lambda: self.pod.inside(self)),
            unhealthy,
        )
        prober = Prober(watched, self.world.clock)
        if not (resumed and self.status["started"]) and not await prober.until_started():
            await self._kill(f"Container {self.name} failed startup probe, will be restarted", "startupProbe")
            return
        if self.role is Role.INIT:
            return
        self.status["started"] = True
        self.status["ready"] = self.status["ready"] or "readinessProbe" not in self.spec
        self.started.set()
        self.pod.publish()
        async with asyncio.TaskGroup() as tasks:
            readiness = tasks.create_task(prober.readiness(self._settle))
            await prober.until_unhealthy()
            await self._kill(f"Container {self.name} failed liveness probe, will be restarted", "livenessProbe")
            readiness.cancel()

    def _settle(self, ready: bool) -> None:
        if self.status["ready"] != ready:
            self.status["ready"] = ready
            self.log.say("ready" if ready else "not ready")
            self.pod.publish()

    async def _kill(self, message: str, probe: str) -> None:
        await self.event("Normal", "Killing", message)
        self.log.say(message)
        own = self.spec[probe].get("terminationGracePeriodSeconds")
        grace = own if own is not None else self.pod.pod["spec"].get("terminationGracePeriodSeconds", 30)
        needed = self.stop_seconds()
        await self.world.clock.sleep(min(needed, grace))
        self._leave(Exit(KILLED if needed > grace else TERMINATED))

    @property
    def finishes_busy(self) -> bool:
        """Whether it is certain to serve its sessions to the end: by itself, or because its hook waits for them."""
        return self.known.finishes_busy or "exec" in ((self.spec.get("lifecycle") or {}).get("preStop") or {})

    def stop_seconds(self) -> float:
        """How long the idle container takes to end once asked: its preStop hook, then the process."""
        hook = (self.spec.get("lifecycle") or {}).get("preStop") or {}
        before = float(hook["sleep"]["seconds"]) if "sleep" in hook else 0.0
        if "exec" in hook:
            before = self.known.pre_stop_seconds
        return before + self.known.stop_seconds
