"""What fits on a node of each VM size. The loader and the planner read the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from components.speech import pods
from components.speech.pod import Json
from components.speech.transcriber_languages import speeches
from stacks.quantities import Pod, quantity, together
from stacks.schema import Settings
from stacks.schema.fragment import ResourceRequirements
from stacks.schema.inference_server import ServerSettings
from stacks.schema.pools import Generation, Pool, Role
from stacks.services import workloads

MIB = 2**20
GIB = 2**30
GPU = "nvidia.com/gpu"


@dataclass(frozen=True)
class Size:
    """What one VM size has."""

    cpu: int
    memory_gib: float
    """As the node reports it, which is less than nominal."""
    gpus: int
    local_disk: bool
    bfloat16: bool = False
    """Whether its GPUs compute with it: a compute capability of 8.0 and above, which a T4 (7.5) has not."""


SIZES = {
    # memory: NC4as measured (28736340Ki, carverauto/threadr#68), the others nominal less 2 % (estimate)
    "Standard_NC4as_T4_v3": Size(4, 27.4, 1, True),
    "Standard_NC8as_T4_v3": Size(8, 54.9, 1, True),
    "Standard_NC16as_T4_v3": Size(16, 107.8, 1, True),
    "Standard_NC64as_T4_v3": Size(64, 431.2, 4, True),
    "Standard_E16s_v5": Size(16, 125.5, 0, False),
    "Standard_D4s_v5": Size(4, 15.6, 0, False),
    "Standard_D8s_v5": Size(8, 31.3, 0, False),
    "Standard_D16s_v5": Size(16, 62.7, 0, False),
}
"""The recommended sizes and their neighbours (Azure size pages; GPUs: T4 each)."""

CPU_RESERVED = {2: 0.100, 4: 0.140, 8: 0.180, 16: 0.260, 64: 0.740}
"""CPU the kubelet keeps, by vCPU (AKS node-resource-reservations, 2026-06-11, Kubernetes 1.29 and above)."""


def allocatable(size: Size, max_pods: int) -> tuple[float, float]:
    """CPU and memory in bytes that pods may request on one node (the formula of AKS node-resource-reservations)."""
    memory = size.memory_gib * GIB
    reserved = min((20 * max_pods + 50) * MIB, 0.25 * memory) + 100 * MIB
    return size.cpu - CPU_RESERVED[size.cpu], memory - reserved


def gpus_of(resources: Json) -> int:
    """GPUs that a container takes."""
    return ceil(quantity(str((resources.get("limits") or {}).get(GPU, "0"))))


def bfloat16(settings: Settings, pool: str | None) -> bool:
    """Whether pods of a GPU pool land on GPUs with bfloat16; None is the role's own pool."""
    kinds = [SIZES[each.vm_size] for each in settings.pools.actives(Role.INFERENCE, pool) if each.vm_size in SIZES]
    return bool(kinds) and all(size.bfloat16 for size in kinds)


def gpus(server: ServerSettings) -> int:
    """GPUs one pod of a server takes."""
    return gpus_of(server.triton_server.resources)


def placed(settings: Settings, pool: str | None) -> list[ServerSettings]:
    """The enabled servers of one GPU pool; None is the role's own."""
    return [s for s in settings.inference_servers.values() if s.enabled and s.triton_server.pool == pool]


def server_pods(settings: Settings, server: ServerSettings) -> int:
    """Pods of one server that must fit at once: the most it may want, and its surge."""
    return pods.server_pods(server, settings.global_).at_once


def inference_pods(settings: Settings, pool: str | None = None) -> int:
    """GPU pods of one pool that must fit at once, over its enabled servers."""
    return sum(server_pods(settings, server) for server in placed(settings, pool))


@dataclass(frozen=True)
class OfFlow:
    """Pods of Flow on a GPU pool that must fit at once."""

    pods: int
    """The most it may want, and those that start beside the old ones."""
    gpus: int
    """Of one pod."""
    requests: Pod


def flow_on_gpus(settings: Settings, pool: str | None = None) -> list[OfFlow]:
    """The language model and the voices of Flow, where they are on and placed in this pool; None is the role's own."""
    flow, tts, vllm = settings.flow, settings.flow.tts, settings.flow.vllm
    found: list[OfFlow] = []
    if flow.enabled and tts.enabled and tts.pool == pool:
        own = pods.talking_pods(tts, settings.global_).at_once
        found.append(OfFlow(own, gpus_of(tts.resources), together(tts.resources, tts.inference_sidecar.resources)))
    if flow.enabled and vllm.enabled and vllm.pool == pool:
        found.append(OfFlow(vllm.replicas + 1, vllm.config.num_gpus, together(vllm.resources)))
    return found


def flow_gpus(settings: Settings, pool: str | None = None) -> int:
    """GPUs that Flow must find at once: a new pod of the language model or of the voices starts beside the old one."""
    return sum(each.pods * each.gpus for each in flow_on_gpus(settings, pool))


def inference_gpus(settings: Settings, pool: str | None = None) -> int:
    """GPUs that all pods of one pool take."""
    servers = sum(server_pods(settings, server) * gpus(server) for server in placed(settings, pool))
    return servers + flow_gpus(settings, pool)


def beside(server: ServerSettings) -> list[ResourceRequirements]:
    """What the sidecar of an inference server asks for, where there is one."""
    return [server.inference_sidecar.resources] if server.inference_sidecar.enabled else []


def inference_requests(settings: Settings, pool: str | None = None) -> list[Pod]:
    """What every one of those pods requests beside its GPUs."""
    servers = [
        pod
        for server in placed(settings, pool)
        for pod in [together(server.triton_server.resources, *beside(server))] * server_pods(settings, server)
    ]
    return servers + [pod for each in flow_on_gpus(settings, pool) for pod in [each.requests] * each.pods]


def transcriber_requests(settings: Settings, pool: str | None = None) -> list[Pod]:
    """What every transcriber pod of one pool requests that must fit at once, over all languages."""
    own = settings.transcribers
    if own.transcriber.pool != pool:
        return []
    requests: list[Pod] = []
    for speech in speeches(own, settings.global_):
        beside = [own.readiness_tracker.resources, *([] if speech.on_cpu else [own.worker_proxy.resources])]
        sidecars = beside if own.live else []
        requests += [together(speech.resources, *sidecars)] * speech.pods.at_once
    return requests


def services_requests(settings: Settings, pool: str | None = None) -> list[Pod]:
    """What every pod of one services pool requests that must fit at once."""
    return [
        pod for each in workloads(settings) if each.pool == pool for pod in [each.requests] * (each.pods + each.surge)
    ]


def nodes_needed(settings: Settings, pool: Pool, generation: Generation) -> int | None:
    """Fewest nodes that hold what must be held plus every surge; None where the size is not in the table.

    Only what is placed in this pool counts. A lower bound: whether the pods really pack into so few nodes is the
    scheduler's business.
    """
    size = SIZES.get(generation.vm_size)
    if size is None or (pool.role is Role.INFERENCE and not size.gpus):
        return None
    requests = {
        Role.INFERENCE: inference_requests,
        Role.TRANSCRIBERS: transcriber_requests,
        Role.SERVICES: services_requests,
    }
    asked = requests[pool.role](settings, pool.name)
    cpu, memory = allocatable(size, generation.max_pods)
    shares = [sum(p[0] for p in asked) / cpu, sum(p[1] for p in asked) / memory, len(asked) / generation.max_pods]
    if pool.role is Role.INFERENCE:
        shares.append(inference_gpus(settings, pool.name) / size.gpus)
    return max(ceil(share) for share in shares)
