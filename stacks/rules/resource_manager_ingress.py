"""Rules of the Ingresses straight to the resource manager: hosts that can be told, annotations that are taken."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.speech.resource_manager_ingresses import (
    FLOW,
    SET_FOR_FLOW,
    certificate_is_to_come,
    host_of,
    sections,
)
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.ingress_annotations import refused_by_our_controller
from stacks.schema import Settings

INGRESS = "resourceManager.ingress"


def zone(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The vendor's default zone is a domain of the vendor's; here it is asked for."""
    manager = settings.resource_manager
    without = [key for key in sections(manager.ingress) if not host_of(manager.ingress, key, manager.fullname_override)]
    if without:
        path, of = f"{INGRESS}.zone", " and ".join(f"{INGRESS}.{key}" for key in without)
        reason = f"the host of {of} is in it, and the vendor's default is a domain of the vendor's"
        yield Problem(path, "missing", reason, set_command(path, "DOMAIN"))


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


RESOURCE_MANAGER_INGRESS = (zone, direct_annotations, direct_certificate)
"""All of them."""
