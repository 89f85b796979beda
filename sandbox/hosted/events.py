"""Kubernetes events: what a stand-in did, and what it refuses, where `kubectl describe` shows it."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import Literal

from sandbox.hosted.host import Json
from sandbox.kube import Kube, KubeError

log = logging.getLogger(__name__)


class Recorder:
    """Writes events; the same event again raises its count. An event that cannot be written is a line in the log.

    It needs the rights to create and patch events, and no more, as client-go's recorder does.
    """

    def __init__(self, kube: Kube, component: str) -> None:
        self._kube, self._component = kube, component
        self._counts: dict[tuple[str, str], int] = {}

    async def record(self, about: Json, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """`about`: the object, with its `apiVersion` and `kind`."""
        meta = about["metadata"]
        log.log(
            logging.WARNING if kind == "Warning" else logging.INFO,
            "%s/%s: %s: %s", meta["namespace"], meta["name"], reason, message,
        )  # fmt: skip
        try:
            await self._write(about, kind, reason, message)
        except KubeError as error:
            log.error("event %s on %s/%s not written: %s", reason, meta["namespace"], meta["name"], error.message)

    async def _write(self, about: Json, kind: str, reason: str, message: str) -> None:
        meta = about["metadata"]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha256(f"{meta['uid']} {kind} {reason} {message}".encode()).hexdigest()[:16]
        name = f"{meta['name']}.{digest}"
        event: Json = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
                "resourceVersion": meta["resourceVersion"],
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        key = (meta["namespace"], name)
        self._counts[key] = self._counts.get(key, 0) + 1
        try:
            await self._kube.create(event)
        except KubeError as error:
            if error.reason != "AlreadyExists":
                raise
            # one that an earlier life of the stand-in wrote counts as one
            self._counts[key] = max(2, self._counts[key])
            again = {"count": self._counts[key], "lastTimestamp": now}
            await self._kube.merge("v1", "Event", name, again, meta["namespace"])
