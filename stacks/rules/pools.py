"""Rules of the node pools: generations, counts, sizes, disks, versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stacks.capacity import SIZES, nodes_needed
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.walk import walk
from stacks.schema import Settings
from stacks.schema.placement import PlacementSettings
from stacks.schema.pools import NodeSpec, OsDiskType, Pool, Role, State


def one_active_generation(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for pool in settings.pools.all:
        active = [index for index, each in enumerate(pool.generations) if each.state is State.ACTIVE]
        if not active:
            path = f"{pool.path}[0].state"
            reason = "no generation of this pool is active, so its workloads have nowhere to run"
            yield Problem(path, "no-active-generation", reason, set_command(path, "active"))
        for index in active[1:]:
            path = f"{pool.path}[{index}].state"
            reason = f"{pool.path}[{active[0]}] is active already; exactly one generation is"
            yield Problem(path, "two-active-generations", reason, set_command(path, "standby"))


def own_numbers(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for pool in settings.pools.all:
        for index, each in enumerate(pool.generations):
            if each.number in [earlier.number for earlier in pool.generations[:index]]:
                path = f"{pool.path}[{index}].number"
                free = max(other.number for other in pool.generations) + 1
                reason = f"number {each.number} is taken by another generation of this pool"
                yield Problem(path, "duplicate-number", reason, set_command(path, free))


def counts(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    pools: list[tuple[str, NodeSpec]] = [("pools.system", settings.pools.system)]
    pools += [
        (f"{pool.path}[{index}]", each) for pool in settings.pools.all for index, each in enumerate(pool.generations)
    ]
    for path, nodes in pools:
        if nodes.min_count > nodes.max_count:
            reason = f"minCount {nodes.min_count} is above maxCount {nodes.max_count}"
            yield Problem(f"{path}.minCount", "min-above-max", reason, set_command(f"{path}.minCount", nodes.max_count))


def room_for_surge(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The active generation holds what every group may want and every group's surge, all at the same time.

    A changed tag tells all groups at once. A group's old pod leaves only when its last session is over, up to the
    longest session later, and until then its new pod needs a place beside it. With one spare place for all groups they
    would take turns of that length, and a language whose inference server waits for its turn would have transcribers of
    the new version that find no server of theirs. So each group's surge counts, and with scaling on its most pods.
    """
    for pool in settings.pools.all:
        for index, each in enumerate(pool.generations):
            if each.state is not State.ACTIVE:
                continue
            needed = nodes_needed(settings, pool, each)
            path = f"{pool.path}[{index}].maxCount"
            if needed is None:
                yield _unknown_size(pool, index, each.vm_size)
            elif each.max_count < needed:
                reason = (
                    f"{needed} nodes are needed for the wanted pods and their surge, maxCount allows {each.max_count}; "
                    "an update of the pods would never end"
                )
                yield Problem(path, "pool-too-small", reason, set_command(path, needed))


def _unknown_size(pool: Pool, index: int, vm_size: str) -> Problem:
    path = f"{pool.path}[{index}].vmSize"
    fitting = [name for name, size in SIZES.items() if bool(size.gpus) == (pool.role is Role.INFERENCE)]
    reason = f"{vm_size} is not in the capacity table, or does not suit this pool; known: {', '.join(fitting)}"
    return Problem(path, "unknown-vm-size", reason, set_command(path, fitting[0]))


def local_disks(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for pool in settings.pools.all:
        for index, each in enumerate(pool.generations):
            size = SIZES.get(each.vm_size)
            if size and each.os_disk_type is OsDiskType.EPHEMERAL and not size.local_disk:
                path = f"{pool.path}[{index}].osDiskType"
                reason = f"{each.vm_size} has no local disk for an ephemeral system disk"
                yield Problem(path, "no-local-disk", reason, set_command(path, "Managed"))


def pool_versions(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    newest = settings.azure.kubernetes_version
    control_plane = _version(newest)
    for pool in settings.pools.all:
        for index, each in enumerate(pool.generations):
            path, version = f"{pool.path}[{index}].kubernetesVersion", _version(each.kubernetes_version)
            if version > control_plane:
                reason = f"nodes may not be newer than the control plane ({settings.azure.kubernetes_version})"
                mend = set_command(path, settings.azure.kubernetes_version)
                yield Problem(path, "pool-newer-than-cluster", reason, mend)
            elif version[1] < control_plane[1] - 3:
                reason = f"more than three minor versions behind {settings.azure.kubernetes_version}"
                mend = f"write a further generation: {{number: N, state: active, kubernetesVersion: {newest}}}"
                yield Problem(path, "pool-too-old", reason, mend)


def further_drivers(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A further pool has a GPU driver only where its role is the GPUs'; a role's own pool says so in its schema."""
    for name, pool in settings.pools.further.items():
        for index, each in enumerate(pool.generations):
            if each.gpu_driver is not None and pool.role is not Role.INFERENCE:
                path = f"pools.further.{name}.generations[{index}].gpuDriver"
                reason = f"should be null: the VM sizes of {pool.role.value} have no GPU"
                yield Problem(path, "not-allowed", reason, remove_command(path))


def placements(settings: Settings) -> Iterator[tuple[str, PlacementSettings]]:
    """Every section of the configuration that says where a workload runs, with its path."""
    for path, _, value in walk(settings):
        if isinstance(value, PlacementSettings):
            yield path, value


def places(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A pool that a workload names is there, and of the workload's role: labels and taint are the role's."""
    further = settings.pools.further
    for above, wanted in placements(settings):
        if wanted.pool is None:
            continue
        path, fitting = f"{above}.pool", sorted(n for n, pool in further.items() if pool.role is wanted.role)
        mend = set_command(path, fitting[0]) if fitting else remove_command(path)
        if wanted.pool not in further:
            known = f"; there is {', '.join(further)}" if further else "; none is declared"
            yield Problem(path, "no-such-pool", f"`pools.further` has no {wanted.pool}{known}", mend)
        elif wanted.role is not further[wanted.pool].role:
            role = further[wanted.pool].role.value
            reason = f"{wanted.pool} is a pool for {role}, and this workload is one of {wanted.role.value}"
            yield Problem(path, "pool-of-another-role", reason, mend)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
