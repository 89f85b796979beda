"""The controllers that run now: one for each pod that hosts one, each with its own identity."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sandbox.kube import Kube, KubeError
from sandbox.twin import host as hosts
from sandbox.twin.controller import Controller
from sandbox.twin.host import Host
from sandbox.twin.identity import FIELD_MANAGER, RENEW_AT, request_token, with_token
from sandbox.twin.lease import Lease, LeaseLostError
from sandbox.twin.model import Json, RefusedError

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
"""How long a controller that could not work waits before it starts again."""


class Instances:
    """Follows the controller's pods with the administrator's rights and runs a controller for each that is up."""

    def __init__(self, admin: Kube, kubeconfig: Json, time_factor: Callable[[], float]) -> None:
        self._admin, self._kubeconfig, self._time_factor = admin, kubeconfig, time_factor
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
                        log.error("the controller's pods cannot be watched: %s; trying again", error.message)
                        await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._running.clear()

    async def _follow(self, tasks: asyncio.TaskGroup) -> None:
        listed: set[str] = set()
        async for event, pod in self._admin.watch("v1", "Pod", labels=hosts.LABELS):
            if event == "RESYNC":
                listed = set()
            elif event == "SYNCED":
                for uid in set(self._running) - listed:
                    self._stop(uid)
            elif event != "BOOKMARK":
                listed.add(pod["metadata"]["uid"])
                self._seen(tasks, pod, event != "DELETED" and hosts.runs(pod))

    def _seen(self, tasks: asyncio.TaskGroup, pod: Json, up: bool) -> None:
        meta = pod["metadata"]
        uid = meta["uid"]
        if not up:
            self._stop(uid)
            self._refused.discard(uid)
        elif uid not in self._running and uid not in self._refused:
            try:
                host = hosts.host(pod)
            except RefusedError as refused:
                self._refused.add(uid)
                log.error("pod %s/%s is no controller: %s", meta["namespace"], meta["name"], refused.message)
                return
            log.info("controller %s/%s is up", host.namespace, host.pod)
            self._running[uid] = tasks.create_task(
                Instance(self._admin, self._kubeconfig, host, self._time_factor).run()
            )

    def _stop(self, uid: str) -> None:
        if task := self._running.pop(uid, None):
            log.info("controller %s stops", uid)
            task.cancel()


class Instance:
    """The controller in one pod, from the pod being Ready until it no longer is."""

    def __init__(self, admin: Kube, kubeconfig: Json, host: Host, time_factor: Callable[[], float]) -> None:
        self._admin, self._kubeconfig, self._host, self._time_factor = admin, kubeconfig, host, time_factor

    async def run(self) -> None:
        """Work for ever; what the API server refuses is logged and tried again."""
        while True:
            try:
                await self._with_one_token()
            except KubeError as error:
                log.error("%s", _explain(self._host, error))
                await asyncio.sleep(RETRY_SECONDS)
            except LeaseLostError as lost:
                log.warning("controller %s/%s: %s", self._host.namespace, self._host.pod, lost)

    async def _with_one_token(self) -> None:
        """Work until the token is to be renewed. Raises `KubeError` and `LeaseLostError`."""
        token, expires = await request_token(self._admin, self._host)
        life = max(0.0, expires - time.time()) * RENEW_AT
        async with Kube(with_token(self._kubeconfig, token), FIELD_MANAGER) as kube:
            renewal = asyncio.timeout(life)
            try:
                async with renewal:
                    await self._work(kube)
            except TimeoutError:
                if not renewal.expired():
                    raise

    async def _work(self, kube: Kube) -> None:
        def controller() -> Controller:
            return Controller(kube, self._host.watched, self._time_factor)

        if self._host.leader_elect:
            await Lease(kube, self._host).lead(lambda: controller().run())
        else:
            await controller().run()


def _explain(host: Host, error: KubeError) -> str:
    where = f"controller {host.namespace}/{host.pod} ({host.user})"
    if error.code == 403 and f'User "{host.user}"' in error.message:
        return (
            f"{where}: 403 {error.message}; it works on nothing until its role allows it. "
            f"To see what it may do: kubectl auth can-i --list --as={host.user} -n {host.watched}"
        )
    return f"{where}: {error.code} {error.message}; trying again"
