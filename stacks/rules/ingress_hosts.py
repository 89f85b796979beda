"""Rules over all Ingresses of our controller: each host has one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.flow.fronts import fronts
from components.speech.resource_manager_ingresses import hosts
from stacks.problem import Problem, set_command
from stacks.schema import Settings

MANAGER = "resourceManager.ingress"


def own_hosts(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Our controller gives a host to the oldest Ingress that has it, and nothing to the others."""
    taken = dict.fromkeys(_of_proxy(settings), "proxy.ingress")
    for section, path, host in (*_of_flow(settings), *_of_manager(settings)):
        if host in taken:
            reason = f"{host} is the host of {taken[host]} already, and our controller has one Ingress for a host"
            yield Problem(path, "two-hosts", reason, set_command(path, "HOST"))
        taken.setdefault(host, section)


def _of_proxy(settings: Settings) -> tuple[str, ...]:
    proxy = settings.proxy
    return proxy.ingress.hosts if proxy.enabled and proxy.ingress.enabled and settings.our_ingress else ()


def _of_flow(settings: Settings) -> Iterator[tuple[str, str, str]]:
    for front in fronts(settings.flow):
        if settings.is_ours(front.class_name):
            yield front.section, f"{front.path}.host", front.host


def _of_manager(settings: Settings) -> Iterator[tuple[str, str, str]]:
    manager = settings.resource_manager
    if settings.our_manager_ingress:
        for key, host in hosts(manager.ingress, manager.fullname_override).items():
            yield f"{MANAGER}.{key}", f"{MANAGER}.{key}.host", host
