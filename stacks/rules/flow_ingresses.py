"""Rules of Flow's Ingresses: hosts that can be told, annotations and certificates that the controller takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.flow.fronts import SET_FOR_WEBSOCKETS, Front, fronts, of_llm_proxy
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.ingress_annotations import refused_by_our_controller
from stacks.schema import Settings


def zones(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The vendor's default zone is a domain of the vendor's; here it is asked for."""
    flow, there = settings.flow, {front.section for front in fronts(settings.flow)}
    for section, wanted in (
        ("flow.ingress", flow.internal_app.enabled and flow.ingress.enabled),
        ("flow.llmProxy.ingress", flow.llm_proxy.enabled and flow.llm_proxy.ingress.enabled),
        ("flow.tts.ingress", flow.tts.enabled and flow.tts.ingress.enabled),
        ("flow.vllm.ingress", flow.vllm.enabled and flow.vllm.ingress.enabled),
    ):
        if wanted and section not in there:
            path = f"{section}.zone"
            reason = "the host of the Ingress is in it, and the vendor's default is a domain of the vendor's"
            yield Problem(path, "missing", reason, set_command(path, "DOMAIN"))
    if flow.ingress.enabled and not flow.internal_app.enabled:
        path = "flow.ingress.enabled"
        reason = "the Ingress is that of the demonstration, and flow.internalApp.enabled is off"
        yield Problem(path, "without-effect", reason, set_command("flow.internalApp.enabled", "true"))


def ingress_annotations(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What our controller does not read, refuses, or gets from here. Another one takes what it is given."""
    for front in fronts(settings.flow):
        for of, annotation in ((of, each) for of, given in front.annotated.items() for each in given):
            reason = _refused(front, annotation) if settings.is_ours(front.class_name) else None
            if reason:
                path = f'{of}["{annotation}"]'
                yield Problem(path, "annotation-not-supported", reason, remove_command(path))


def _refused(front: Front, annotation: str) -> str | None:
    if front.websocket and annotation in SET_FOR_WEBSOCKETS:
        return "it is set by the program: a conversation is as long as sessions.maxDurationSeconds"
    return refused_by_our_controller(annotation)


def certificates(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """cert-manager puts a certificate into the Secret that the Ingress names."""
    for front in fronts(settings.flow):
        if front.certificate_is_to_come and front.tls_host is None:
            path = f"{front.section}.tls.enabled"
            reason = "cert-manager is asked for a certificate, and the Ingress is without TLS"
            yield Problem(path, "contradiction", reason, set_command(path, "true"))
        elif front.certificate_is_to_come and front.tls_secret is None:
            reason = "cert-manager is asked for a certificate, and no Secret is named to put it into"
            yield Problem(front.secret_path, "missing", reason, set_command(front.secret_path, "NAME"))


def unread_certificates(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A certificate is for an Ingress with TLS."""
    flow = settings.flow
    for key, tls in (("tts", flow.tts.ingress.tls), ("vllm", flow.vllm.ingress.tls)):
        path = f"flow.{key}.ingress.tls"
        if tls.secret_name is not None and not tls.enabled:
            reason = f"{path}.enabled is off, so the Ingress is without TLS and nothing reads it"
            yield Problem(f"{path}.secretName", "without-effect", reason, remove_command(f"{path}.secretName"))


def certificate_host(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Our controller compares the certificate's host with the Ingress's letter by letter."""
    proxy, path = settings.flow.llm_proxy, "flow.llmProxy.ingress.tlsHost"
    front, given = of_llm_proxy(proxy), proxy.ingress.tls_host
    if front and settings.is_ours(front.class_name) and given not in (None, front.host):
        reason = f"our controller serves {front.host} with TLS only where the certificate's host is the very same"
        yield Problem(path, "contradiction", reason, remove_command(path))


FLOW_INGRESSES = (zones, ingress_annotations, certificates, unread_certificates, certificate_host)
"""All of them, where Flow is on."""
