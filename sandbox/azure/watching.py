"""A live copy of one kind's objects, and loops that run when something changed: how cloud controllers are written."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence

from sandbox.kube import Json, Kube, KubeError

_log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""The pause after a pass that failed, and the most a pass waits for another change."""


class Informer:
    """All objects of one kind in the cluster, by (namespace, name), kept up to date by a watch."""

    def __init__(self, kube: Kube, api_version: str, kind: str) -> None:
        self._kube, self._api_version, self._kind = kube, api_version, kind
        self._objects: dict[tuple[str, str], Json] = {}
        self._listeners: list[asyncio.Event] = []
        self.synced = asyncio.Event()

    def notify(self, listener: asyncio.Event) -> None:
        """Set this event at every change."""
        self._listeners.append(listener)

    def all(self) -> list[Json]:
        return list(self._objects.values())

    def get(self, name: str, namespace: str = "") -> Json | None:
        return self._objects.get((namespace, name))

    async def run(self) -> None:
        fresh: set[tuple[str, str]] | None = None
        async for change, obj in self._kube.watch(self._api_version, self._kind):
            if change == "RESYNC":
                fresh = set()
                continue
            if change == "SYNCED":
                if fresh is not None:
                    self._objects = {key: value for key, value in self._objects.items() if key in fresh}
                fresh = None
                self.synced.set()
            else:
                self._take(change, obj, fresh)
            for listener in self._listeners:
                listener.set()

    def _take(self, change: str, obj: Json, fresh: set[tuple[str, str]] | None) -> None:
        if change == "BOOKMARK":
            return
        key = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        if change == "DELETED":
            self._objects.pop(key, None)
            return
        if fresh is not None:
            fresh.add(key)
        self._objects[key] = obj


async def reconcile_forever(
    name: str,
    informers: Sequence[Informer],
    reconcile: Callable[[], Awaitable[None]],
    settle_seconds: float = 0.05,
    again_seconds: float | None = None,
) -> None:
    """Run `reconcile` once the informers are filled, and again whenever one of them changed or `again_seconds` passed.

    A pass that meets a conflict, a missing object or an unreachable server is simply repeated; any other failure is
    logged and repeated too, as a controller's work queue would.
    """
    changed = asyncio.Event()
    for informer in informers:
        informer.notify(changed)
    for informer in informers:
        await informer.synced.wait()
    while True:
        changed.clear()
        try:
            await reconcile()
        except KubeError as error:
            if error.code not in (0, 404, 409):
                _log.warning("%s: %s; trying again", name, error)
            await asyncio.sleep(RETRY_SECONDS)
            continue
        except Exception:
            _log.exception("%s failed; trying again", name)
            await asyncio.sleep(RETRY_SECONDS)
            continue
        with contextlib.suppress(TimeoutError):  # time for another look
            async with asyncio.timeout(again_seconds):
                await changed.wait()
        await asyncio.sleep(settle_seconds)
