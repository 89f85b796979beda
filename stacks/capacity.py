"""What fits on a node of each VM size. The loader and the planner read the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from components.speech.transcriber_resources import requests_of
from stacks.quantity import quantity
from stacks.schema import Settings
from stacks.schema.flow.groups import FlowGroups
from stacks.schema.pools import Generation, Role
from stacks.schema.session_groups import InferenceGroups, TranscriberGroups
from stacks.services import workloads

MIB = 2**20
GIB = 2**30


@dataclass(frozen=True)
class Size:
    """What one VM size has."""

    cpu: int
    memory_gib: float
    """As the node reports it, which is less than nominal."""
    gpus: int
    local_disk: bool


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

SIDECARS = (0.020, 30 * MIB)
"""CPU and memory requests of readiness-tracker and worker-proxy together (contract: transcription 4.3 and 4.4)."""


def allocatable(size: Size, max_pods: int) -> tuple[float, float]:
    """CPU and memory in bytes that pods may request on one node (the formula of AKS node-resource-reservations)."""
    memory = size.memory_gib * GIB
    reserved = min((20 * max_pods + 50) * MIB, 0.25 * memory) + 100 * MIB
    return size.cpu - CPU_RESERVED[size.cpu], memory - reserved


Pod = tuple[float, float]
"""CPU, and memory in bytes, that one pod requests."""


def held(groups: TranscriberGroups | InferenceGroups | FlowGroups, scaled: bool) -> int:
    """Pods of one group that must fit at once: the most it may want, and its surge."""
    return (groups.scaling.max_replicas if scaled else groups.replicas) + groups.allowed_surge


def inference_pods(settings: Settings) -> int:
    """GPU pods that must fit at once, over all enabled servers."""
    scaled = settings.global_.session_groups.scaling.enabled
    return sum(held(each.session_groups, scaled) for each in settings.inference_servers.values() if each.enabled)


def flow_gpus(settings: Settings) -> int:
    """GPUs that Flow must find at once: a new pod of the language model or of the voices starts beside the old one."""
    flow = settings.flow
    if not flow.enabled:
        return 0
    groups, of_one = flow.tts.session_groups, flow.tts.resources.get("limits", {}).get("nvidia.com/gpu", "0")
    scaled = groups.scaling.enabled or settings.global_.session_groups.scaling.enabled
    voices = held(groups, scaled) * int(of_one) if flow.tts.enabled else 0
    return voices + ((flow.vllm.replicas + 1) * flow.vllm.config.num_gpus if flow.vllm.enabled else 0)


def transcriber_requests(settings: Settings) -> list[Pod]:
    """What every transcriber pod requests that must fit at once, over all languages."""
    if not settings.transcribers.enabled:
        return []
    pods = held(settings.transcribers.session_groups, settings.global_.session_groups.scaling.enabled)
    requests: list[Pod] = []
    for language in settings.global_.transcriber.languages:
        cpu, memory = requests_of(language)
        requests += [(quantity(cpu) + SIDECARS[0], quantity(memory) + SIDECARS[1])] * pods
    return requests


def services_requests(settings: Settings) -> list[Pod]:
    """What every pod of the services pool requests that must fit at once."""
    return [
        pod
        for each in workloads(settings)
        for pod in [(quantity(each.cpu), quantity(each.memory))] * (each.pods + each.surge)
    ]


def nodes_needed(settings: Settings, role: Role, generation: Generation) -> int | None:
    """Fewest nodes that hold what must be held plus every surge; None where the size is not in the table.

    A lower bound: whether the pods really pack into so few nodes is the scheduler's business.
    """
    size = SIZES.get(generation.vm_size)
    if size is None:
        return None
    if role is Role.INFERENCE:
        gpus = inference_pods(settings) + flow_gpus(settings)
        return -(-gpus // size.gpus) if size.gpus else None
    pods = transcriber_requests(settings) if role is Role.TRANSCRIBERS else services_requests(settings)
    cpu, memory = allocatable(size, generation.max_pods)
    shares = (sum(p[0] for p in pods) / cpu, sum(p[1] for p in pods) / memory, len(pods) / generation.max_pods)
    return max(ceil(share) for share in shares)
