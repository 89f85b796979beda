"""What runs on the services pool and what it asks for: everything of the platform but transcribers and inference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.speech.pods import talking_pods
from components.speech.proxy_pod import resources_of
from stacks.quantities import Pod, quantity, requested, together
from stacks.schema import Settings
from stacks.schema.proxy_pods import ProxyDeployment
from stacks.schema.workload import Amounts, Resources


@dataclass(frozen=True)
class Workload:
    """One Deployment or StatefulSet."""

    name: str
    requests: Pod
    """Of one pod, all containers together."""
    pods: int
    path: str
    """Where the configuration has its requests; empty where they are fixed."""
    surge: int = 1
    """Pods beside the wanted ones while they are replaced."""
    pool: str | None = None
    """The further pool it runs on; None is the services pool."""


def asked(*containers: Resources) -> Pod:
    """What a pod of these containers requests."""
    return together(*(resources_of(container, Resources()) for container in containers))


def workloads(settings: Settings) -> tuple[Workload, ...]:
    """All of them. A new one on this pool is added here; a test asks the recorded objects for their requests."""
    parts = (_control_plane, _redis, _proxies, _cache, _flow, _ingress)
    return tuple(workload for part in parts for workload in part(settings))


def _control_plane(settings: Settings) -> Iterator[Workload]:
    manager, base, at = settings.resource_manager, settings.resource_manager.fullname_override, "resourceManager"
    metrics, reconciliation, controller = manager.metrics, manager.reconciliation, manager.session_groups
    pool = manager.pool
    yield Workload(base, asked(manager.resources), manager.replicas, f"{at}.resources", pool=pool)
    if controller.enabled:
        own = asked(controller.resources)
        yield Workload("sessiongroups-controller", own, 1, f"{at}.sessionGroups.resources", pool=pool)
    if metrics.enabled:
        own = asked(metrics.resources)
        yield Workload(f"{base}-metrics", own, metrics.replicas, f"{at}.metrics.resources", pool=pool)
    if reconciliation.enabled:
        own = asked(reconciliation.resources)
        yield Workload(f"{base}-reconciliation", own, 1, f"{at}.reconciliation.resources", pool=pool)


def _redis(settings: Settings) -> Iterator[Workload]:
    """The Redis in the cluster (contract: control plane 9); a StatefulSet replaces a pod in its place."""
    wanted, at = settings.resource_manager.redis, "resourceManager.redis"
    if not wanted.enabled:
        return
    base = wanted.fullname_override or f"{settings.release}-redis"
    if wanted.sentinel.enabled:
        own = asked(wanted.replica.resources, wanted.sentinel.resources)
        yield Workload(f"{base}-node", own, wanted.nodes, f"{at}.replica.resources", surge=0, pool=wanted.pool)
        return
    own = asked(wanted.master.resources)
    yield Workload(f"{base}-master", own, 1, f"{at}.master.resources", surge=0, pool=wanted.pool)
    if wanted.count:
        own = asked(wanted.replica.resources)
        yield Workload(f"{base}-replicas", own, wanted.count, f"{at}.replica.resources", surge=0, pool=wanted.pool)


def _proxies(settings: Settings) -> Iterator[Workload]:
    """Every deployment of the proxy, with room for the other side of the switch as well."""
    proxy, service = settings.proxy, settings.proxy.proxy
    if not proxy.enabled:
        return
    for key in sorted({"a", "b"} | set(service.deployments)):
        own = service.deployments.get(key, ProxyDeployment()).resources
        given = own.requests != Amounts() or own.limits != Amounts()
        path = f"proxy.proxy.deployments.{key}.resources" if given else "proxy.proxy.resources"
        pod = requested(resources_of(service.resources, own))
        yield Workload(f"{proxy.fullname_override}-{key}", pod, proxy.replicas, path, pool=proxy.pool)


def _cache(settings: Settings) -> Iterator[Workload]:
    """The proxy's cache: its program, and the Redis beside it."""
    proxy, cache = settings.proxy, settings.proxy.proxy_cache
    if proxy.enabled and cache.enabled:
        own = asked(cache.resources, *([] if cache.redis.external else [cache.redis.resources]))
        path = "proxy.proxyCache.resources"
        yield Workload(f"{proxy.fullname_override}-cache", own, cache.replicas, path, pool=cache.pool)


def _flow(settings: Settings) -> Iterator[Workload]:
    """What of Flow runs here; its language model and its voices need GPUs."""
    flow, proxy = settings.flow, settings.flow.llm_proxy
    if not flow.enabled:
        return
    own, pods = together(flow.resources, flow.readiness_tracker.resources), talking_pods(flow, settings.global_)
    yield Workload(flow.fullname_override, own, pods.wanted, "flow.resources", pods.surge, flow.pool)
    if proxy.enabled:
        own = together(proxy.resources)
        yield Workload(proxy.name, own, proxy.replicas, "flow.llmProxy.resources", pool=proxy.pool)


def _ingress(settings: Settings) -> Iterator[Workload]:
    ingress = settings.ingress
    if ingress.enabled:
        own = quantity(ingress.resources.cpu), quantity(ingress.resources.memory)
        path = "ingress.resources"
        yield Workload("nginx-ingress", own, ingress.replicas, path, pool=ingress.pool)
