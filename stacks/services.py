"""What runs on the services pool and what it asks for: everything of the platform but transcribers and inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.quantity import quantity
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
        # contract: proxy 4; room for the other side of the switch as well
        *(Workload(f"{proxy.fullname_override}-{key}", "200m", "2Gi", proxy.replicas) for key in sides),
        Workload("nginx-ingress", "100m", "128Mi", settings.ingress.replicas),  # ours
        *flow(settings),
    )


def flow(settings: Settings) -> list[Workload]:
    """What of Flow runs here; its language model and its voices need GPUs."""
    given = settings.flow
    if not given.enabled:
        return []
    groups, proxy = given.session_groups, given.llm_proxy
    scaled = groups.scaling.enabled or settings.global_.session_groups.scaling.enabled
    most = groups.scaling.max_replicas if scaled else groups.replicas
    cpu, memory = asked(given.resources, given.readiness_tracker.resources)
    found = [Workload(given.fullname_override, cpu, memory, most, groups.allowed_surge)]
    return found + ([Workload(proxy.name, *asked(proxy.resources), proxy.replicas)] if proxy.enabled else [])


def asked(*containers: Mapping[str, Any]) -> tuple[str, str]:
    """CPU and memory that containers request together; what only has a limit requests as much."""

    def total(name: str) -> str:
        amounts = [{**each.get("limits", {}), **each.get("requests", {})}.get(name, "0") for each in containers]
        return str(sum(quantity(amount) for amount in amounts))

    return total("cpu"), total("memory")
