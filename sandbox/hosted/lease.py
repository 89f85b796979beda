"""Leader election by a Lease in the program's own namespace.

It is not given back at the end, as client-go does unless it is told to: a successor waits until it has run out. Its
clock is never scaled.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.hosted.host import Host, Json
from sandbox.hosted.times import rfc3339, timestamp
from sandbox.kube import Kube, KubeError

log = logging.getLogger(__name__)

API_VERSION = "coordination.k8s.io/v1"


@dataclass(frozen=True)
class Timing:
    """client-go's LeaseDuration, RenewDeadline and RetryPeriod, in seconds."""

    lease: int
    renew_within: float
    retry: float


CONTROLLER_RUNTIME = Timing(15, 10.0, 2.0)
"""The defaults of controller-runtime."""


class LeaseLostError(Exception):
    """Somebody else holds the lease, or it could not be renewed in time."""


class Lease:
    def __init__(self, kube: Kube, host: Host, name: str, timing: Timing) -> None:
        self._kube, self._namespace, self._name, self._timing = kube, host.namespace, name, timing
        self._holder = f"{host.pod}_{host.uid}"

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then work while it is held. Raises `LeaseLostError`, `KubeError`, what work raises."""
        while True:
            if await self._try():
                break
            await asyncio.sleep(self._timing.retry)
        log.info("%s leads in %s", self._holder, self._namespace)
        working = asyncio.ensure_future(work())
        renewing = asyncio.create_task(self._keep())
        try:
            done, _ = await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.gather(working, renewing, return_exceptions=True)

    async def _keep(self) -> None:
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(self._timing.retry)
            try:
                if not await self._try():
                    raise LeaseLostError("another controller took the lease")
                renewed = time.monotonic()
            except KubeError as error:
                log.warning("lease %s/%s not renewed: %s", self._namespace, self._name, error.message)
                if time.monotonic() - renewed > self._timing.renew_within:
                    raise LeaseLostError(f"the lease could not be renewed: {error.message}") from error

    async def _try(self) -> bool:
        """Take or renew the lease; whether it is held now. Raises `KubeError`."""
        now = time.time()
        held = await self._kube.find(API_VERSION, "Lease", self._name, self._namespace)
        try:
            if held is None:
                await self._kube.create(self._lease(now, now, 0))
                return True
            spec = held["spec"]
            mine = spec.get("holderIdentity") == self._holder
            if not mine and _holds(spec, now):
                return False
            since = timestamp(spec["acquireTime"]) if mine else now
            changes = int(spec.get("leaseTransitions") or 0) + (0 if mine else 1)
            fresh = self._lease(now, since, changes)
            fresh["metadata"]["resourceVersion"] = held["metadata"]["resourceVersion"]
            await self._kube.replace(fresh)
        except KubeError as error:
            if error.code == 409:
                return False
            raise
        return True

    def _lease(self, now: float, since: float, transitions: int) -> Json:
        return {
            "apiVersion": API_VERSION,
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._holder,
                "leaseDurationSeconds": self._timing.lease,
                "acquireTime": rfc3339(since),
                "renewTime": rfc3339(now),
                "leaseTransitions": transitions,
            },
        }


def _holds(spec: Json, now: float) -> bool:
    """Whether the holder's time is not over."""
    if not spec.get("holderIdentity"):
        return False
    return now < timestamp(spec["renewTime"]) + float(spec["leaseDurationSeconds"])
