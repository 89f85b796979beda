"""The disk and file drivers of a cluster: volumes for claims, attachment, and reclaiming.

What the external provisioner, the external attacher and Azure's CSI drivers do between them
(kubernetes-sigs/azuredisk-csi-driver, azurefile-csi-driver; kubernetes-csi/external-provisioner).
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.azure import ids
from sandbox.azure.nodes import DISK_ZONE
from sandbox.azure.quantity import gib
from sandbox.azure.records import record
from sandbox.azure.storage import DISK_DRIVER, FILE_DRIVER
from sandbox.azure.store import Record
from sandbox.azure.watching import Informer, reconcile_forever
from sandbox.kube import Json, Kube

SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_DISK_SKUS = ("Premium_LRS", "Premium_ZRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Standard_LRS")


class ProvisionError(Exception):
    """Why a claim gets no volume, as its event says."""


class Disks:
    """Volumes of one cluster."""

    def __init__(self, kube: Kube, cluster: Record, kinds: Mapping[str, Informer]) -> None:
        self._kube, self._cluster, self._kinds = kube, cluster, kinds

    async def run(self) -> None:
        names = ("PersistentVolumeClaim", "PersistentVolume", "StorageClass", "VolumeAttachment", "Node")
        await reconcile_forever("csi-provisioner", [self._kinds[name] for name in names], self._reconcile)

    async def _reconcile(self) -> None:
        for claim in self._kinds["PersistentVolumeClaim"].all():
            await self._provision(claim)
        for attachment in self._kinds["VolumeAttachment"].all():
            if attachment["spec"]["attacher"] == DISK_DRIVER and not (attachment.get("status") or {}).get("attached"):
                name = attachment["metadata"]["name"]
                patch = {"status": {"attached": True}}
                await self._kube.merge("storage.k8s.io/v1", "VolumeAttachment", name, patch, subresource="status")
        attached = {a["spec"]["source"].get("persistentVolumeName") for a in self._kinds["VolumeAttachment"].all()}
        for volume in self._kinds["PersistentVolume"].all():
            if is_reclaimable(volume) and volume["metadata"]["name"] not in attached:
                await self._kube.delete("v1", "PersistentVolume", volume["metadata"]["name"])

    async def _provision(self, claim: Json) -> None:
        spec, meta = claim["spec"], claim["metadata"]
        if spec.get("volumeName") or "deletionTimestamp" in meta or not spec.get("storageClassName"):
            return
        chosen = self._kinds["StorageClass"].get(spec["storageClassName"])
        if chosen is None or chosen["provisioner"] not in (DISK_DRIVER, FILE_DRIVER):
            return
        name = f"pvc-{meta['uid']}"
        if self._kinds["PersistentVolume"].get(name) is not None:
            return
        node = None
        if chosen.get("volumeBindingMode") == "WaitForFirstConsumer":
            selected = (meta.get("annotations") or {}).get(SELECTED_NODE)
            node = self._kinds["Node"].get(selected) if selected else None
            if node is None:
                return
        try:
            wanted = volume(self._cluster, claim, chosen, node)
        except ProvisionError as error:
            message = f'failed to provision volume with StorageClass "{spec["storageClassName"]}": {error}'
            await record(self._kube, chosen["provisioner"], claim, "Warning", "ProvisioningFailed", message)
            return
        if await self._kube.find("v1", "PersistentVolume", name) is None:
            await self._kube.create(wanted)
            message = f"Successfully provisioned volume {name}"
            await record(self._kube, chosen["provisioner"], claim, "Normal", "ProvisioningSucceeded", message)


def is_reclaimable(volume: Json) -> bool:
    """Whether the drivers are to delete a volume: theirs, released, policy Delete."""
    made_by = (volume["metadata"].get("annotations") or {}).get(PROVISIONED_BY)
    released = (volume.get("status") or {}).get("phase") == "Released"
    deleting = "deletionTimestamp" in volume["metadata"]
    theirs = made_by in (DISK_DRIVER, FILE_DRIVER)
    return theirs and released and not deleting and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"


def volume(cluster: Record, claim: Json, chosen: Json, node: Json | None) -> Json:
    """The PersistentVolume for a claim. Raises `ProvisionError` for what the driver would refuse."""
    meta, spec = claim["metadata"], claim["spec"]
    driver = chosen["provisioner"]
    parameters = {name.lower(): value for name, value in (chosen.get("parameters") or {}).items()}
    size = f"{gib(spec['resources']['requests']['storage'])}Gi"
    name = f"pvc-{meta['uid']}"
    group = ids.group_id(cluster.state["nodeResourceGroup"])
    source: Json = {"driver": driver}
    affinity = None
    if driver == DISK_DRIVER:
        _check_disk(spec, parameters)
        source |= {"volumeHandle": f"{group}/providers/Microsoft.Compute/disks/{name}", "fsType": "ext4"}
        source["volumeAttributes"] = {"skuname": _sku(parameters), "requestedsizegib": size.removesuffix("Gi")}
        zone = ((node or {}).get("metadata", {}).get("labels") or {}).get(DISK_ZONE, "")
        affinity = _affinity(cluster.state["location"], zone, _sku(parameters))
    else:
        source |= {"volumeHandle": f"{cluster.state['nodeResourceGroup']}#files#{name}###{meta['namespace']}"}
    wanted = {
        "accessModes": spec["accessModes"],
        "capacity": {"storage": size},
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta["uid"],
        },
        "csi": source,
        "persistentVolumeReclaimPolicy": chosen.get("reclaimPolicy", "Delete"),
        "storageClassName": chosen["metadata"]["name"],
        "volumeMode": spec.get("volumeMode", "Filesystem"),
    }
    if chosen.get("mountOptions"):
        wanted["mountOptions"] = chosen["mountOptions"]
    if affinity is not None:
        wanted["nodeAffinity"] = affinity
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: driver}},
        "spec": wanted,
    }


def _sku(parameters: Mapping[str, str]) -> str:
    return parameters.get("skuname") or parameters.get("storageaccounttype") or "StandardSSD_LRS"


def _check_disk(spec: Json, parameters: Mapping[str, str]) -> None:
    if _sku(parameters) not in _DISK_SKUS:
        raise ProvisionError(f"azureDisk - {_sku(parameters)} is not supported sku type. Supported are {_DISK_SKUS}")
    shared = [mode for mode in spec["accessModes"] if mode not in ("ReadWriteOnce", "ReadWriteOncePod")]
    if shared and spec.get("volumeMode") != "Block":
        raise ProvisionError(f"mountVolume is not supported for access mode: {shared[0]}")


def _affinity(location: str, zone: str, sku: str) -> Json:
    """Where a disk can be attached: in its zone, or in every zone when it is zone-redundant."""
    zones = ["", *(f"{location}-{number}" for number in (1, 2, 3))] if sku.endswith("_ZRS") else [zone]
    terms = [{"matchExpressions": [{"key": DISK_ZONE, "operator": "In", "values": [one]}]} for one in zones]
    return {"required": {"nodeSelectorTerms": terms}}
