"""The number of sessions on each pod, written to the pod's annotation.

One write for a pod and `PERIOD` seconds at most. A session counts as begun when each of its pods has been written:
the vendor's software reserves a place in the same way before the client hears of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from sandbox.kube import Kube, KubeError
from sandbox.sessions.model import Hop
from sandbox.twin.model import SESSIONS

log = logging.getLogger(__name__)

PERIOD = 0.5
"""Seconds between two writes to one pod. Real seconds."""


@dataclass
class _Pod:
    """One pod, as far as it has been told."""

    hop: Hop
    sessions: int = 0
    wrote_at: float = -PERIOD
    dirty: bool = False
    waiting: list[asyncio.Future[bool]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Counts:
    """Counts, and what takes them to the API server."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._pods: dict[str, _Pod] = {}
        self._abandoned = False
        self.writes: list[float] = []
        """When a write was answered (seconds of the monotonic clock), with whatever answer."""

    def change(self, hop: Hop, by: int) -> asyncio.Future[bool]:
        """So many sessions more. The future says, once it is written, whether the pod took it.

        False: the pod is gone, or has been told to stop, or its cluster is no more.
        """
        pod = self._pods.setdefault(hop.uid, _Pod(hop))
        pod.sessions += by
        pod.dirty = True
        answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        pod.waiting.append(answered)
        if pod.task is None:
            pod.task = asyncio.create_task(self._write(pod))
        return answered

    def of(self, uid: str) -> int:
        """Sessions on a pod."""
        return self._pods[uid].sessions if uid in self._pods else 0

    def abandon(self) -> None:
        """The server is going or gone: what it does not answer is not tried again."""
        self._abandoned = True

    async def settled(self) -> None:
        """Returns when everything has been written."""
        while tasks := [pod.task for pod in self._pods.values() if pod.task is not None]:
            await asyncio.gather(*tasks)

    async def _write(self, pod: _Pod) -> None:
        """Write the pod's number until nothing has changed meanwhile."""
        took: bool | None = None
        while pod.dirty:
            await asyncio.sleep(max(0.0, pod.wrote_at + PERIOD - time.monotonic()))
            pod.dirty = False
            waiting, pod.waiting = pod.waiting, []
            pod.wrote_at = time.monotonic()
            took = await self._patch(pod.hop, pod.sessions)
            if took is None:  # to be tried again, with what has changed by then
                pod.dirty = True
                pod.waiting = waiting + pod.waiting
                continue
            for answered in waiting:
                if not answered.done():
                    answered.set_result(took)
        pod.task = None
        if not took and pod.sessions == 0:
            del self._pods[pod.hop.uid]

    async def _patch(self, hop: Hop, sessions: int) -> bool | None:
        """Whether the pod is there and not told to stop; None: nobody knows yet."""
        patch = {"metadata": {"uid": hop.uid, "annotations": {SESSIONS: str(sessions)}}}
        try:
            answer = await self._kube.merge("v1", "Pod", hop.pod, patch, hop.namespace)
        except KubeError as error:
            # 422: the uid is another pod's of that name, or the patch is refused; 409: somebody changed it meanwhile
            if self._abandoned or error.code == 404 or (error.code in (409, 422) and await self._replaced(hop)):
                return False
            log.info("pod %s/%s: %s; trying again", hop.namespace, hop.pod, error.message)
            return None
        finally:
            self.writes.append(time.monotonic())
        return "deletionTimestamp" not in answer["metadata"]

    async def _replaced(self, hop: Hop) -> bool:
        try:
            found = await self._kube.find("v1", "Pod", hop.pod, hop.namespace)
        except KubeError:
            return False
        return found is None or found["metadata"]["uid"] != hop.uid
