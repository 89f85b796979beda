"""The VM sizes the stand-in has, and what AKS leaves of one for pods.

Formula and figures: AKS documentation node-resource-reservations (2026-06-11, Kubernetes 1.29 and later); the table
of `allocatable` in the tests is that document's. Sizes: azure-compute-docs size pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MIB = 1 << 20
_GIB = 1 << 30

_CPU_RESERVED = {1: 60, 2: 100, 4: 140, 8: 180, 16: 260, 32: 420, 64: 740}
"""Millicores kept for the system, by vCPU count."""

_DEFAULT_DISK_GIB = ((64, 1024), (16, 512), (8, 256), (1, 128))
"""OS disk when none is asked for, from so many vCPUs up (AKS documentation, cluster-configuration)."""


@dataclass(frozen=True)
class Size:
    """One VM size. `memory` is what its node reports (bytes), less than what the size is sold with."""

    name: str
    cpus: int
    memory: int
    gpus: int = 0
    temporary_gib: int = 0
    """The local disk; an ephemeral OS disk lives there."""

    @property
    def local_disk(self) -> bool:
        return self.temporary_gib > 0

    @property
    def data_disks(self) -> int:
        """How many managed disks can be attached: two for each vCPU, at most 32, in every size of the table."""
        return min(2 * self.cpus, 32)

    @property
    def default_disk_gib(self) -> int:
        return next(gib for cpus, gib in _DEFAULT_DISK_GIB if self.cpus >= cpus)


def _reported(gib: float) -> int:
    """A reported memory of so many GiB in whole KiB."""
    return int(gib * _GIB) // 1024 * 1024


# NC4as: 28736340Ki reported by a real node (carverauto/threadr#68), 0.9788 of the 28 GiB sold; its sisters are put at
# the same ratio. D4s_v5: 15.6 of 16 GiB reported; E16s_v5: about 125.5 of 128 (an estimate); their sisters likewise.
_NC = 28736340 / (28 * 1024 * 1024)
_D = 15.6 / 16
_E = 125.5 / 128

SIZES = {
    size.name.lower(): size
    for size in (
        Size("Standard_D2s_v5", 2, _reported(8 * _D)),
        Size("Standard_D4s_v5", 4, _reported(16 * _D)),
        Size("Standard_D8s_v5", 8, _reported(32 * _D)),
        Size("Standard_D16s_v5", 16, _reported(64 * _D)),
        Size("Standard_E16s_v5", 16, _reported(128 * _E)),
        Size("Standard_E16s_v6", 16, _reported(128 * _E)),
        Size("Standard_NC4as_T4_v3", 4, 28736340 * 1024, gpus=1, temporary_gib=176),
        Size("Standard_NC8as_T4_v3", 8, _reported(56 * _NC), gpus=1, temporary_gib=352),
        Size("Standard_NC16as_T4_v3", 16, _reported(110 * _NC), gpus=1, temporary_gib=352),
        Size("Standard_NC64as_T4_v3", 64, _reported(440 * _NC), gpus=4, temporary_gib=2816),
    )
}


def find(name: str) -> Size | None:
    return SIZES.get(name.lower())


def of(pool: Mapping[str, Any]) -> Size:
    """The size of a pool that Azure has taken (`vmSize` of its state)."""
    return SIZES[str(pool["vmSize"]).lower()]


def reserved_memory(size: Size, max_pods: int) -> int:
    """Bytes kept for kubelet and system, and the eviction threshold of 100 MiB."""
    kept = min((20 * max_pods + 50) * _MIB, size.memory // 4)
    return kept + 100 * _MIB


def capacity(size: Size, max_pods: int, disk_gib: int) -> dict[str, str]:
    """A node's `status.capacity`, the GPUs aside: only a device plugin reports those."""
    return {
        "cpu": str(size.cpus),
        "memory": f"{size.memory // 1024}Ki",
        "ephemeral-storage": f"{disk_gib * 1024 * 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": str(max_pods),
    }


def allocatable(size: Size, max_pods: int, disk_gib: int) -> dict[str, str]:
    """A node's `status.allocatable`; of the disk the kubelet keeps a tenth back."""
    return capacity(size, max_pods, disk_gib) | {
        "cpu": f"{size.cpus * 1000 - _CPU_RESERVED[size.cpus]}m",
        "memory": f"{(size.memory - reserved_memory(size, max_pods)) // 1024}Ki",
        "ephemeral-storage": str(disk_gib * _GIB * 9 // 10),
    }
