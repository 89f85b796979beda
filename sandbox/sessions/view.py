"""What the API server says at one moment, and what can be asked of it. Pure.

Services and Ingresses stay the API server's objects; what matters of the others is in `sandbox.sessions.objects`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sandbox.hosted.host import Json
from sandbox.sessions.model import Role
from sandbox.sessions.objects import Node, Pod, Workload
from sandbox.sessions.redis import Elected

SERVICE_NAME = "kubernetes.io/service-name"
"""Label of an EndpointSlice: the Service it is of."""


@dataclass(frozen=True)
class View:
    """All that matters, by uid (nodes by name)."""

    pods: Mapping[str, Pod] = field(default_factory=dict)
    gone: Mapping[str, Pod] = field(default_factory=dict)
    """Pods that no longer exist, as they were last seen."""
    nodes: Mapping[str, Node] = field(default_factory=dict)
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    services: Sequence[Json] = ()
    slices: Sequence[Json] = ()
    ingresses: Sequence[Json] = ()
    elected: Elected | None = None
    """Which node of a Redis with Sentinel is the primary; None: no Redis has one."""
    without_redis: float | None = None
    """Since when no Redis answers (seconds since the epoch); None: one does, or the cluster has none."""

    @cached_property
    def by_role(self) -> Mapping[Role, Sequence[Pod]]:
        """Pods of each role, in the order of their names."""
        found: dict[Role, list[Pod]] = {role: [] for role in Role}
        for pod in sorted(self.pods.values(), key=lambda each: (each.namespace, each.name)):
            if pod.role is not None:
                found[pod.role].append(pod)
        return found

    def node_of(self, pod: Pod) -> Node | None:
        """The pod's node; None when it is gone, or the pod has none yet."""
        return self.nodes.get(pod.node)

    def lost(self, pod: Pod) -> bool:
        """Whether the pod has a node that is gone or does not answer."""
        node = self.node_of(pod)
        return bool(pod.node) and (node is None or node.lost)

    def takes_calls(self, pod: Pod) -> bool:
        return pod.takes_calls and not self.lost(pod)

    def deployed(self, role: Role) -> bool:
        """Whether anything makes pods of that role."""
        return any(workload.role is role for workload in self.workloads.values())

    def away(self, role: Role) -> bool:
        """Whether a part is deployed in this cluster and no pod of it answers; of Redis only a primary does."""
        answer = self.primaries if role is Role.REDIS else [*filter(self.takes_calls, self.by_role[role])]
        return self.deployed(role) and not answer

    @property
    def primaries(self) -> Sequence[Pod]:
        """Pods of Redis that answer: without Sentinel each that is Ready and follows no other, with it the elected."""
        nodes = self.elected.nodes if self.elected else frozenset()
        found = [pod for pod in self.by_role[Role.REDIS] if not pod.replica and pod.uid not in nodes]
        if self.elected and self.elected.away is None and self.elected.primary in self.pods:
            found.append(self.pods[self.elected.primary])
        return [*filter(self.takes_calls, found)]

    @cached_property
    def entrances(self) -> frozenset[tuple[str, str]]:
        """Namespace and name of each Service that an Ingress leads to."""
        return frozenset(backend for ingress in self.ingresses for backend in backends(ingress))

    @cached_property
    def endpoints(self) -> frozenset[str]:
        """Uids of the pods that are ready endpoints of those Services."""
        return frozenset(
            uid
            for each in self.slices
            if (each["metadata"]["namespace"], service_of(each)) in self.entrances
            for uid in ready_endpoints(each)
        )

    @cached_property
    def reachable(self) -> frozenset[str]:
        """Uids of the pods that are ready endpoints of any Service."""
        return frozenset(uid for each in self.slices for uid in ready_endpoints(each))

    @cached_property
    def proxies(self) -> Sequence[Pod]:
        """Proxy pods that get new sessions: ready endpoints of the Service that an Ingress leads to."""
        return [pod for pod in self.by_role[Role.PROXY] if pod.uid in self.endpoints and self.takes_calls(pod)]


def backends(ingress: Json) -> Iterator[tuple[str, str]]:
    """Namespace and name of each Service an Ingress leads to."""
    spec = ingress["spec"]
    named = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or []:
        named += [path["backend"] for path in (rule.get("http") or {}).get("paths") or []]
    for backend in named:
        if backend.get("service"):
            yield ingress["metadata"]["namespace"], backend["service"]["name"]


def service_of(endpoint_slice: Json) -> str:
    return str((endpoint_slice["metadata"].get("labels") or {}).get(SERVICE_NAME, ""))


def ready_endpoints(endpoint_slice: Json) -> Iterator[str]:
    """Uids of the pods behind a slice that are ready (not said: ready, as in `discovery.k8s.io/v1`)."""
    for endpoint in endpoint_slice.get("endpoints") or []:
        target = endpoint.get("targetRef") or {}
        if (endpoint.get("conditions") or {}).get("ready") is not False and target.get("kind") == "Pod":
            yield target["uid"]
