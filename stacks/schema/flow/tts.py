"""`flow.tts`: the vendor's voices (contract: flow 4)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, HttpUrl, ImageTag, Registry, Section, only
from stacks.schema.flow.groups import TtsGroups
from stacks.schema.flow.shared import (
    FlowAddressMap,
    FlowWorkload,
    Port,
    TlsIngress,
)
from stacks.schema.fragment import EnvEntry, ProbeFragment, ResourceRequirements
from stacks.schema.global_settings import ComponentLicensing
from stacks.schema.images import ImageOverride, PullPolicy, Repository
from stacks.schema.pools import Role
from stacks.schema.resource_manager_address import ResourceManagerAddress
from stacks.schema.session_groups import RECREATES
from stacks.schema.triton import Variables
from stacks.schema.workload import Budget, ServiceType

DATADOG = "Datadog's annotations are left out on purpose"


class TtsImage(Section):
    """Its image."""

    registry: Registry | None = Field(None, description="Registry; unset is `global.tts.image.registry`.")
    repository: Repository = Field("sm-tts-inference-server", description="Repository.")
    tag: ImageTag | None = Field(None, description="Tag; unset is `global.tts.image.tag`.")


class VoiceCosts(Section):
    """What a session costs of the capacity, by voice."""

    american_female: int = Field(1, ge=0, description="Cost of american-female.")
    american_male: int = Field(1, ge=0, description="Cost of american-male.")
    french_female: int = Field(1, ge=0, description="Cost of french-female.")
    spanish_female: int = Field(1, ge=0, description="Cost of spanish-female.")


class TtsFeatures(Section):
    """What a pod registers with the resource manager."""

    capacity: int = Field(1, ge=1, description="Capacity of one pod.")
    model_costs: VoiceCosts = Field(default_factory=VoiceCosts, description="Cost of each voice.")
    additional_model_costs: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="Further voices and their costs."
    )


class TtsAddress(ResourceManagerAddress):
    """How it learns the resource manager's address."""

    config_map: FlowAddressMap = Field(default_factory=FlowAddressMap, description="The ConfigMap with the address.")
    url: HttpUrl | None = Field(None, description="The address; unset is `global.resourceManager.url`, then its own.")


class TtsSidecar(Section):
    """The sidecar that registers the pod."""

    enabled: Annotated[bool, only(True, "without it no conversation finds the pod")] = Field(
        True, description="Deploy the sidecar."
    )
    image: ImageOverride = Field(default_factory=ImageOverride, description="Its image, when not the common one.")
    port: Port = Field(8008, description="Port of its metrics.")
    resources: ResourceRequirements = Field(default_factory=dict, description="Requests and limits.")
    register_features: TtsFeatures = Field(default_factory=TtsFeatures, description="What it registers.")
    env: Variables = Field(default_factory=dict, description="Variables with a plain value.")
    resource_manager: TtsAddress = Field(default_factory=TtsAddress, description="Where the resource manager is.")
    crash_detector_dry_run: bool = Field(False, description="Write crashes of the server down only.")


class TtsService(Section):
    """Its Service."""

    type: ServiceType = Field(ServiceType.CLUSTER_IP, description="How it is reached.")
    port: Port = Field(8000, description="Port of the Service; flow pods follow it.")


class TtsBudget(Budget):
    """The disruption budget of a plain Deployment."""

    enabled: bool = Field(
        False, description="Deploy one, for a plain Deployment only: session groups are under the budget of all."
    )


class TtsDatadog(Section):
    """Annotations for Datadog."""

    add_annotations: Annotated[bool, only(False, DATADOG)] = Field(False, description="Left out on purpose.")


class TtsSettings(FlowWorkload):
    """Text to speech."""

    role: ClassVar[Role] = Role.INFERENCE

    enabled: bool = Field(True, description="Enable deployment of TTS.")
    fullname_override: DnsLabel = Field("tts", description="Name of its objects.")
    service_name: DnsLabel | None = Field(None, description="Name of its objects instead of fullnameOverride.")
    replicas: int = Field(1, ge=0, description="Pods of a plain Deployment; a session group has a number of its own.")
    use_recreate_strategy: bool = Field(False, description=RECREATES)
    image: TtsImage = Field(default_factory=TtsImage, description="Its image.")
    image_pull_policy: PullPolicy | None = Field(None, description="When a node pulls the image.")
    container_port: Literal[8000] = Field(
        8000, description="Port of the container; nothing tells the program another one."
    )
    resources: ResourceRequirements = Field({"limits": {"nvidia.com/gpu": "1"}}, description="Requests and limits.")
    liveness_probe: ProbeFragment = Field(default_factory=dict, description="Liveness probe; the vendor has none.")
    readiness_probe: ProbeFragment = Field(
        {"tcpSocket": {"port": "http"}}, description="Readiness probe; without one turns meet a pod that loads models."
    )
    termination_grace_period_seconds: int | None = Field(
        None, ge=60, description="Seconds a stopping pod may live; unset is `sessions.maxDurationSeconds`."
    )
    env_from: tuple[EnvEntry, ...] = Field((), description="Variables with a source, before the others.")
    licensing: ComponentLicensing = Field(default_factory=ComponentLicensing, description="Its license.")
    session_groups: TtsGroups = Field(default_factory=TtsGroups, description="Its session group.")
    inference_sidecar: TtsSidecar = Field(default_factory=TtsSidecar, description="Its sidecar.")
    service: TtsService = Field(default_factory=TtsService, description="Its Service.")
    pod_disruption_budget: TtsBudget = Field(default_factory=TtsBudget, description="Its budget.")
    ingress: TlsIngress = Field(default_factory=TlsIngress, description="Its Ingress.")
    datadog: TtsDatadog = Field(default_factory=TtsDatadog, description="Annotations for Datadog.")

    @property
    def name(self) -> str:
        """Of all its objects."""
        return self.service_name or self.fullname_override

    @property
    def costs(self) -> dict[str, int]:
        """Voice → cost."""
        features = self.inference_sidecar.register_features
        named = features.model_costs.model_dump()
        return {key.replace("_", "-"): cost for key, cost in named.items()} | features.additional_model_costs
