"""Where a new session goes, or why it is turned away. Pure.

The way in is Kubernetes' own: the load balancer takes a Ready pod of the ingress controller, the Service a ready
endpoint. Behind the proxy the resource manager chooses, by its SM_RESOURCE_SELECTION_STRATEGY (contract: control plane
4.1): a transcriber and an inference server of one version, which is what a worker-proxy asks for (TRANSCRIBER_VERSION;
contract: transcription 4.4 and 14.10).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sandbox.sessions.model import Hop, Kind, Refused, Role
from sandbox.sessions.objects import CHOSEN, Offer, Pod, offer
from sandbox.sessions.rows import BusyOldPod, CordonedPod, Rows
from sandbox.sessions.view import View

FLOW_WORKER = "flow-worker"
"""What a flow-service registers (contract: flow 2.3)."""

LEAST_USED, LOWER_CAPACITY = frozenset({1, 3}), frozenset({2, 3})
"""Of the strategies of SM_RESOURCE_SELECTION_STRATEGY."""

Load = Mapping[str, int]
"""By uid of a pod, how much of its capacity is taken; a pod that is missing is idle."""


def place(view: View, load: Load, kind: Kind, language: str, rows: Rows) -> tuple[Hop, ...] | Refused:
    """The path of a new session. `load` counts a session's `Hop.cost` for each pod of its path."""
    ingress = _least(list(filter(view.takes_calls, view.by_role[Role.INGRESS])), load)
    if ingress is None:
        return Refused("no pod of the ingress controller is Ready")
    proxy = _least(view.proxies, load)
    if proxy is None:
        return Refused("no proxy pod is a ready endpoint of a Service that an Ingress leads to")
    if not any(map(view.takes_calls, view.by_role[Role.RESOURCE_MANAGER])):
        return Refused("no resource manager is Ready")
    if view.away(Role.REDIS):
        return Refused("no Redis answers")
    behind = _flow(view, load, rows) if kind is Kind.FLOW else _transcription(view, load, language, rows)
    return behind if isinstance(behind, Refused) else (_hop(ingress), _hop(proxy), *behind)


def _hop(pod: Pod, cost: int = 1) -> Hop:
    assert pod.role is not None
    return Hop(pod.role, pod.namespace, pod.name, pod.uid, cost, pod.life)


def _least(pods: Sequence[Pod], load: Load) -> Pod | None:
    return min(pods, key=lambda pod: load.get(pod.uid, 0), default=None)


def outdated(view: View, pod: Pod) -> bool:
    """Whether the pod was made from an older template of its SessionGroup."""
    group = view.workloads.get(pod.owner)
    return group is not None and group.version > pod.version


def willing(view: View, load: Load, role: Role, rows: Rows) -> Iterator[Pod]:
    """Pods of a role that the vendor's software gives new sessions to."""
    assert role in CHOSEN
    for pod in view.by_role[role]:
        if not view.takes_calls(pod):
            continue
        node = view.node_of(pod)
        if rows.cordoned_pod is CordonedPod.REFUSES and node is not None and node.cordoned:
            continue
        busy = load.get(pod.uid, 0) > 0
        if rows.busy_old_pod is BusyOldPod.REFUSES and busy and outdated(view, pod):
            continue
        yield pod


def _with_room(view: View, load: Load, role: Role, key: str, rows: Rows) -> list[tuple[Pod, Offer]]:
    """Pods that serve `key` and have room for one more session, in the order in which the resource manager takes them.

    Strategy 0: the most used first, of equal ones the one with the higher capacity; 1: the least used first; 2 and 3:
    as 0 and 1, but of equal ones the lower capacity. What that leaves open: the newer version.
    """
    selection = next((pod.selection for pod in view.by_role[Role.RESOURCE_MANAGER] if view.takes_calls(pod)), 0)
    used, capacity = (1 if selection in LEAST_USED else -1), (1 if selection in LOWER_CAPACITY else -1)
    found = []
    for pod in willing(view, load, role, rows):
        offered = offer(pod.features, key)
        if offered is not None and load.get(pod.uid, 0) + offered.cost <= offered.capacity:
            found.append((pod, offered))
    return sorted(
        found,
        key=lambda each: (used * load.get(each[0].uid, 0), capacity * each[1].capacity, outdated(view, each[0])),
    )


def _transcription(view: View, load: Load, language: str, rows: Rows) -> tuple[Hop, ...] | Refused:
    served = [each for each in view.workloads.values() if each.role is Role.TRANSCRIBER and each.language == language]
    if not served:
        return Refused(f"no transcriber is deployed for {language}")
    transcribers = [
        each
        for each in _with_room(view, load, Role.TRANSCRIBER, language, rows)
        if each[0].labels.get("lang") == language
    ]
    if not transcribers:
        return Refused(f"no transcriber for {language} has room")
    # the language of an inference server's models ends before the first hyphen (contract: transcription 4.4)
    servers = _with_room(view, load, Role.INFERENCE, language.split("-")[0], rows)
    for transcriber, offered in transcribers:
        for server, capacity in servers:
            if capacity.version == offered.version:
                return _hop(transcriber, offered.cost), _hop(server, capacity.cost)
    versions = ", ".join(sorted({offered.version for _, offered in transcribers}))
    return Refused(f"no inference server for {language} of version {versions} has room")


def _flow(view: View, load: Load, rows: Rows) -> tuple[Hop, ...] | Refused:
    services = _with_room(view, load, Role.FLOW, FLOW_WORKER, rows)
    if not services:
        return Refused("no flow-service has room" if view.deployed(Role.FLOW) else "no flow-service is deployed")
    service, offered = services[0]
    path = [_hop(service, offered.cost)]
    for role in (Role.TTS, Role.LLM_PROXY, Role.VLLM):
        if view.deployed(role):
            # called by the name of a Service (contract: flow 2.6 and 3.2), for a moment: what they register is no limit
            behind = [pod for pod in view.by_role[role] if pod.uid in view.reachable and view.takes_calls(pod)]
            pod = _least(behind, load)
            if pod is None:
                return Refused(f"no {role} is a ready endpoint of a Service")
            path.append(_hop(pod))
    return tuple(path)
