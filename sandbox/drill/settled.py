"""What is still under way in a cluster: empty means that the newest of everything is there, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.kube import Kube, KubeError
from sandbox.plane.errors import PlaneError
from sandbox.standing import counted, is_ready, named, reason, short_groups
from sandbox.twin.model import VERSION_LABEL
from sandbox.twin.template import spec_hash

Json = dict[str, Any]

LOOKS = 0.5
"""Seconds between two looks."""
CONTROLLERS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"))


def under_way(pods: Sequence[Json], groups: Iterable[Json], controllers: Iterable[Json]) -> list[str]:
    """A line for each thing that is not as it is to be."""
    stopping = [f"Pod {named(pod)}: on its way out" for pod in pods if "deletionTimestamp" in pod["metadata"]]
    unready = [f"Pod {named(pod)}: {reason(pod)}" for pod in counted(pods) if not is_ready(pod)]
    groups = list(groups)
    rolling = [line for group in groups for line in _outdated(group, pods)]
    return [*_rollouts(controllers), *short_groups(groups), *rolling, *unready, *stopping]


def _outdated(group: Json, pods: Iterable[Json]) -> list[str]:
    """A template that was not taken up yet, or the pods of older ones, busy or not."""
    status = group.get("status") or {}
    if status.get("specHash") != spec_hash(group["spec"]["template"], group["metadata"]["name"]):
        return [f"SessionGroup {named(group)}: its controller has not taken up the newest template"]
    lines = []
    for pod in pods:
        owners = [owner.get("uid") for owner in pod["metadata"].get("ownerReferences") or []]
        version = (pod["metadata"].get("labels") or {}).get(VERSION_LABEL)
        if group["metadata"]["uid"] in owners and version != str(status["specVersion"]):
            lines.append(f"Pod {named(pod)}: of version {version}, and {status['specVersion']} is the newest")
    return lines


def _rollouts(controllers: Iterable[Json]) -> list[str]:
    """Deployments and StatefulSets that have not rolled out (as `kubectl rollout status` reads them)."""
    lines = []
    for each in controllers:
        wanted, status = each["spec"].get("replicas", 1), each.get("status") or {}
        seen = status.get("observedGeneration", 0) >= each["metadata"]["generation"]
        counts = [status.get(key, 0) for key in ("updatedReplicas", "replicas", "readyReplicas")]
        if each["kind"] == "StatefulSet" and status.get("currentRevision") == status.get("updateRevision"):
            counts = counts[1:]
        if not seen or any(count != wanted for count in counts):
            lines.append(f"{each['kind']} {named(each)}: not rolled out")
    return lines


async def look(kube: Kube) -> list[str]:
    """What is under way now; a server that does not answer is a line too."""
    try:
        pods = await kube.list("v1", "Pod")
        controllers = [each for api, kind in CONTROLLERS for each in await kube.list(api, kind)]
        try:
            groups = await kube.list("speechmatics.com/v1", "SessionGroup")
        except KubeError as error:
            if error.code != 404:
                raise
            groups = []
    except KubeError as error:
        return [f"the API server: {error}"]
    return under_way(pods, groups, controllers)


async def settle(clusters: Sequence[Kube], within: float, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Wait until nothing is under way in any of them; what still is when `within` seconds are over."""
    deadline, said = time.monotonic() + within, time.monotonic()
    while found := [line for kube in clusters for line in await look(kube)]:
        if time.monotonic() > deadline:
            return found
        if time.monotonic() > said + 15:
            said = time.monotonic()
            say(f"waiting for {len(found)} more: {found[0]}")
        await asyncio.sleep(LOOKS)
    return []


async def must_settle(clusters: Sequence[Kube], within: float, say: Callable[[str], None] = lambda _: None) -> None:
    """The same; what is left after `within` seconds is a `PlaneError`."""
    if left := await settle(clusters, within, say):
        raise PlaneError(f"not settled within {within:.0f} s: {left[0]}")
