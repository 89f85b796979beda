"""Rules of the Ingresses straight to the resource manager: hosts of their own, annotations that are taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.flow import flow_service, llm_proxy, tts, vllm
from components.flow.objects import Front
from components.speech.resource_manager_ingresses import (
    FLOW,
    SET_FOR_FLOW,
    certificate_is_to_come,
    host_of,
    hosts,
    sections,
)
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.ingress_annotations import refused_by_our_controller
from stacks.schema import Settings
from stacks.schema.proxy_ingress import OUR_CLASS

INGRESS = "resourceManager.ingress"


def zone(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The vendor's default zone is a domain of the vendor's; here it is asked for."""
    manager = settings.resource_manager
    without = [key for key in sections(manager.ingress) if not host_of(manager.ingress, key, manager.fullname_override)]
    if without:
        path, of = f"{INGRESS}.zone", " and ".join(f"{INGRESS}.{key}" for key in without)
        reason = f"the host of {of} is in it, and the vendor's default is a domain of the vendor's"
        yield Problem(path, "missing", reason, set_command(path, "DOMAIN"))


def own_hosts(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Our controller gives a host to the oldest Ingress that has it, and nothing to the others."""
    if not settings.our_manager_ingress:
        return
    taken = dict(hosts_of_others(settings))
    for key, host in hosts(settings.resource_manager.ingress, settings.resource_manager.fullname_override).items():
        path = f"{INGRESS}.{key}.host"
        if host in taken:
            reason = f"{host} is the host of {taken[host]} already, and our controller has one Ingress for a host"
            yield Problem(path, "two-hosts", reason, set_command(path, "HOST"))
        taken.setdefault(host, f"{INGRESS}.{key}")


def hosts_of_others(settings: Settings) -> Iterator[tuple[str, str]]:
    """The hosts that our controller serves for others, each with the section it is from."""
    if settings.proxy.enabled and settings.proxy.ingress.enabled and settings.our_ingress:
        yield from ((host, "proxy.ingress") for host in settings.proxy.ingress.hosts)
    yield from ((front.host, key) for key, front in _of_flow(settings) if front.class_name == OUR_CLASS)


def _of_flow(settings: Settings) -> Iterator[tuple[str, Front]]:
    flow = settings.flow
    if not flow.enabled:
        return
    if flow.internal_app.enabled and flow.ingress.enabled:
        yield "flow.ingress", flow_service.front(flow)
    if flow.llm_proxy.enabled and flow.llm_proxy.ingress.enabled:
        yield "flow.llmProxy.ingress", llm_proxy.front(flow.llm_proxy)
    if flow.tts.enabled and flow.tts.ingress.enabled:
        yield "flow.tts.ingress", tts.front(flow.tts)
    if flow.vllm.enabled and flow.vllm.ingress.enabled:
        yield "flow.vllm.ingress", vllm.front(flow.vllm)


def direct_annotations(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What our controller does not read, refuses, or gets from here. Another one takes what it is given."""
    if not settings.our_manager_ingress:
        return
    for key, section in sections(settings.resource_manager.ingress).items():
        for annotation in section.annotations:
            reason = refused_by_our_controller(annotation)
            if key == FLOW and annotation in SET_FOR_FLOW:
                reason = "it is set by the program: a conversation is as long as sessions.maxDurationSeconds"
            if reason:
                path = f'{INGRESS}.{key}.annotations["{annotation}"]'
                yield Problem(path, "annotation-not-supported", reason, remove_command(path))


def direct_certificate(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """cert-manager puts a certificate into the Secret that the Ingress names."""
    ingress, path = settings.resource_manager.ingress, f"{INGRESS}.tlsSecretName"
    if certificate_is_to_come(ingress) and ingress.tls_secret_name is None:
        reason = "cert-manager is asked for a certificate, and no Secret is named to put it into"
        yield Problem(path, "missing", reason, set_command(path, "NAME"))


RESOURCE_MANAGER_INGRESS = (zone, own_hosts, direct_annotations, direct_certificate)
"""All of them."""
