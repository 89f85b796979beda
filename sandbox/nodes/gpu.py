"""The NVIDIA device plugin: while it runs on a node, and can reach its kubelet, the node's GPUs are allocatable."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sandbox.kube import Json, KubeError
from sandbox.nodes import images
from sandbox.nodes.world import Played, World

RESOURCE = "nvidia.com/gpu"
PLUGIN_FOLDER = "/var/lib/kubelet/device-plugins"

_log = logging.getLogger(__name__)


def is_plugin(image: str) -> bool:
    reference = images.parse(image)
    return reference is not None and reference.original == images.DEVICE_PLUGIN


def reaches_kubelet(pod: Json, container: Json) -> bool:
    """Whether the kubelet's registration folder of the node is mounted where the plugin looks for it."""
    folders = {
        v["name"] for v in pod["spec"].get("volumes") or []
        if (v.get("hostPath") or {}).get("path", "").rstrip("/") == PLUGIN_FOLDER
    }  # fmt: skip
    mounts = container.get("volumeMounts") or []
    return any(m["name"] in folders and m["mountPath"].rstrip("/") == PLUGIN_FOLDER for m in mounts)


def advertises(pods: Iterable[Played]) -> bool:
    """Whether one of a node's pods is a device plugin at work."""
    return any(
        process.serving and is_plugin(process.spec["image"]) and reaches_kubelet(played.pod, process.spec)
        for played in pods
        for process in played.processes
    )


async def refresh(world: World, node: str) -> None:
    """Bring a node's capacity in line with its plugin. A node that never had one is left as it is.

    One at a time for each node: a decision taken before the write of an earlier one is known would undo it.
    """
    async with world.capacity_locks[node]:
        await _refresh(world, node)


async def _refresh(world: World, node: str) -> None:
    found = world.nodes.get(node)
    if found is None:
        return
    pods = [played for played in world.played.values() if played.pod["spec"]["nodeName"] == node]
    wanted = str(world.gpus(node)) if advertises(pods) else "0"
    status = found.get("status") or {}
    have = (status.get("allocatable") or {}).get(RESOURCE)
    if have == wanted or (have is None and wanted == "0"):
        return
    # a plugin that went away leaves the capacity and takes what can be given out
    capacity = wanted if wanted != "0" else (status.get("capacity") or {}).get(RESOURCE, "0")
    patch = {"status": {"capacity": {RESOURCE: capacity}, "allocatable": {RESOURCE: wanted}}}
    try:
        answer = await world.kube.merge("v1", "Node", node, patch, subresource="status")
    except KubeError as error:
        _log.warning("node %s: %s not written: %s", node, RESOURCE, error.message)
        return
    world.nodes[node] = answer
