"""Rules of room on single nodes: a pod that is larger than its nodes, pods that keep apart on too few of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from stacks.capacity import GIB, SIZES, Size, allocatable, transcriber_requests
from stacks.problem import Problem, set_command
from stacks.quantities import Pod
from stacks.schema import Settings
from stacks.schema.pools import Generation, Pool, Role, State
from stacks.services import workloads


def one_pod_on_one_node(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """More nodes do not help a pod that is larger than each of them."""
    pools = settings.pools.all
    nodes = {pool.name: _active(pool)[1] for pool in pools if pool.role is Role.SERVICES}
    by_path = {each.path: each for each in workloads(settings)}
    for each in by_path.values():
        # a pool that is not there is refused elsewhere
        excess = _excess(each.requests, nodes.get(each.pool, nodes[None]))
        if excess:
            path = f"{each.path}.requests.{excess.what}".replace("ingress.resources.requests", "ingress.resources")
            reason = f"a pod of {each.name} requests {excess.reason}"
            yield Problem(path, "pod-too-large", reason, set_command(path, excess.most))
    for pool in pools:
        if pool.role is Role.TRANSCRIBERS:
            yield from _largest_transcriber(settings, pool)


def _largest_transcriber(settings: Settings, pool: Pool) -> Iterator[Problem]:
    index, nodes = _active(pool)
    pods = transcriber_requests(settings, pool.name)
    largest = (max((cpu for cpu, _ in pods), default=0.0), max((memory for _, memory in pods), default=0.0))
    excess = _excess(largest, nodes)
    if excess:
        path = f"{pool.path}[{index}].vmSize"
        reason = f"the largest transcriber requests {excess.reason}"
        larger = (name for name, size in SIZES.items() if not size.gpus and not _over(largest, size, nodes))
        yield Problem(path, "pod-too-large", reason, set_command(path, next(larger, "VALUE")))


def _active(pool: Pool) -> tuple[int, Generation]:
    """The active generation and its place in the list; the last one where none is, which is refused elsewhere."""
    found = list(enumerate(pool.generations))
    return next((each for each in found if each[1].state is State.ACTIVE), found[-1])


@dataclass(frozen=True)
class Excess:
    """By what a pod is too large for a node."""

    what: str
    most: str
    """The most that fits."""
    reason: str


def _excess(pod: Pod, nodes: Generation) -> Excess | None:
    size = SIZES.get(nodes.vm_size)
    return _over(pod, size, nodes) if size else None  # an unknown size is refused elsewhere


def _over(pod: Pod, size: Size, nodes: Generation) -> Excess | None:
    cpu, memory = allocatable(size, nodes.max_pods)
    gives = f"a node of {nodes.vm_size} gives"
    if pod[0] > cpu:
        return Excess("cpu", f"{int(cpu * 1000)}m", f"{pod[0]:g} CPU, and {gives} {cpu:.2f}")
    if pod[1] > memory:
        return Excess("memory", f"{int(memory / GIB)}Gi", f"{pod[1] / GIB:.1f} GiB, and {gives} {memory / GIB:.1f}")
    return None


def proxies_apart(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Pods that must not share a node need one each, and one more while they are replaced."""
    proxy = settings.proxy
    index, services = _active(next(pool for pool in settings.pools.all if pool.path == "pools.services"))
    needed = proxy.replicas + 1
    if proxy.enabled and proxy.required_during_scheduling_strategy and needed > services.max_count:
        path = f"pools.services[{index}].maxCount"
        reason = (
            f"proxy.requiredDuringSchedulingStrategy keeps the {proxy.replicas} pods of a deployment, and the one that "
            f"replaces one of them, on {needed} nodes; maxCount allows {services.max_count}"
        )
        yield Problem(path, "pool-too-small", reason, set_command(path, needed))


FIT = (one_pod_on_one_node, proxies_apart)
"""All of them."""
