"""`pools`: the node pools, each a list of generations. Ours; the seed only recommends sizes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stacks.schema.azure import Zone
from stacks.schema.base import KubernetesVersion, Section, only, shaped


class Role(StrEnum):
    """What a node pool is for."""

    SERVICES = "services"
    INFERENCE = "inference"
    TRANSCRIBERS = "transcribers"


class State(StrEnum):
    """Where a generation is in its life."""

    STANDBY = "standby"
    """Declared and protected, chosen by no workload."""
    ACTIVE = "active"
    """Chosen by the workloads; exactly one generation of a pool is."""
    DRAINING = "draining"
    """No longer chosen, still protected; session pods on it live out their sessions."""
    RETIRING = "retiring"
    """Declared but no longer protected: it may be removed from the configuration once no session pod is on it."""


class OsDiskType(StrEnum):
    """Where a node's operating system disk lives."""

    MANAGED = "Managed"
    EPHEMERAL = "Ephemeral"


class GpuDriver(StrEnum):
    """Whether AKS installs the NVIDIA driver on the nodes."""

    INSTALL = "Install"
    NONE = "None"


VmSize = Annotated[str, shaped("^Standard_[A-Za-z0-9_]+$", "an Azure VM size, such as Standard_D4s_v5")]
"""An Azure VM size."""


class NodeSpec(Section):
    """The nodes of a pool, or of one generation of it."""

    zones: tuple[Zone, ...] = Field(("1", "2", "3"), description="Zones of the nodes; immutable.")
    os_disk_size_gb: int | None = Field(
        None, ge=30, le=2048, alias="osDiskSizeGB", description="Size of the system disk in GB; immutable."
    )
    min_count: int = Field(1, ge=0, le=1000, description="Fewest nodes the autoscaler keeps.")
    max_count: int = Field(3, ge=1, le=1000, description="Most nodes the autoscaler makes.")


class SystemPool(NodeSpec):
    """The cluster's own pool, inline in the cluster: used when it is created, later changes are made with `az`."""

    vm_size: VmSize = Field("Standard_D4s_v5", description="VM size; AKS wants at least 4 vCPU here.")
    os_disk_type: OsDiskType = Field(OsDiskType.MANAGED, description="Where the system disk lives.")
    max_pods: int = Field(110, ge=30, le=250, description="Most pods on a node.")
    min_count: int = Field(2, ge=1, le=1000, description="Fewest nodes; AKS wants two.")


class Generation(NodeSpec):
    """One generation of a pool. Whatever is immutable about it goes into its name."""

    number: int = Field(ge=1, le=99, description="Its own number, never used again in this pool.")
    state: State = Field(description="standby, active, draining or retiring.")
    kubernetes_version: KubernetesVersion = Field(description="Kubernetes version of its nodes; immutable.")
    vm_size: VmSize = Field(description="VM size; immutable.")
    os_disk_type: OsDiskType = Field(description="Where the system disk lives; immutable.")
    max_pods: int = Field(ge=10, le=250, description="Most pods on a node; immutable.")
    gpu_driver: GpuDriver | None = Field(None, description="GPU driver, on GPU sizes only; immutable.")


NoGpu = Annotated[GpuDriver | None, only(None, "its VM sizes have no GPU")]
"""The driver where there is nothing to drive."""


class ServicesGeneration(Generation):
    """A generation of the pool for everything but transcribers and inference servers."""

    gpu_driver: NoGpu = Field(None, description="None: the pool's sizes have no GPU.")
    vm_size: VmSize = Field("Standard_D4s_v5", description="VM size; immutable.")
    os_disk_type: OsDiskType = Field(OsDiskType.MANAGED, description="Where the system disk lives; immutable.")
    max_pods: int = Field(110, ge=10, le=250, description="Most pods on a node; immutable.")


class InferenceGeneration(Generation):
    """A generation of the GPU pool."""

    vm_size: VmSize = Field("Standard_NC4as_T4_v3", description="VM size; immutable.")
    os_disk_type: OsDiskType = Field(
        OsDiskType.EPHEMERAL, description="Where the system disk lives; NCas sizes have a local disk; immutable."
    )
    max_pods: int = Field(30, ge=10, le=250, description="Most pods on a node; immutable.")
    gpu_driver: GpuDriver | None = Field(GpuDriver.INSTALL, description="GPU driver; immutable.")


class TranscribersGeneration(Generation):
    """A generation of the transcribers' pool."""

    gpu_driver: NoGpu = Field(None, description="None: the pool's sizes have no GPU.")
    vm_size: VmSize = Field("Standard_E16s_v5", description="VM size; immutable.")
    os_disk_type: OsDiskType = Field(OsDiskType.MANAGED, description="Where the system disk lives; immutable.")
    max_pods: int = Field(110, ge=10, le=250, description="Most pods on a node; immutable.")


class PoolSettings(Section):
    """All node pools."""

    system: SystemPool = Field(default_factory=SystemPool, description="The cluster's own pool.")
    services: tuple[ServicesGeneration, ...] = Field(min_length=1, description="Generations of the services pool.")
    inference: tuple[InferenceGeneration, ...] = Field(min_length=1, description="Generations of the GPU pool.")
    transcribers: tuple[TranscribersGeneration, ...] = Field(
        min_length=1, description="Generations of the transcribers' pool."
    )

    def generations(self, role: Role) -> tuple[Generation, ...]:
        """The generations of one pool, in the order they are written."""
        by_role: dict[Role, tuple[Generation, ...]] = {
            Role.SERVICES: self.services,
            Role.INFERENCE: self.inference,
            Role.TRANSCRIBERS: self.transcribers,
        }
        return by_role[role]

    def active(self, role: Role) -> Generation:
        """The generation workloads choose. The loader has made sure that there is exactly one."""
        return next(g for g in self.generations(role) if g.state is State.ACTIVE)

    def each(self) -> Iterator[tuple[Role, Generation]]:
        """Every generation of every pool."""
        for role in Role:
            for generation in self.generations(role):
                yield role, generation
