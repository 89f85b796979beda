"""`pools`: the node pools, each a list of generations. Ours; the seed only recommends sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

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


PREFIX = {Role.SERVICES: "svc", Role.INFERENCE: "infer", Role.TRANSCRIBERS: "trans"}
"""Begin of the names of each role's own pool. AKS: at most 12 lower-case letters and digits, 7 of them ours."""


def _free(name: str) -> str:
    if name in PREFIX.values():
        raise PydanticCustomError("not_allowed", "{name} is how the pool of a role begins", {"name": name})
    return name


PoolName = Annotated[
    str,
    shaped("^[a-z][a-z0-9]{0,4}$", "at most five lower case letters and digits, a letter first"),
    AfterValidator(_free),
]
"""Name of a further pool, and begin of the names AKS knows its generations by: at most five letters and digits."""

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


class FurtherGeneration(NodeSpec):
    """A generation of a further pool; what is not set is as in the pool of its role."""

    number: int = Field(ge=1, le=99, description="Its own number, never used again in this pool.")
    state: State = Field(description="standby, active, draining or retiring.")
    kubernetes_version: KubernetesVersion = Field(description="Kubernetes version of its nodes; immutable.")
    vm_size: VmSize | None = Field(None, description="VM size, unset is the role's; immutable.")
    os_disk_type: OsDiskType | None = Field(
        None, description="Place of the system disk, unset is the role's; immutable."
    )
    max_pods: int | None = Field(
        None, ge=10, le=250, description="Most pods on a node, unset is the role's; immutable."
    )
    gpu_driver: GpuDriver | None = Field(None, description="GPU driver, unset is the role's; immutable.")

    def of(self, role: Role) -> Generation:
        """What it is in a pool of this role."""
        kinds: dict[Role, type[Generation]] = {
            Role.SERVICES: ServicesGeneration,
            Role.INFERENCE: InferenceGeneration,
            Role.TRANSCRIBERS: TranscribersGeneration,
        }
        # a null stands for nothing here: it takes no pool of the role's own its disk, its pods or its driver
        given = {name: value for name, value in self if value is not None}
        if role is not Role.INFERENCE:
            given.pop("gpu_driver", None)  # refused by a rule (`stacks.rules.pools`)
        return kinds[role].model_validate(given, by_name=True)


class FurtherPool(Section):
    """One more pool for the workloads of a role that name it."""

    role: Role = Field(description="Whose work it is for: services, inference or transcribers; gives labels and taint.")
    generations: tuple[FurtherGeneration, ...] = Field(min_length=1, description="Its generations.")


@dataclass(frozen=True)
class Pool:
    """A pool of nodes with its generations: a role's own, or a further one."""

    role: Role
    name: str | None
    """Of a further pool; None is the role's own."""
    path: str
    """Where its generations stand in the configuration."""
    generations: tuple[Generation, ...]

    @property
    def prefix(self) -> str:
        """Begin of the names of its generations in Azure, distinct from every other pool's."""
        return self.name or PREFIX[self.role]

    @property
    def active(self) -> Generation:
        """The generation workloads choose. The loader has made sure that there is exactly one."""
        return next(each for each in self.generations if each.state is State.ACTIVE)


class PoolSettings(Section):
    """All node pools."""

    system: SystemPool = Field(default_factory=SystemPool, description="The cluster's own pool.")
    services: tuple[ServicesGeneration, ...] = Field(min_length=1, description="Generations of the services pool.")
    inference: tuple[InferenceGeneration, ...] = Field(min_length=1, description="Generations of the GPU pool.")
    transcribers: tuple[TranscribersGeneration, ...] = Field(
        min_length=1, description="Generations of the transcribers' pool."
    )
    further: dict[PoolName, FurtherPool] = Field(
        default_factory=dict, description="More pools by name, for workloads that name one in their `pool`."
    )

    @property
    def all(self) -> tuple[Pool, ...]:
        """Every pool but the cluster's own: those of the roles, then the further ones as they are written."""
        own: dict[Role, tuple[Generation, ...]] = {
            Role.SERVICES: self.services,
            Role.INFERENCE: self.inference,
            Role.TRANSCRIBERS: self.transcribers,
        }
        further = (
            Pool(pool.role, name, f"pools.further.{name}.generations", tuple(g.of(pool.role) for g in pool.generations))
            for name, pool in self.further.items()
        )
        return (*(Pool(role, None, f"pools.{role.value}", own[role]) for role in Role), *further)

    def pool(self, role: Role, name: str | None = None) -> Pool:
        """A role's own pool, or a further one of that role. The loader has made sure that there is such a one."""
        return next(pool for pool in self.all if pool.role is role and pool.name == name)

    def actives(self, role: Role, name: str | None = None) -> tuple[Generation, ...]:
        """The generations of a pool that call themselves active, before the loader has made sure of one."""
        pools = [pool for pool in self.all if pool.role is role and pool.name == name]
        return tuple(each for pool in pools for each in pool.generations if each.state is State.ACTIVE)

    def active(self, role: Role, name: str | None = None) -> Generation:
        """The generation the workloads of a pool choose."""
        return self.pool(role, name).active

    def each(self) -> Iterator[tuple[Pool, Generation]]:
        """Every generation of every pool."""
        for pool in self.all:
            for generation in pool.generations:
                yield pool, generation
