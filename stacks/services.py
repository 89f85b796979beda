"""What runs on the services pool and what it asks for: everything of the platform but transcribers and inference."""

from __future__ import annotations

from dataclasses import dataclass

from stacks.quantities import quantity
from stacks.schema import Settings


@dataclass(frozen=True)
class Workload:
    """One Deployment or StatefulSet."""

    name: str
    cpu: str
    """Request of one pod, all containers together."""
    memory: str
    pods: int
    surge: int = 1
    """Pods beside the wanted ones while they are replaced."""


def workloads(settings: Settings) -> tuple[Workload, ...]:
    """All of them. A new one on this pool is added here; a test asks the recorded objects for their requests."""
    manager, proxy = settings.resource_manager, settings.proxy
    sides = sorted({"a", "b"} | set(proxy.proxy.deployments))
    return (
        Workload(manager.fullname_override, "20m", "40Mi", manager.replicas),  # contract: control plane 4.1
        Workload(f"{manager.fullname_override}-metrics", "20m", "40Mi", manager.metrics.replicas),  # 4.2
        Workload(f"{manager.fullname_override}-reconciliation", "100m", "100Mi", 1),  # 4.3
        Workload("sessiongroups-controller", "10m", "64Mi", 1),  # 4.4
        Workload(f"{settings.release}-redis-master", "0", "0", 1, surge=0),  # 9: requests nothing
        # room for the other side of the switch as well
        *(_side(settings, key) for key in sides),
        *([_cache(settings)] if proxy.proxy_cache.enabled else []),
        Workload("nginx-ingress", "100m", "128Mi", settings.ingress.replicas),  # ours
    )


def _side(settings: Settings, key: str) -> Workload:
    """One deployment of the proxy; one that is not there yet takes what all deployments take."""
    proxy = settings.proxy
    requests = proxy.proxy.resources.requests.model_dump(exclude_none=True)
    if key in proxy.proxy.deployments:
        requests |= proxy.proxy.deployments[key].resources.requests.model_dump(exclude_none=True)
    name = f"{proxy.fullname_override}-{key}"
    return Workload(name, requests.get("cpu", "0"), requests.get("memory", "0"), proxy.replicas)


def _cache(settings: Settings) -> Workload:
    """The proxy's cache: its program, and the Redis beside it."""
    cache = settings.proxy.proxy_cache
    parts = [cache.resources.requests, *([] if cache.redis.external else [cache.redis.resources.requests])]
    cpu = sum(quantity(each.cpu or "0") for each in parts)
    memory = sum(quantity(each.memory or "0") for each in parts)
    return Workload(f"{settings.proxy.fullname_override}-cache", f"{cpu:f}", f"{memory:.0f}", cache.replicas)
