"""The instances of a program that run now: one for each pod that hosts one, each with its own identity."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Generic, Protocol, TypeVar

from sandbox.hosted import identity
from sandbox.hosted.host import Host, Json, RefusedError, runs
from sandbox.hosted.lease import LeaseLostError
from sandbox.kube import Kube, KubeError

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
"""How long an instance that could not work waits before it starts again."""

H = TypeVar("H", bound=Host)


class Role(Protocol[H]):
    """What a stand-in plays."""

    name: str
    """Its name in the log and as a field manager."""
    labels: str
    """Selects the pods to look at."""

    def host(self, pod: Json) -> H | None:
        """What the program in this pod is told; None when it does not run there. Raises `RefusedError`."""
        ...

    async def work(self, kube: Kube, host: H) -> None:
        """Work for ever with the pod's own rights. Raises `KubeError`, `LeaseLostError` and `RefusedError`."""
        ...

    async def refused(self, pod: Json, why: RefusedError) -> None:
        """The program in this pod does not run with what it was told."""
        ...

    async def failed(self, host: H, error: KubeError) -> None:
        """The API server refused something; it is tried again."""
        ...

    def stopped(self, uid: str) -> None:
        """The program in the pod with this uid is no longer up."""
        ...


class Instances(Generic[H]):
    """Follows the pods with the administrator's rights and runs an instance for each that is up."""

    def __init__(self, admin: Kube, kubeconfig: Json, role: Role[H]) -> None:
        self._admin, self._kubeconfig, self._role = admin, kubeconfig, role
        self._running: dict[str, asyncio.Task[None]] = {}
        self._refused: set[str] = set()

    async def run(self) -> None:
        """Follow the pods until cancelled; a server that is away is waited for."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    try:
                        await self._follow(tasks)
                    except KubeError as error:
                        log.error("the pods of %s cannot be watched: %s; trying again", self._role.name, error.message)
                        await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._running.clear()

    async def _follow(self, tasks: asyncio.TaskGroup) -> None:
        listed: set[str] = set()
        async for event, pod in self._admin.watch("v1", "Pod", labels=self._role.labels):
            if event == "RESYNC":
                listed = set()
            elif event == "SYNCED":
                for uid in set(self._running) - listed:
                    self._stop(uid)
            elif event != "BOOKMARK":
                listed.add(pod["metadata"]["uid"])
                await self._seen(tasks, pod, event != "DELETED" and runs(pod))

    async def _seen(self, tasks: asyncio.TaskGroup, pod: Json, up: bool) -> None:
        uid = pod["metadata"]["uid"]
        if not up:
            self._stop(uid)
            self._refused.discard(uid)
        elif uid not in self._running and uid not in self._refused:
            try:
                host = self._role.host(pod)
            except RefusedError as why:
                self._refused.add(uid)
                await self._role.refused(pod, why)
                return
            if host is not None:
                log.info("%s %s/%s is up", self._role.name, host.namespace, host.pod)
                self._running[uid] = tasks.create_task(self._play(pod, host))

    def _stop(self, uid: str) -> None:
        if task := self._running.pop(uid, None):
            log.info("%s %s stops", self._role.name, uid)
            task.cancel()
            self._role.stopped(uid)

    async def _play(self, pod: Json, host: H) -> None:
        """The program in one pod; what is refused is said and tried again."""
        said = ""
        while True:
            try:
                await self._with_one_token(host)
            except KubeError as error:
                await self._role.failed(host, error)
                await asyncio.sleep(RETRY_SECONDS)
            except LeaseLostError as lost:
                log.warning("%s %s/%s: %s", self._role.name, host.namespace, host.pod, lost)
            except RefusedError as why:
                if str(why) != said:
                    said = str(why)
                    await self._role.refused(pod, why)
                await asyncio.sleep(RETRY_SECONDS)

    async def _with_one_token(self, host: H) -> None:
        """Work until the token is to be renewed."""
        token, expires = await identity.request_token(self._admin, host)
        life = max(0.0, expires - time.time()) * identity.RENEW_AT
        async with Kube(identity.with_token(self._kubeconfig, token), self._role.name) as kube:
            renewal = asyncio.timeout(life)
            try:
                async with renewal:
                    await self._role.work(kube, host)
            except TimeoutError:
                if not renewal.expired():
                    raise
