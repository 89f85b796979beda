"""What runs on the services pool and what it asks for: everything of the platform but transcribers and inference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stacks.schema import Settings
from stacks.schema.workload import Resources


@dataclass(frozen=True)
class Workload:
    """One Deployment or StatefulSet."""

    name: str
    cpu: str
    """Request of one pod, all containers but those of `beside` together."""
    memory: str
    pods: int
    surge: int = 1
    """Pods beside the wanted ones while they are replaced."""
    beside: tuple[tuple[str, str], ...] = ()
    """Requests of further containers of the pod."""


def asked(resources: Resources) -> tuple[str, str]:
    """CPU and memory of a container's requests."""
    return resources.requests.cpu or "0", resources.requests.memory or "0"


def redis(settings: Settings) -> Iterator[Workload]:
    """The Redis in the cluster (contract: control plane 9); a StatefulSet replaces a pod in its place."""
    wanted = settings.resource_manager.redis
    if not wanted.enabled:
        return
    base = wanted.fullname_override or f"{settings.release}-redis"
    replica = asked(wanted.replica.resources)
    if wanted.sentinel.enabled:
        sentinel = (asked(wanted.sentinel.resources),)
        yield Workload(f"{base}-node", *replica, wanted.nodes, surge=0, beside=sentinel)
        return
    yield Workload(f"{base}-master", *asked(wanted.master.resources), 1, surge=0)
    if wanted.count:
        yield Workload(f"{base}-replicas", *replica, wanted.count, surge=0)


def workloads(settings: Settings) -> tuple[Workload, ...]:
    """All of them. A new one on this pool is added here; a test asks the recorded objects for their requests."""
    manager, proxy = settings.resource_manager, settings.proxy
    sides = sorted({"a", "b"} | set(proxy.proxy.deployments))
    return (
        Workload(manager.fullname_override, *asked(manager.resources), manager.replicas),
        Workload(f"{manager.fullname_override}-metrics", *asked(manager.metrics.resources), manager.metrics.replicas),
        Workload(f"{manager.fullname_override}-reconciliation", *asked(manager.reconciliation.resources), 1),
        Workload("sessiongroups-controller", *asked(manager.session_groups.resources), 1),
        *redis(settings),
        # contract: proxy 4; room for the other side of the switch as well
        *(Workload(f"{proxy.fullname_override}-{key}", "200m", "2Gi", proxy.replicas) for key in sides),
        Workload("nginx-ingress", "100m", "128Mi", settings.ingress.replicas),  # ours
    )
