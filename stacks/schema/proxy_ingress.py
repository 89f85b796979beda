"""`proxy.ingress`: how clients reach the proxy (seed: `proxy.ingress.*`; contract: proxy 8)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, Host, Section, shaped

USE_REGEX = "nginx.ingress.kubernetes.io/use-regex"
CONFIGURATION_SNIPPET = "nginx.ingress.kubernetes.io/configuration-snippet"

SEED_ANNOTATIONS = {
    CONFIGURATION_SNIPPET: "# Adds the request ID header to the response, so the user can see it.\n"
    'more_set_headers "Request-Id: $req_id";\n',
    USE_REGEX: "true",
}
"""The seed's, for ingress-nginx. Both hold here always: paths are regular expressions, the header comes from the
controller."""

ASR_PATH = "/v{1}(?:[0-9]*)(?:/[a-z]{1,3}(?:_[a-z_]{0,22})?)?/?$"
"""Transcription: `/v2`, `/v2/en`, `/v2/cmn_en` (contract: proxy 8)."""

FLOW_PATH = "/v{1}(?:[0-9]*)(?:/flow?)/?$"
"""Conversations: `/v1/flow` (contract: proxy 8)."""

LIVEKIT_PATH = "/v{1}(?:[0-9]*)(?:/flow/livekit?)/?$"
"""Conversations through LiveKit: `/v1/flow/livekit` (contract: proxy 8)."""

OUR_CLASS = "nginx"
"""The class our controller serves."""

PathPattern = Annotated[
    str, shaped(r"^/[^\s;]*$", "a regular expression that begins with /, without white space and ;")
]
"""A path as a regular expression."""

Marks = dict[str, str]


class LivekitIngress(Section):
    """LiveKit's path."""

    enabled: bool = Field(False, description="Enable LiveKit in ingress.")
    path: PathPattern = Field(LIVEKIT_PATH, description="The path, a regular expression.")
    annotations: Marks = Field(
        default_factory=dict, description="Annotations of its Ingress; another controller than ours has one for it."
    )


class AdditionalHost(Section):
    """A second host that has Flow's paths only."""

    enabled: bool = Field(False, description="Serve Flow on a second host.")
    url: Host | None = Field(None, description="The host, without a scheme; required when enabled.")
    tls_secret_name: DnsLabel | None = Field(
        None, description="An existing Secret with its certificate; unset is the controller's own."
    )


class FlowPaths(Section):
    """Flow's path."""

    enabled: bool = Field(True, description="Enable Flow in ingress.")
    path: PathPattern = Field(FLOW_PATH, description="The path, a regular expression.")
    livekit: LivekitIngress = Field(default_factory=LivekitIngress, description="LiveKit's path.")
    additional_host: AdditionalHost = Field(default_factory=AdditionalHost, description="A second host for Flow.")


class ExtraIngress(Section):
    """One of the chart's further Ingresses for the host."""

    annotations: Marks = Field(
        default_factory=dict, description="Its annotations; another controller than ours has an Ingress for it."
    )


class HostCertificate(Section):
    """The certificate of the host."""

    secret_name: DnsLabel | None = Field(
        None, description="An existing Secret of type kubernetes.io/tls; unset is the controller's own certificate."
    )


class ProxyIngressSettings(Section):
    """How clients reach the proxy."""

    enabled: bool = Field(True, description="Add ingress.")
    ingress_class_name: DnsLabel = Field(
        OUR_CLASS, description="Ingress class to use; `nginx` is our controller's while `ingress.enabled`."
    )
    url: Host = Field("speechmatics.example.com", description="Ingress URL: the host, without a scheme.")
    hostname: Host | None = Field(None, description="The name newer charts have for `url`; one of the two is enough.")
    annotations: Marks = Field(
        default_factory=lambda: dict(SEED_ANNOTATIONS),
        description="Annotations; with our controller the seed's two for ingress-nginx are known and done otherwise, "
        "its others refused.",
    )
    path: PathPattern = Field(ASR_PATH, description="The path of transcription, a regular expression.")
    flow: FlowPaths = Field(default_factory=FlowPaths, description="Flow's path.")
    health: ExtraIngress = Field(default_factory=ExtraIngress, description="The Ingress of `/v1/health`.")
    misc: ExtraIngress = Field(default_factory=ExtraIngress, description="The Ingress of everything else.")
    tls: HostCertificate = Field(default_factory=HostCertificate, description="The certificate of the host.")

    @property
    def host(self) -> str:
        """The host of transcription."""
        return self.hostname or self.url

    @property
    def second_host(self) -> str | None:
        """The host that has Flow's paths only, where there is one and they are served."""
        extra = self.flow.additional_host
        return extra.url if self.flow.enabled and extra.enabled else None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host."""
        return (self.host, *([self.second_host] if self.second_host else []))
