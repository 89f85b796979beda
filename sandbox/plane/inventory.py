"""What an API server holds, and what of it somebody left behind: for the moment a cluster is deleted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.kube import Kube, KubeError

Json = dict[str, Any]

SETTLE = 15.0
"""Seconds that objects on their way out (being deleted, or owned by what is gone) get before they count as left."""

_TRANSIENT = {"Event", "Lease", "ComponentStatus", "APIService"}
"""Records of what happened, heartbeats, and what the API server derives from others."""

_CLOUD = {"Node", "CSINode", "CSIDriver", "VolumeAttachment"}
"""What AKS makes and removes with the machines."""

_SYSTEM = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "sandbox-plane")
"""Field managers of the control plane itself."""


@dataclass(frozen=True)
class Found:
    """One object."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    owners: frozenset[str]
    managers: frozenset[str]
    leaving: bool
    clusters_own: bool
    """Marked as AKS marks what belongs to the cluster itself."""

    @property
    def key(self) -> str:
        return "/".join([self.api_version, self.kind, self.namespace, self.name])

    def document(self) -> Json:
        return {"apiVersion": self.api_version, "kind": self.kind, "namespace": self.namespace, "name": self.name}


def _found(api_version: str, kind: str, item: Json) -> Found:
    meta = item["metadata"]
    return Found(
        api_version,
        kind,
        meta.get("namespace", ""),
        meta["name"],
        meta.get("uid", f"{api_version}/{kind}/{meta['name']}"),
        frozenset(owner["uid"] for owner in meta.get("ownerReferences", [])),
        frozenset(entry.get("manager", "") for entry in meta.get("managedFields", [])),
        "deletionTimestamp" in meta,
        (meta.get("labels") or {}).get("kubernetes.io/cluster-service") == "true",
    )


async def listing(kube: Kube) -> list[Found]:
    """Every object of every kind, each once, however many API groups serve it. Raises `KubeError`."""
    groups = (await kube.request("GET", "/apis"))["groups"]
    versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
    found: dict[str, Found] = {}
    for version in versions:
        root = "/api/v1" if version == "v1" else f"/apis/{version}"
        for kind in (await kube.request("GET", root))["resources"]:
            if "/" in kind["name"] or "list" not in kind["verbs"]:
                continue
            try:
                items = (await kube.request("GET", f"{root}/{kind['name']}")).get("items") or []
            except KubeError as error:
                if error.code != 404:  # a custom kind removed since the discovery
                    raise
                continue
            for item in items:
                entry = _found(version, kind["kind"], item)
                found.setdefault(entry.uid, entry)
    return list(found.values())


def left(objects: Iterable[Found], bare: frozenset[str]) -> Iterator[Found]:
    """Those that neither a bare cluster (`bare`: keys) nor the cloud has.

    In the kube-* namespaces the control plane makes objects all the time; there only what someone else wrote counts.
    """
    for entry in objects:
        if entry.key in bare or entry.kind in _TRANSIENT | _CLOUD or entry.clusters_own:
            continue
        systems = (entry.namespace or entry.name).startswith("kube-") or entry.kind == "IPAddress"
        if systems and entry.managers and all(manager.startswith(_SYSTEM) for manager in entry.managers):
            continue
        yield entry


async def left_behind(kube: Kube, bare: frozenset[str]) -> list[Found]:
    """What is left once everything that is on its way out had `SETTLE` seconds. Raises `KubeError`."""
    deadline = time.monotonic() + SETTLE
    while True:
        objects = await listing(kube)
        remaining = sorted(left(objects, bare), key=lambda entry: entry.key)
        alive = {entry.uid for entry in objects}
        passing = any(entry.leaving or (entry.owners and not entry.owners & alive) for entry in remaining)
        if not passing or time.monotonic() > deadline:
            return remaining
        await asyncio.sleep(0.5)
