"""A watched copy of one kind of object in one namespace that never forgets what the stand-in itself wrote.

A watch lags behind writes. Deciding from a copy that does not yet hold the pod just created would create it twice, so
every answer of the API server to a write goes into the copy too, and what the watch says later about an older state
is passed over. Resource versions of one kind are numbers that grow (`resourceversion` in k8s.io/apimachinery 0.35).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.hosted.host import Json
from sandbox.kube import Kube, KubeError


def resource_version(obj: Json) -> int:
    return int(obj["metadata"]["resourceVersion"])


class Store:
    """Objects by uid. `changed` is told of every object that came, changed or went."""

    def __init__(self, changed: Callable[[Json], None]) -> None:
        self._changed = changed
        self._objects: dict[str, Json] = {}
        self._listed: set[str] = set()
        self._listed_at = 0
        self._gone: set[str] = set()
        self.synced = asyncio.Event()
        """Set once the first list is complete."""

    def all(self) -> list[Json]:
        return list(self._objects.values())

    def get(self, uid: str) -> Json | None:
        return self._objects.get(uid)

    def wrote(self, obj: Json) -> None:
        """The server's answer to a create or change of ours."""
        uid = obj["metadata"]["uid"]
        seen_gone = uid in self._gone or (uid not in self._listed and resource_version(obj) <= self._listed_at)
        if not seen_gone:
            self._keep_newer(obj)

    def deleted(self, obj: Json, answer: Json | None) -> None:
        """The server's answer to a deletion of ours: gone (None), or on its way out until the watch says it is gone."""
        uid = obj["metadata"]["uid"]
        if answer is None:
            self._forget(uid)
        elif uid in self._objects:
            held = self._objects[uid]
            when = answer["metadata"].get("deletionTimestamp") or held["metadata"]["creationTimestamp"]
            self._objects[uid] = {**held, "metadata": {**held["metadata"], "deletionTimestamp": when}}

    def observe(self, event: str, obj: Json) -> None:
        """One event of `Kube.watch`."""
        if event == "RESYNC":
            self._listed = set()
        elif event == "SYNCED":
            self._listed_at = int(obj["resourceVersion"])
            self._forget_unlisted()
            self.synced.set()
        elif event == "BOOKMARK":
            return
        else:
            self._listed.add(obj["metadata"]["uid"])
            if event == "DELETED":
                self._forget(obj["metadata"]["uid"])
            else:
                self._keep_newer(obj)
            self._changed(obj)

    async def follow(self, kube: Kube, api_version: str, kind: str, namespace: str | None) -> None:
        """Keep the copy true for ever. Raises `KubeError` when the server refuses the list or the watch."""
        async for event, obj in kube.watch(api_version, kind, namespace):
            self.observe(event, obj)

    def _keep_newer(self, obj: Json) -> None:
        held = self._objects.get(obj["metadata"]["uid"])
        if held is None or resource_version(held) < resource_version(obj):
            self._objects[obj["metadata"]["uid"]] = obj

    def _forget(self, uid: str) -> None:
        self._gone.add(uid)
        self._objects.pop(uid, None)

    def _forget_unlisted(self) -> None:
        """Drop what the list no longer shows; what was written after it was taken stays."""
        for uid, obj in list(self._objects.items()):
            if uid not in self._listed and resource_version(obj) <= self._listed_at:
                self._forget(uid)
                self._changed(obj)


def first_refusal(errors: BaseExceptionGroup[BaseException]) -> KubeError | None:
    """The API server's first refusal among the errors of a task group; None where something else went wrong."""
    refused, others = errors.split(KubeError)
    if refused is None or others is not None:
        return None
    error: BaseException = refused
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, KubeError)
    return error
