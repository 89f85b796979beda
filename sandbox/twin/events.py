"""Kubernetes events on SessionGroups: what the twin did, and what it refuses, where `kubectl describe` shows it."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import Literal

from sandbox.kube import Kube, KubeError
from sandbox.twin.model import Json

log = logging.getLogger(__name__)
COMPONENT = "sessiongroups-controller"


def rfc3339(moment: float) -> str:
    """Seconds since the epoch in UTC, to the microsecond (as `metav1.MicroTime` is written)."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Recorder:
    """Writes events; the same event again raises its count. An event that cannot be written is a line in the log."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

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
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            await self._kube.create(event)
        except KubeError as error:
            if error.reason != "AlreadyExists":
                raise
            before = await self._kube.get("v1", "Event", name, meta["namespace"])
            again = {"count": int(before.get("count") or 1) + 1, "lastTimestamp": now}
            await self._kube.merge("v1", "Event", name, again, meta["namespace"])
