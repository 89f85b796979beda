"""Leader election by a Lease, with the durations of controller-runtime's defaults.

The lease's name and namespace are not known of the vendor's controller; here it is `sessiongroups-controller` in the
controller's own namespace. It is not given back at the end, as controller-runtime does unless it is told to: a
successor waits until it has run out. Its clock is never scaled.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from sandbox.kube import Kube, KubeError
from sandbox.twin.events import rfc3339
from sandbox.twin.host import Host
from sandbox.twin.model import Json, timestamp

log = logging.getLogger(__name__)

API_VERSION, NAME = "coordination.k8s.io/v1", "sessiongroups-controller"
LEASE_SECONDS, RENEW_WITHIN, RETRY_SECONDS = 15, 10.0, 2.0
"""controller-runtime's LeaseDuration, RenewDeadline and RetryPeriod."""


class LeaseLostError(Exception):
    """Somebody else holds the lease, or it could not be renewed in time."""


class Lease:
    def __init__(self, kube: Kube, host: Host) -> None:
        self._kube, self._namespace = kube, host.namespace
        self._holder = f"{host.pod}_{host.uid}"

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then work while it is held. Raises `LeaseLostError`, `KubeError`, what work raises."""
        while True:
            if await self._try():
                break
            await asyncio.sleep(RETRY_SECONDS)
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
            await asyncio.sleep(RETRY_SECONDS)
            try:
                if not await self._try():
                    raise LeaseLostError("another controller took the lease")
                renewed = time.monotonic()
            except KubeError as error:
                log.warning("lease %s/%s not renewed: %s", self._namespace, NAME, error.message)
                if time.monotonic() - renewed > RENEW_WITHIN:
                    raise LeaseLostError(f"the lease could not be renewed: {error.message}") from error

    async def _try(self) -> bool:
        """Take or renew the lease; whether it is held now. Raises `KubeError`."""
        now = time.time()
        held = await self._kube.find(API_VERSION, "Lease", NAME, self._namespace)
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
            "metadata": {"name": NAME, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._holder,
                "leaseDurationSeconds": LEASE_SECONDS,
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
