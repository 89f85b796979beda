"""Rules of the node pools: generations, counts, sizes, disks, versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stacks.capacity import SIZES, nodes_needed
from stacks.problem import Problem, set_command
from stacks.schema import Settings
from stacks.schema.pools import NodeSpec, OsDiskType, Role, State


def one_active_generation(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for role in Role:
        generations = settings.pools.generations(role)
        active = [index for index, each in enumerate(generations) if each.state is State.ACTIVE]
        if not active:
            path = f"pools.{role.value}[0].state"
            reason = "no generation of this pool is active, so its workloads have nowhere to run"
            yield Problem(path, "no-active-generation", reason, set_command(path, "active"))
        for index in active[1:]:
            path = f"pools.{role.value}[{index}].state"
            reason = f"pools.{role.value}[{active[0]}] is active already; exactly one generation is"
            yield Problem(path, "two-active-generations", reason, set_command(path, "standby"))


def own_numbers(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for role in Role:
        generations = settings.pools.generations(role)
        for index, each in enumerate(generations):
            if each.number in [earlier.number for earlier in generations[:index]]:
                path = f"pools.{role.value}[{index}].number"
                free = max(other.number for other in generations) + 1
                reason = f"number {each.number} is taken by another generation of this pool"
                yield Problem(path, "duplicate-number", reason, set_command(path, free))


def counts(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    pools: list[tuple[str, NodeSpec]] = [("pools.system", settings.pools.system)]
    pools += [
        (f"pools.{role.value}[{index}]", each)
        for role in Role
        for index, each in enumerate(settings.pools.generations(role))
    ]
    for path, pool in pools:
        if pool.min_count > pool.max_count:
            reason = f"minCount {pool.min_count} is above maxCount {pool.max_count}"
            yield Problem(f"{path}.minCount", "min-above-max", reason, set_command(f"{path}.minCount", pool.max_count))


def room_for_surge(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The active generation holds what every group may want and every group's surge, all at the same time.

    A changed tag tells all groups at once. A group's old pod leaves only when its last session is over, up to the
    longest session later, and until then its new pod needs a place beside it. With one spare place for all groups they
    would take turns of that length, and a language whose inference server waits for its turn would have transcribers of
    the new version that find no server of theirs. So each group's surge counts, and with scaling on its most pods.
    """
    for role in Role:
        for index, each in enumerate(settings.pools.generations(role)):
            if each.state is not State.ACTIVE:
                continue
            needed = nodes_needed(settings, role, each)
            path = f"pools.{role.value}[{index}].maxCount"
            if needed is None:
                yield _unknown_size(role, index, each.vm_size)
            elif each.max_count < needed:
                reason = (
                    f"{needed} nodes are needed for the wanted pods and their surge, maxCount allows {each.max_count}; "
                    "an update of the pods would never end"
                )
                yield Problem(path, "pool-too-small", reason, set_command(path, needed))


def _unknown_size(role: Role, index: int, vm_size: str) -> Problem:
    path = f"pools.{role.value}[{index}].vmSize"
    fitting = [name for name, size in SIZES.items() if bool(size.gpus) == (role is Role.INFERENCE)]
    reason = f"{vm_size} is not in the capacity table, or does not suit this pool; known: {', '.join(fitting)}"
    return Problem(path, "unknown-vm-size", reason, set_command(path, fitting[0]))


def local_disks(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for role in Role:
        for index, each in enumerate(settings.pools.generations(role)):
            size = SIZES.get(each.vm_size)
            if size and each.os_disk_type is OsDiskType.EPHEMERAL and not size.local_disk:
                path = f"pools.{role.value}[{index}].osDiskType"
                reason = f"{each.vm_size} has no local disk for an ephemeral system disk"
                yield Problem(path, "no-local-disk", reason, set_command(path, "Managed"))


def pool_versions(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    control_plane = _version(settings.azure.kubernetes_version)
    for role in Role:
        for index, each in enumerate(settings.pools.generations(role)):
            path, version = f"pools.{role.value}[{index}].kubernetesVersion", _version(each.kubernetes_version)
            if version > control_plane:
                reason = f"nodes may not be newer than the control plane ({settings.azure.kubernetes_version})"
                mend = set_command(path, settings.azure.kubernetes_version)
                yield Problem(path, "pool-newer-than-cluster", reason, mend)
            elif version[1] < control_plane[1] - 3:
                reason = f"more than three minor versions behind {settings.azure.kubernetes_version}"
                mend = "add a generation with a newer kubernetesVersion and make it active"
                yield Problem(path, "pool-too-old", reason, mend)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
