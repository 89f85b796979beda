"""What a new AKS cluster has for storage: drivers and classes. Pure.

AKS documentation concepts-storage: built-in storage classes; zone-redundant disks on clusters whose pools span
several zones, since Kubernetes 1.29.
"""

from __future__ import annotations

from sandbox.rpc import Json

DISK_DRIVER = "disk.csi.azure.com"
FILE_DRIVER = "file.csi.azure.com"


def drivers() -> list[Json]:
    """The CSIDriver objects: disks are attached by the cluster, file shares are not."""
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSIDriver",
            "metadata": {"name": name},
            "spec": {
                "attachRequired": attach,
                "podInfoOnMount": not attach,
                "fsGroupPolicy": "File" if attach else "ReadWriteOnceWithFSType",
                "volumeLifecycleModes": modes,
            },
        }
        for name, attach, modes in (
            (DISK_DRIVER, True, ["Persistent"]),
            (FILE_DRIVER, False, ["Persistent", "Ephemeral"]),
        )
    ]


def classes(zone_redundant: bool) -> list[Json]:
    """The StorageClasses AKS makes; `default` is the default class."""
    suffix = "ZRS" if zone_redundant else "LRS"
    table = (
        ("default", DISK_DRIVER, f"StandardSSD_{suffix}", True),
        ("managed-csi", DISK_DRIVER, f"StandardSSD_{suffix}", False),
        ("managed-csi-premium", DISK_DRIVER, f"Premium_{suffix}", False),
        ("azurefile-csi", FILE_DRIVER, "Standard_LRS", False),
        ("azurefile-csi-premium", FILE_DRIVER, "Premium_LRS", False),
    )
    found = []
    for name, driver, sku, default in table:
        meta: Json = {"name": name, "labels": {"kubernetes.io/cluster-service": "true"}}
        if default:
            meta["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
        found.append(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": meta,
                "provisioner": driver,
                "parameters": {"skuname" if driver == DISK_DRIVER else "skuName": sku},
                "reclaimPolicy": "Delete",
                "allowVolumeExpansion": True,
                "volumeBindingMode": "WaitForFirstConsumer" if driver == DISK_DRIVER else "Immediate",
            }
            | ({"mountOptions": ["mfsymlinks", "actimeo=30", "nosharesock"]} if driver == FILE_DRIVER else {})
        )
    return found
