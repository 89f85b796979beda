"""What runs on the services pool and what it asks for: everything of the platform but transcribers and inference."""

from __future__ import annotations

from dataclasses import dataclass

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
    pool: str | None = None
    """The further pool it runs on; None is the services pool."""


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
        # contract: proxy 4; room for the other side of the switch as well
        *(Workload(f"{proxy.fullname_override}-{key}", "200m", "2Gi", proxy.replicas) for key in sides),
        Workload(  # ours
            "nginx-ingress", "100m", "128Mi", settings.ingress.replicas, pool=settings.ingress.pool
        ),
    )
