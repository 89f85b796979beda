"""`proxy`: what stands between clients and transcribers (seed: `proxy.*`)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stacks.schema.base import DnsLabel, Host, HttpUrl, ImageTag, Quantity, Registry, Section, only, shaped
from stacks.schema.proxy_config import ProxyConfig
from stacks.schema.transcribers import EnvVar
from stacks.schema.workload import Amounts, Resources

USE_REGEX = "nginx.ingress.kubernetes.io/use-regex"
CONFIGURATION_SNIPPET = "nginx.ingress.kubernetes.io/configuration-snippet"

SEED_ANNOTATIONS = {
    CONFIGURATION_SNIPPET: "# Adds the request ID header to the response, so the user can see it.\n"
    'more_set_headers "Request-Id: $req_id";\n',
    USE_REGEX: "true",
}
"""The seed's, for ingress-nginx. Both hold here always: paths are regular expressions, the header comes from the
controller."""

DeploymentKey = Annotated[
    str, shaped("^[a-z][a-z0-9]{0,14}$", "at most 15 lower case letters and digits, a letter first, such as a or b")
]
"""`a`, `b`, …: part of the names of Deployment and pods."""

AgentFile = Annotated[
    str,
    shaped(
        "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_[-._A-Za-z0-9]{1,64}$",
        "an agent's id, which is a UUID of version 4, then _ and a version",
    ),
]
"""Name of an agent's file: `<agent id>_<version>`, with or without `.json`; the id is a UUID of version 4."""


def _agent(given: Any) -> Any:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise PydanticCustomError("bad_format", "the text is no JSON") from error
    if not isinstance(given, dict):
        raise PydanticCustomError("wrong_type", "should be a map, or the text of a JSON object")
    return given


Agent = Annotated[Any, AfterValidator(_agent)]
"""One agent: a map, or JSON text, which is the same."""


class CommonRequests(Amounts):
    """Requests of all deployments."""

    cpu: Quantity | None = Field("200m", description="CPU.")
    memory: Quantity | None = Field("2Gi", description="Memory.")


class CommonResources(Resources):
    """Resources of all deployments."""

    requests: CommonRequests = Field(default_factory=CommonRequests, description="What is kept free for each pod.")


class ImageChoice(Section):
    """An image, part by part; what is not given comes from further out, at last from `global.proxy.image`."""

    registry: Registry | None = Field(None, description="Registry to pull images from.")
    repository: str | None = Field(None, min_length=1, description="Repository in the registry.")
    tag: ImageTag | None = Field(None, description="Image tag.")


class ProxyDeployment(Section):
    """One deployment of the proxy."""

    active: bool = Field(False, description="Enable sessions to this deployment; exactly one has it.")
    image: ImageChoice = Field(default_factory=ImageChoice, description="Its image.")
    resources: Resources = Field(
        default_factory=Resources, description="Its resources; what is not given is as in those of all deployments."
    )
    additional_env: tuple[EnvVar, ...] = Field(
        (), description="Environment variables of its own; they replace those of `proxy.proxy.additionalEnv`."
    )


SEED_DEPLOYMENTS: dict[str, ProxyDeployment] = {"a": ProxyDeployment(active=True)}
"""The seed's default."""


def _seeds() -> dict[DeploymentKey, ProxyDeployment | None]:
    return {**SEED_DEPLOYMENTS}


def _as_default(key: str, given: ProxyDeployment) -> ProxyDeployment:
    """A deployment of the seed's is active as long as nobody says that it is not."""
    if key not in SEED_DEPLOYMENTS or "active" in given.model_fields_set:
        return given
    return given.model_copy(update={"active": SEED_DEPLOYMENTS[key].active})


class SrvRecord(Section):
    """A DNS SRV record."""

    port: int = Field(gt=0, lt=65536, description="Port of the resource manager's Service.")
    priority: int = Field(ge=0, lt=65536, description="Lower ones are asked first.")
    target: DnsLabel = Field(description="Name of the resource manager's Service.")
    weight: int = Field(ge=0, lt=65536, description="Share among equal priorities.")


class Dns(Section):
    """How the proxy finds resource managers by DNS."""

    enabled: bool = Field(False, description="Enable DNS SRV lookup from external DNS source.")
    name: Host | None = Field(None, description="Domain that is asked; required when enabled.")
    service: str | None = Field(None, min_length=1, description="Service that is asked for; required when enabled.")
    default_srv_records: tuple[SrvRecord, ...] = Field(
        (),
        description="Default SRV record to use for proxy service; target should match with service name of resource "
        "manager.",
    )


class ProxyService(Section):
    """The proxy's pods."""

    image: ImageChoice = Field(default_factory=ImageChoice, description="Image of all deployments.")
    resources: CommonResources = Field(
        default_factory=CommonResources, description="Resources of all deployments; an entry's are laid over them."
    )
    additional_env: tuple[EnvVar, ...] = Field((), description="Environment variables added to all deployments.")
    asr_request_base_path: Annotated[
        str, shaped("^(/[-._a-z0-9]+)*$", "a path in lower case, such as /v2, with no / at the end, or empty")
    ] = Field("", description="Path under which transcribers are asked; empty is `/v1`.")
    copy_all_headers: bool = Field(True, description="Copy headers from incoming request to outgoing request.")
    given_deployments: dict[DeploymentKey, ProxyDeployment | None] = Field(
        default_factory=_seeds,
        alias="deployments",
        description="List of deployments of proxy, laid over the active `a` there is by default; null takes one away.",
    )
    dns: Dns = Field(default_factory=Dns, description="Finding resource managers by DNS.")
    config: ProxyConfig = Field(default_factory=ProxyConfig, description="How the proxy treats sessions.")

    @property
    def deployments(self) -> dict[str, ProxyDeployment]:
        """What is deployed: what is given, laid over the seed's own as Helm does it."""
        laid = {**SEED_DEPLOYMENTS, **self.given_deployments}
        return {key: _as_default(key, each) for key, each in laid.items() if each is not None}

    def active_by_default(self, key: str) -> bool:
        """Whether a deployment is active without anybody having said so."""
        given = self.given_deployments.get(key)
        return key in SEED_DEPLOYMENTS and (given is None or "active" not in given.model_fields_set)


class AgentConfigMap(Section):
    """The agents of Flow, as files."""

    enabled: bool = Field(True, description="Enable reading agent configuration from configMap.")
    data: dict[AgentFile, Agent] | None = Field(
        None, min_length=1, description="configMap data with one or more agent configurations; unset is a default one."
    )


class AgentApi(Section):
    """Where the proxy finds the agents of Flow."""

    enabled: bool = Field(True, description="Load agents.")
    use_local: bool = Field(True, description="Use local file system to fetch agent configuration.")
    use_remote: Annotated[bool, only(False, "it needs a password of Flow's own, and Flow is not offered")] = Field(
        False, description="Use remote endpoint to fetch agent configuration; not offered."
    )
    config_map: AgentConfigMap = Field(default_factory=AgentConfigMap, description="The agents as files.")


class Events(Section):
    """Events to an event hub."""

    enabled: Annotated[bool, only(False, "its Secret with the event hub's credentials is not made here")] = Field(
        False, description="Enable sending events to eventhub; not offered."
    )


class Storage(Section):
    """Storage of custom dictionaries."""

    enabled: Annotated[bool, only(False, "its Secret with the storage account's key is not made here")] = Field(
        False, description="Enable storage of custom dictionary; not offered."
    )


class ResourceManagerMap(Section):
    """The map with the resource manager's address."""

    enabled: bool = Field(True, description="Read resource-manager server information from configMap.")


class ProxyResourceManager(Section):
    """How the proxy finds the resource manager."""

    config_map: ResourceManagerMap = Field(default_factory=ResourceManagerMap, description="The map with its address.")
    url: HttpUrl | None = Field(
        None, description="Its address when the map is off; unset is the resource manager of this installation."
    )


class FlowIngress(Section):
    """Flow's path."""

    enabled: bool = Field(True, description="Enable Flow in ingress.")


class IngressTls(Section):
    """The certificate of the host."""

    secret_name: DnsLabel | None = Field(
        None, description="An existing Secret of type kubernetes.io/tls; unset is the controller's own certificate."
    )


class ProxyIngressSettings(Section):
    """How clients reach the proxy."""

    enabled: bool = Field(True, description="Add ingress.")
    ingress_class_name: Literal["nginx"] = Field("nginx", description="Ingress class to use.")
    url: Host = Field("speechmatics.example.com", description="Ingress URL: the host, without a scheme.")
    hostname: Host | None = Field(None, description="The name newer charts have for `url`; one of the two is enough.")
    annotations: dict[str, str] = Field(
        default_factory=lambda: dict(SEED_ANNOTATIONS),
        description="Annotations; the seed's two for ingress-nginx are known and done otherwise, its others refused.",
    )
    flow: FlowIngress = Field(default_factory=FlowIngress, description="Flow's path.")
    tls: IngressTls = Field(default_factory=IngressTls, description="The certificate of the host.")

    @property
    def host(self) -> str:
        """The one host."""
        return self.hostname or self.url


class ProxyBudget(Section):
    """The PodDisruptionBudget of each deployment."""

    enabled: Annotated[bool, only(True, "without it a drain of a node cuts the sessions on it")] = Field(
        True, description="Keep pods from being evicted; always on."
    )


class ProxySettings(Section):
    """The proxy in front of the transcribers."""

    enabled: bool = Field(True, description="Enable proxy service.")
    fullname_override: DnsLabel = Field("proxy", max_length=40, description="Name of the Service; part of the others.")
    replicas: int = Field(1, ge=1, description="Pods of each deployment.")
    env: str | None = Field(None, min_length=1, description="Name of the environment, for the proxy's own reports.")
    required_during_scheduling_strategy: bool = Field(
        False, description="Never two pods of a deployment on one node, instead of preferably not."
    )
    pod_disruption_budget: ProxyBudget = Field(default_factory=ProxyBudget, description="Keeping pods from eviction.")
    resource_manager: ProxyResourceManager = Field(
        default_factory=ProxyResourceManager, description="How it finds the resource manager."
    )
    agent_api: AgentApi = Field(default_factory=AgentApi, alias="agentAPI", description="The agents of Flow.")
    events: Events = Field(default_factory=Events, description="Events to an event hub.")
    storage: Storage = Field(default_factory=Storage, description="Storage of custom dictionaries.")
    ingress: ProxyIngressSettings = Field(default_factory=ProxyIngressSettings, description="How clients reach it.")
    proxy: ProxyService = Field(default_factory=ProxyService, description="Its pods.")
