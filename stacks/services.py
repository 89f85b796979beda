"""What runs on the services pool and what it asks for: everything of the platform but transcribers and inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.speech.proxy import resources_of
from stacks.schema import Settings
from stacks.schema.proxy import ProxyDeployment
from stacks.schema.workload import Amounts, Resources


@dataclass(frozen=True)
class Workload:
    """One Deployment or StatefulSet."""

    name: str
    cpu: str
    """Request of one pod, all containers together."""
    memory: str
    pods: int
    path: str
    """Where the configuration has its requests; empty where they are fixed."""
    surge: int = 1
    """Pods beside the wanted ones while they are replaced."""
    pool: str | None = None
    """The further pool it runs on; None is the services pool."""


def requested(resources: Mapping[str, Any]) -> tuple[str, str]:
    """CPU and memory a container requests; where only a limit is given, Kubernetes takes it for the request."""
    both = {**resources.get("limits", {}), **resources.get("requests", {})}
    return str(both.get("cpu", "0")), str(both.get("memory", "0"))


def workloads(settings: Settings) -> tuple[Workload, ...]:
    """All of them. A new one on this pool is added here; a test asks the recorded objects for their requests."""
    manager, base = settings.resource_manager, settings.resource_manager.fullname_override
    metrics, reconciliation, controller = manager.metrics, manager.reconciliation, manager.session_groups
    at, ingress = "resourceManager", settings.ingress
    found = [
        _workload(base, manager.resources, manager.replicas, f"{at}.resources"),
        _workload("sessiongroups-controller", controller.resources, 1, f"{at}.sessionGroups.resources"),
        # requests nothing (contract: control plane 9)
        Workload(f"{settings.release}-redis-master", "0", "0", 1, "", surge=0),
    ]
    if metrics.enabled:
        found.append(_workload(f"{base}-metrics", metrics.resources, metrics.replicas, f"{at}.metrics.resources"))
    if reconciliation.enabled:
        path = f"{at}.reconciliation.resources"
        found.append(_workload(f"{base}-reconciliation", reconciliation.resources, 1, path))
    if settings.proxy.enabled:
        found += _proxies(settings)
    if ingress.enabled:
        asked = ingress.resources
        found.append(
            Workload("nginx-ingress", asked.cpu, asked.memory, ingress.replicas, "ingress.resources", pool=ingress.pool)
        )
    return tuple(found)


def _workload(name: str, resources: Resources, pods: int, path: str) -> Workload:
    cpu, memory = requested(resources_of(resources, Resources()))
    return Workload(name, cpu, memory, pods, path)


def _proxies(settings: Settings) -> list[Workload]:
    """Every deployment of the proxy, with room for the other side of the switch as well."""
    proxy, service = settings.proxy, settings.proxy.proxy
    found = []
    for key in sorted({"a", "b"} | set(service.deployments)):
        own = service.deployments.get(key, ProxyDeployment()).resources
        given = own.requests != Amounts() or own.limits != Amounts()
        path = f"proxy.proxy.deployments.{key}.resources" if given else "proxy.proxy.resources"
        cpu, memory = requested(resources_of(service.resources, own))
        found.append(Workload(f"{proxy.fullname_override}-{key}", cpu, memory, proxy.replicas, path))
    return found
