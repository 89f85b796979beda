"""`flow`: conversations with agents; the service itself, with its three companions below it (contract: flow 2)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, Host, HttpUrl, ImageTag, Registry, Section, only, shaped
from stacks.schema.external_secrets import ProviderStore
from stacks.schema.flow.config import EndOfTurn, FlowConfig, UsageReporting
from stacks.schema.flow.groups import FlowGroups
from stacks.schema.flow.hello import HELLO, HelloMessages
from stacks.schema.flow.llm_proxy import LlmProxySettings
from stacks.schema.flow.shared import (
    FlowAddressMap,
    FlowSecrets,
    FlowWorkload,
    IngressClass,
)
from stacks.schema.flow.tts import TtsSettings
from stacks.schema.flow.vllm import VllmSettings
from stacks.schema.fragment import EnvEntry, ProbeFragment, ResourceRequirements, Toleration
from stacks.schema.global_settings import StoredLicensing
from stacks.schema.images import PullPolicy, Repository, TrackerImage
from stacks.schema.resource_manager_address import ResourceManagerAddress
from stacks.schema.session_groups import RECREATES
from stacks.schema.transcriber_container import NODE
from stacks.schema.triton import Variables
from stacks.schema.workload import Annotations, Labels, ServiceType

WebsocketUrl = Annotated[
    str, shaped(r"^wss?://[^\s]+$", "an address with its scheme, ws:// or wss://, and without blanks")
]
"""The address of a websocket."""


class FlowImage(Section):
    """Its image; the version it registers is `global.flow.image.tag` whatever this says."""

    registry: Registry | None = Field(None, description="Registry; unset is `global.flow.image.registry`.")
    repository: Repository = Field("flow-service", description="Repository.")
    tag: ImageTag | None = Field(None, description="Tag; unset is `global.flow.image.tag`.")


class FlowTracker(Section):
    """The sidecar that registers the pod."""

    enabled: Annotated[bool, only(True, "without it no conversation finds the pod")] = Field(
        True, description="Deploy the sidecar."
    )
    image: TrackerImage = Field(default_factory=TrackerImage, description="Its image.")
    image_pull_policy: PullPolicy = Field(PullPolicy.IF_NOT_PRESENT, description="When a node pulls the image.")
    resources: ResourceRequirements = Field(
        {"requests": {"cpu": "50m", "memory": "256Mi"}}, description="Requests and limits."
    )
    restart_after_n_sessions: int = Field(10, ge=0, description="Restart a pod after N conversations; 0 is never.")
    additional_env_from: tuple[EnvEntry, ...] = Field((), description="Variables with a source, such as a Secret.")
    additional_env: Variables = Field(default_factory=dict, description="Variables with a plain value.")


class FlowConnections(Section):
    """Conversations in one pod."""

    value: int = Field(1, ge=1, description="Number of conversations in one pod.")


class FlowAddress(ResourceManagerAddress):
    """How it learns the resource manager's address; `global.resourceManager.url` is not looked at."""

    config_map: FlowAddressMap = Field(default_factory=FlowAddressMap, description="The ConfigMap with the address.")
    url: HttpUrl | None = Field(None, description="The address; unset is the resource manager's own Service.")


class InternalApp(Section):
    """The vendor's demonstration of Flow, inside the pod; needs the secret key `flowMpApiKey`."""

    enabled: bool = Field(False, description="Serve it.")
    proxy_url: WebsocketUrl | None = Field(
        None, alias="proxyURL", description="Where it opens its websocket; required."
    )


class ManagementPlatform(Section):
    """The vendor's management platform, asked by the demonstration."""

    url: Host = Field("mp.speechmatics.com", description="Its host.")


class FlowService(Section):
    """Its Service, which is not on the way of a conversation."""

    type: ServiceType = Field(ServiceType.CLUSTER_IP, description="How it is reached.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of the Service.")


class FlowApi(Section):
    """The Ingress of the demonstration."""

    host: Host | None = Field(None, description="Host; unset is `flow-<name>` in the zone.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of the Ingress.")
    labels: Labels = Field(default_factory=dict, description="Labels of the Ingress.")


class FlowIngress(IngressClass):
    """The Ingress of the demonstration, always with TLS."""

    enabled: bool = Field(False, description="Deploy an Ingress for the demonstration.")
    tls_secret_name: DnsLabel | None = Field(
        None, description="Existing Secret with the certificate; unset is the ingress controller's own."
    )
    api: FlowApi = Field(default_factory=FlowApi, description="The Ingress itself.")


def _probe(path: str, period: int) -> dict[str, object]:
    return {
        "httpGet": {"path": path, "port": "health-port", "scheme": "HTTP"},
        "initialDelaySeconds": 2,
        "periodSeconds": period,
        "timeoutSeconds": period - 1,
        "successThreshold": 1,
        "failureThreshold": 6,
    }


class FlowSettings(FlowWorkload):
    """Flow."""

    enabled: bool = Field(False, description="Enable deployment of Flow service.")
    fullname_override: DnsLabel = Field("flow-service", description="Name of its objects.")
    config_map_name: DnsLabel = Field("flow-service-config", description="Name of its ConfigMap.")
    service_account_name: DnsLabel | None = Field(None, description="Name of its account; unset is its own name.")
    replicas: int = Field(1, ge=0, description="Pods of a plain Deployment; a session group has a number of its own.")
    use_recreate_strategy: bool = Field(False, description=RECREATES)
    image: FlowImage = Field(default_factory=FlowImage, description="Its image.")
    image_pull_policy: PullPolicy = Field(PullPolicy.IF_NOT_PRESENT, description="When a node pulls the image.")
    tolerations: tuple[Toleration, ...] = Field(
        (
            {"key": f"{NODE}/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": f"{NODE}/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": f"{NODE}/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
        ),
        description="Taints that keep no pod away, beside the pool's own.",
    )
    termination_grace_period_seconds: int | None = Field(
        None, ge=60, description="Seconds a stopping pod may live; unset is `sessions.maxDurationSeconds`."
    )
    resources: ResourceRequirements = Field(
        {"requests": {"cpu": "300m", "memory": "300Mi"}}, description="Requests and limits."
    )
    liveness_probe: ProbeFragment = Field(_probe("/api/health", 20), description="Liveness probe.")
    readiness_probe: ProbeFragment = Field(_probe("/api/ready", 10), description="Readiness probe.")
    session_groups: FlowGroups = Field(default_factory=FlowGroups, description="Its session group.")
    max_concurrent_connections: FlowConnections = Field(
        default_factory=FlowConnections, description="Conversations in one pod."
    )
    licensing: StoredLicensing = Field(default_factory=StoredLicensing, description="Its license.")
    hello_message_lang_map: HelloMessages = Field(HELLO, description="First message of an agent without one.")
    internal_app: InternalApp = Field(default_factory=InternalApp, description="The vendor's demonstration.")
    management_platform: ManagementPlatform = Field(
        default_factory=ManagementPlatform, description="The vendor's management platform."
    )
    readiness_tracker: FlowTracker = Field(default_factory=FlowTracker, description="The sidecar.")
    resource_manager: FlowAddress = Field(default_factory=FlowAddress, description="Where the resource manager is.")
    config: FlowConfig = Field(default_factory=FlowConfig, description="What it hears, thinks and speaks with.")
    usage_reporting: UsageReporting = Field(default_factory=UsageReporting, description="Usage reporting.")
    end_of_turn: EndOfTurn = Field(default_factory=EndOfTurn, description="A model that tells the end of a turn.")
    service: FlowService = Field(default_factory=FlowService, description="Its Service.")
    secrets: FlowSecrets = Field(default_factory=FlowSecrets, description="Its Secret.")
    external_secrets: ProviderStore = Field(default_factory=ProviderStore, description="An external store.")
    ingress: FlowIngress = Field(default_factory=FlowIngress, description="The Ingress of the demonstration.")
    llm_proxy: LlmProxySettings = Field(default_factory=LlmProxySettings, description="In front of the models.")
    tts: TtsSettings = Field(default_factory=TtsSettings, description="Text to speech.")
    vllm: VllmSettings = Field(default_factory=VllmSettings, description="The language model.")
