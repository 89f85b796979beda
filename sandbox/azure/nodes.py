"""The Node objects of an agent pool, as AKS sets them. Pure functions.

Names, labels and provider ids are general knowledge of AKS, not measured on a cluster.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.azure import ids, sizes
from sandbox.rpc import Json

GPUS = "sandbox.sm-realtime/gpus"
"""Node annotation: how many GPUs are in the machine. A device plugin on it makes them allocatable."""

DISK_ZONE = "topology.disk.csi.azure.com/zone"
_FIRST_IMAGE = datetime.date(2026, 11, 7)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Cluster:
    """What nodes need to know of their cluster."""

    id: str
    location: str
    node_group: str
    kubelet_port: int

    @property
    def digits(self) -> str:
        """The eight digits in the names of all scale sets of the cluster."""
        return f"{int(hashlib.sha256(ids.key(self.id).encode()).hexdigest(), 16) % 10**8:08d}"


def base36(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = _DIGITS[rest] + text
    return text or "0"


def image(week: int) -> str:
    """The node image of a week, the plane's first week being 0. AKS names an image by its day (AKS release notes)."""
    day = _FIRST_IMAGE + datetime.timedelta(weeks=week)
    return f"AKSUbuntu-2404gen2containerd-{day:%Y%m.%d}.0"


def scale_set(cluster: Cluster, pool: str) -> str:
    return f"aks-{pool}-{cluster.digits}-vmss"


def name(cluster: Cluster, pool: str, index: int) -> str:
    return f"{scale_set(cluster, pool)}{base36(index):0>6}"


def taints(texts: Sequence[str]) -> list[Json]:
    """`key=value:Effect` as the API has it."""
    found = []
    for text in texts:
        rest, _, effect = text.rpartition(":")
        key, _, value = rest.partition("=")
        found.append({"key": key, "effect": effect} | ({"value": value} if value else {}))
    return found


def labels(cluster: Cluster, pool: str, state: Json, node_name: str, zone: str | None) -> dict[str, str]:
    """All labels of a node; the pool's own ones never override what AKS sets.

    `state` is the pool as Azure answers for it, with the version and image of this machine.
    """
    size = sizes.of(state)
    found = {
        **(state.get("nodeLabels") or {}),
        "agentpool": pool,
        "kubernetes.azure.com/agentpool": pool,
        "kubernetes.azure.com/mode": state["mode"].lower(),
        "kubernetes.azure.com/cluster": cluster.node_group[:63],
        "kubernetes.azure.com/os-sku": state["osSKU"],
        "kubernetes.azure.com/node-image-version": state["nodeImageVersion"],
        "node.kubernetes.io/instance-type": size.name,
        "topology.kubernetes.io/region": cluster.location,
        "topology.kubernetes.io/zone": f"{cluster.location}-{zone}" if zone else "0",
        DISK_ZONE: f"{cluster.location}-{zone}" if zone else "",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node_name,
    }
    if size.gpus:
        found |= {"kubernetes.azure.com/accelerator": "nvidia", "accelerator": "nvidia"}
    return found


def node(cluster: Cluster, pool: str, state: Json, index: int, zone: str | None, address: str) -> Json:
    """The Node object, its status aside. `state` is the pool as Azure answers for it."""
    node_name = name(cluster, pool, index)
    size = sizes.of(state)
    annotations = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
    if size.gpus:
        annotations[GPUS] = str(size.gpus)
    provider = (
        f"azure://{ids.SUBSCRIPTION_SCOPE}/resourceGroups/{cluster.node_group}/providers/Microsoft.Compute/"
        f"virtualMachineScaleSets/{scale_set(cluster, pool)}/virtualMachines/{index}"
    )
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node_name,
            "labels": labels(cluster, pool, state, node_name, zone),
            "annotations": annotations,
        },
        "spec": {"providerID": provider, "taints": taints(state.get("nodeTaints") or [])},
        "status": status(cluster, state, node_name, address),
    }


def status(cluster: Cluster, state: Json, node_name: str, address: str) -> Json:
    """What the node's kubelet reports, its conditions aside: heartbeats are kept by kwok."""
    size = sizes.of(state)
    version = f"v{state['currentOrchestratorVersion']}"
    machine = ids.made_up_uuid(cluster.id, node_name)
    return {
        "capacity": sizes.capacity(size, state["maxPods"], state["osDiskSizeGB"]),
        "allocatable": sizes.allocatable(size, state["maxPods"], state["osDiskSizeGB"]),
        "addresses": [
            {"type": "InternalIP", "address": address},
            {"type": "Hostname", "address": node_name},
            {"type": "ExternalDNS", "address": "localhost"},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": cluster.kubelet_port}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": machine,
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.8.0-1034-azure",
            "kubeProxyVersion": "",
            "kubeletVersion": version,
            "machineID": machine.replace("-", ""),
            "operatingSystem": "linux",
            "osImage": "Ubuntu 24.04.3 LTS",
            "systemUUID": machine,
        },
    }


def csi_node(found: Json, data_disks: int) -> Json:
    """The CSINode a kubelet keeps for its node: AKS runs the disk and file drivers on every one."""
    meta = found["metadata"]
    drivers: list[dict[str, Any]] = [
        {
            "name": "disk.csi.azure.com",
            "nodeID": meta["name"],
            "topologyKeys": [DISK_ZONE, "topology.kubernetes.io/zone"],
            "allocatable": {"count": data_disks},
        },
        {"name": "file.csi.azure.com", "nodeID": meta["name"], "topologyKeys": None},
    ]
    owner = {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta["uid"]}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {"name": meta["name"], "ownerReferences": [owner]},
        "spec": {"drivers": drivers},
    }
