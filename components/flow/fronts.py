"""The Ingresses in front of Flow's components: hosts, certificates, annotations (contract: flow 2.7, 3.3, 4.3, 5.4).

F5's controller, ours, compares a host of `tls` letter by letter with that of the rule, so there the host itself takes
the place of the chart's `*.<zone>` (docs/explanation/ingress.md). Another controller gets what the chart has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as kubernetes

from components.flow.common import Face
from components.speech.ingress_spec import ingress_spec
from components.speech.proxy_ingress import READ_TIMEOUT, SEND_TIMEOUT, WEBSOCKET_SERVICES, made_by_cert_manager
from stacks.schema.flow import FlowSettings
from stacks.schema.flow.llm_proxy import LlmProxySettings
from stacks.schema.flow.shared import FlowWorkload, HostIngress, IngressTls
from stacks.schema.flow.tts import TtsSettings
from stacks.schema.flow.vllm import VllmSettings

SET_FOR_WEBSOCKETS = (WEBSOCKET_SERVICES, READ_TIMEOUT, SEND_TIMEOUT)
"""Annotations that are set here for our controller, where a conversation goes through the Ingress."""


@dataclass(frozen=True)
class Front:
    """An Ingress in the making."""

    section: str
    """Where the configuration speaks of it."""
    object_name: str
    class_name: str
    host: str
    paths: tuple[str, ...]
    tls_host: str | None
    """The chart's host of the certificate; None is without TLS."""
    tls_secret: str | None
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    common: Mapping[str, str]
    """Annotations that all objects of the component have."""
    own: str = ""
    """What stands between the section's path and the keys of this Ingress alone."""
    secret_key: str = "tls.secretName"
    websocket: bool = False
    """Whether conversations go through it."""

    @property
    def path(self) -> str:
        """Of the section with its host and its annotations."""
        return f"{self.section}{self.own}"

    @property
    def annotated(self) -> Mapping[str, Mapping[str, str]]:
        """All the configuration's annotations of it, by the path of their map."""
        component = self.section.removesuffix(".ingress")
        return {f"{component}.additionalAnnotations": self.common, f"{self.path}.annotations": self.annotations}

    @property
    def secret_path(self) -> str:
        """Of the key that names its certificate's Secret."""
        return f"{self.section}.{self.secret_key}"

    @property
    def certificate_is_to_come(self) -> bool:
        """Whether cert-manager is asked for its certificate."""
        return made_by_cert_manager({**self.common, **self.annotations})

    @property
    def existing_certificate(self) -> str | None:
        """The Secret that must be there before the Ingress names it."""
        return None if self.certificate_is_to_come else self.tls_secret

    def tls(self, *, ours: bool) -> dict[str, str | None]:
        """Host of the certificate and its Secret; None is the controller's own. Empty is without TLS."""
        if self.tls_host is None:
            return {}
        return {self.host if ours else self.tls_host: self.tls_secret}

    def marks(self, service: pulumi.Input[str], seconds: int, *, ours: bool) -> dict[str, pulumi.Input[str]]:
        """Its annotations: those of the configuration, and for a websocket behind our controller also ours.

        `seconds` are those that a client may be silent.
        """
        if not (ours and self.websocket):
            return dict(self.annotations)
        silence = f"{seconds}s"
        return {**self.annotations, WEBSOCKET_SERVICES: service, READ_TIMEOUT: silence, SEND_TIMEOUT: silence}


def _host(given: str | None, name: str, zone: str | None) -> str | None:
    """The host that is given, or a name in the zone; None where there is no zone."""
    return given or (f"{name}.{zone}" if zone else None)


def of_flow_service(settings: FlowSettings) -> Front | None:
    """The Ingress of the demonstration; None where it is off, or in a zone that is not given."""
    at, name = settings.ingress, settings.fullname_override
    host = _host(at.api.host, f"flow-{name}", at.zone)
    if not (settings.internal_app.enabled and at.enabled and host):
        return None
    return Front(
        section="flow.ingress",
        object_name=f"{name}-api",
        class_name=at.ingress_class_name,
        host=host,
        paths=("/", "/api"),
        tls_host=f"*.{at.zone}" if at.zone else host,
        tls_secret=at.tls_secret_name,
        annotations=at.api.annotations,
        labels=at.api.labels,
        common=settings.additional_annotations,
        own=".api",
        secret_key="tlsSecretName",
        websocket=True,
    )


def of_llm_proxy(settings: LlmProxySettings) -> Front | None:
    """The LLM proxy's; None where it is off, or in a zone that is not given."""
    at = settings.ingress
    front = _in_front("llmProxy", "llm-proxy", settings.name, settings, at)
    tls_host = at.tls_host or (f"*.{at.zone}" if at.zone else at.host)
    return front and replace(front, tls_host=tls_host, tls_secret=at.tls_secret_name, secret_key="tlsSecretName")


def of_tts(settings: TtsSettings) -> Front | None:
    """The voices'; None where it is off, or in a zone that is not given."""
    return _with_choice(_in_front("tts", "tts", settings.name, settings, settings.ingress), settings.ingress.tls)


def of_vllm(settings: VllmSettings) -> Front | None:
    """The language model's; None where it is off, or in a zone that is not given."""
    front = _in_front("vllm", "vllm", settings.fullname_override, settings, settings.ingress)
    return _with_choice(front, settings.ingress.tls)


def _with_choice(front: Front | None, tls: IngressTls) -> Front | None:
    return replace(front, tls_host=front.host, tls_secret=tls.secret_name) if front and tls.enabled else front


def _in_front(key: str, in_zone: str, object_name: str, of: FlowWorkload, at: HostIngress) -> Front | None:
    """The Ingress of a component, as yet without TLS."""
    host = _host(at.host, in_zone, at.zone)
    if not (of.enabled and at.enabled and host):
        return None
    return Front(
        section=f"flow.{key}.ingress",
        object_name=object_name,
        class_name=at.ingress_class_name,
        host=host,
        paths=("/",),
        tls_host=None,
        tls_secret=None,
        annotations=at.annotations,
        labels=at.labels,
        common=of.additional_annotations,
    )


def fronts(flow: FlowSettings) -> tuple[Front, ...]:
    """All Ingresses that Flow has."""
    if not flow.enabled:
        return ()
    found = (of_flow_service(flow), of_llm_proxy(flow.llm_proxy), of_tts(flow.tts), of_vllm(flow.vllm))
    return tuple(front for front in found if front is not None)


def ingress(
    name: str, face: Face, front: Front | None, backend: pulumi.Input[str], port: int, parent: pulumi.Resource
) -> None:
    """Make the Ingress in front of a component's Service, where there is one."""
    if front is None:
        return
    way_in = face.common.way_in
    serving = way_in if way_in is not None and way_in.serves == front.class_name else None
    ours = serving is not None
    marks = front.marks(backend, face.common.session_seconds, ours=ours)
    kubernetes.networking.v1.Ingress(
        name,
        metadata=face.metadata(front.object_name, labels=front.labels, annotations=marks),
        spec=ingress_spec(
            serving.class_name if serving else front.class_name,
            {front.host: front.paths},
            front.tls(ours=ours),
            backend,
            port,
        ),
        # no value flows: an Ingress is awaited until a controller gives it an address
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(serving.ready) if serving else []),
    )
