"""Kubernetes events as a kubelet records them: the same one again raises its count, a flood is cut off.

A kubelet lets 25 events of one object through at once and one more every five minutes after that (client-go,
`EventSourceObjectSpamFilter`).
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import Any, Literal

from sandbox.kube import Json, Kube, KubeError
from sandbox.nodes.clock import stamp

BURST, REFILL_SECONDS = 25.0, 300.0

_log = logging.getLogger(__name__)


class _Bucket:
    """What one object may still record."""

    def __init__(self) -> None:
        self.tokens, self.at = BURST, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.tokens = min(BURST, self.tokens + (now - self.at) / REFILL_SECONDS)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Recorder:
    """Records events of kubelets. One that cannot be written is a line in the log."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._buckets: dict[str, _Bucket] = {}
        self._counts: dict[str, dict[str, int]] = {}

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._buckets.pop(uid, None)
        self._counts.pop(uid, None)

    async def record(
        self, pod: Json, kind: Literal["Normal", "Warning"], reason: str, message: str, field_path: str = ""
    ) -> None:
        """An event on a pod, by its node's kubelet; `field_path` names the container it is about."""
        meta = pod["metadata"]
        uid = meta["uid"]
        if not self._buckets.setdefault(uid, _Bucket()).take():
            return
        if kind == "Warning":
            _log.info("%s/%s: %s: %s", meta["namespace"], meta["name"], reason, message)
        digest = hashlib.sha256(f"{uid} {kind} {reason} {message} {field_path}".encode()).hexdigest()[:16]
        counts = self._counts.setdefault(uid, {})
        counts[digest] = counts.get(digest, 0) + 1
        name = f"{meta['name']}.{digest}"
        try:
            if counts[digest] > 1 and await self._again(meta["namespace"], name, counts[digest]):
                return
            await self._kube.create(_event(pod, name, kind, reason, message, field_path, counts[digest]))
        except KubeError as error:
            if error.reason != "AlreadyExists":  # recorded by a stand-in that ran before
                _log.info("event %s on %s/%s not written: %s", reason, meta["namespace"], meta["name"], error.message)

    async def _again(self, namespace: str, name: str, count: int) -> bool:
        """Raise the count of an event; False when it has been deleted meanwhile."""
        try:
            await self._kube.merge("v1", "Event", name, {"count": count, "lastTimestamp": stamp()}, namespace)
        except KubeError as error:
            if error.code != 404:
                raise
            return False
        return True


def _event(pod: Json, name: str, kind: str, reason: str, message: str, field_path: str, count: int) -> Json:
    meta = pod["metadata"]
    involved: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": meta["name"],
        "namespace": meta["namespace"],
        "uid": meta["uid"],
        "resourceVersion": meta["resourceVersion"],
    }
    now = stamp()
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": meta["namespace"]},
        "involvedObject": involved | ({"fieldPath": field_path} if field_path else {}),
        "type": kind,
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
        "reportingComponent": "kubelet",
        "reportingInstance": pod["spec"]["nodeName"],
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": count,
    }
