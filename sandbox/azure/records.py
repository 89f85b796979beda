"""Kubernetes events of the cloud's controllers."""

from __future__ import annotations

import datetime
import hashlib

from sandbox.kube import Json, Kube, KubeError


async def record(kube: Kube, component: str, about: Json, kind: str, reason: str, message: str) -> None:
    """Record an event on an object; a repeated one counts up, as a client-go recorder would have it.

    `kind` is Normal or Warning.
    """
    meta = about["metadata"]
    namespace = meta.get("namespace", "default")
    digest = hashlib.sha256(f"{meta.get('uid')}{component}{reason}{message}".encode()).hexdigest()[:16]
    name = f"{meta['name'][:200]}.{digest}"
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = await kube.find("v1", "Event", name, namespace)
    if before is not None:
        patch = {"count": int(before.get("count") or 1) + 1, "lastTimestamp": now}
        await kube.merge("v1", "Event", name, patch, namespace)
        return
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {
            "apiVersion": about.get("apiVersion", "v1"),
            "kind": about["kind"],
            "name": meta["name"],
            "namespace": meta.get("namespace"),
            "uid": meta.get("uid"),
        },
        "type": kind,
        "reason": reason,
        "message": message[:1024],
        "source": {"component": component},
        "reportingComponent": component,
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
    }
    try:
        await kube.create(event)
    except KubeError as error:
        if error.reason != "NotFound":  # the namespace went away meanwhile
            raise
