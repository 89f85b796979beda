"""`transcribers.transcriber`: the transcriber itself, and where its pods run."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from stacks.schema.base import DnsLabel, Section, only
from stacks.schema.fragment import (
    EnvEntry,
    PodSecurityContext,
    ProbeFragment,
    ResourceRequirements,
    Toleration,
    VolumeMount,
    VolumeSource,
    laid_over,
)
from stacks.schema.global_settings import StoredLicensing
from stacks.schema.images import ImageOverride, PullPolicy, Repository
from stacks.schema.modes import Mode
from stacks.schema.placement import NodeSettings, WorkloadPlacement
from stacks.schema.pools import Role
from stacks.schema.transcriber_languages import LanguageSettings
from stacks.schema.workload import Annotations, Labels, ServiceType, SessionAnnotations, SessionLabels

NODE = "node.kubernetes.io"
UNREAD = "no template reads it; a plain Deployment of transcribers always starts new pods first"
NO_MAP = (
    "a ConfigMap reaches the transcriber and not what its pod registers, so sessions would be placed by another number"
)
LIVE = {
    "httpGet": {"path": "/live", "port": "health-port", "scheme": "HTTP"},
    "initialDelaySeconds": 2,
    "periodSeconds": 20,
    "timeoutSeconds": 19,
    "successThreshold": 1,
    "failureThreshold": 6,
}
GPU_RESOURCES = {"requests": {"cpu": "300m", "memory": "3.5Gi"}}
CPU_RESOURCES = {"requests": {"cpu": "1150m", "memory": "2Gi"}}
SPEAKER_KEYS = {"private-key": "transcriber-private-key", "public-key": "transcriber-public-key"}


class ConcurrencyMap(Section):
    """The number of sessions from a ConfigMap; refused."""

    enabled: Annotated[bool, only(False, NO_MAP)] = Field(
        False, description="Read the number from a ConfigMap; refused."
    )
    name: Annotated[DnsLabel | None, only(None, NO_MAP)] = Field(None, description="Its name; refused.")


class MaxConcurrentConnections(Section):
    """Sessions in one pod."""

    value: int = Field(2, ge=1, description="Number of sessions to allow per transcriber pod.")
    config_map: ConcurrencyMap = Field(default_factory=ConcurrencyMap, description="The number from a ConfigMap.")


class TranscriberImage(ImageOverride):
    """The transcribers' image, to whose path the language is added."""

    repository: Repository = Field("rt-asr-transcriber", description="Path in the registry, without the language.")


class CacheType(StrEnum):
    """Where custom dictionaries are kept."""

    HTTP = "http"
    """At the resource manager."""
    SIMPLE = "simple"
    SHARED = "shared"


class DictionaryCache(Section):
    """A cache of custom dictionaries."""

    enabled: bool = Field(False, description="Keep custom dictionaries.")
    type: CacheType = Field(CacheType.HTTP, description="At the resource manager, or in `/cache`.")
    volume: VolumeSource | None = Field(
        None, description="What `/cache` is, a volume without its name; unset mounts none."
    )
    max_dir_size: int | None = Field(None, ge=-1, description="Most bytes in `/cache`; unset is no limit.")
    max_dir_entries: int | None = Field(None, ge=-1, description="Most entries in `/cache`; unset is no limit.")
    max_entry_size: int | None = Field(None, ge=-1, description="Most bytes of an entry; unset is no limit.")


class Otel(Section):
    """Traces."""

    enabled: bool = Field(False, description="Send traces to a collector on the node, port 4317.")


class SpeakerKeys(Section):
    """Where the keys stand in a store. The chart has their content in the same place, which is a secret."""

    private_key: str = Field(
        SPEAKER_KEYS["private-key"], alias="private-key", min_length=1, description="Name of the private key."
    )
    public_key: str = Field(
        SPEAKER_KEYS["public-key"], alias="public-key", min_length=1, description="Name of the public key."
    )


class SpeakerId(Section):
    """Keys by which speakers are told again."""

    enabled: bool = Field(False, description="Read the keys from the Secret `<fullnameOverride>-speaker-id`.")
    keys: SpeakerKeys = Field(
        default_factory=SpeakerKeys, description="Their names in the store of `transcribers.externalSecrets`."
    )


class Processor(NodeSettings):
    """What languages of one kind have beside the others."""

    env: tuple[EnvEntry, ...] = Field((), description="Environment variables of transcribers of this kind.")
    resources: ResourceRequirements = Field(default_factory=dict, description="Requests and limits.")


class GpuProcessor(Processor):
    """What languages with an inference server have."""

    resources: Annotated[ResourceRequirements, laid_over(GPU_RESOURCES)] = Field(
        GPU_RESOURCES, description="Requests and limits of languages without numbers of their own."
    )


class CpuProcessor(Processor):
    """What languages without an inference server have."""

    resources: Annotated[ResourceRequirements, laid_over(CPU_RESOURCES)] = Field(
        CPU_RESOURCES, description="Requests and limits of languages without numbers of their own."
    )


class PlainReplicas(Section):
    """Pods of each plain Deployment."""

    min_replicas: int = Field(2, ge=0, description="Pods of each language's plain Deployment.")


class TranscriberAutoscaling(Section):
    """How many pods plain Deployments have; nothing scales them."""

    replicas: PlainReplicas = Field(default_factory=PlainReplicas, description="Pods of each plain Deployment.")


class TranscriberService(Section):
    """The Service of each plain Deployment; session groups have none."""

    type: ServiceType = Field(ServiceType.CLUSTER_IP, description="How it is reached.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of the Services.")


class Processors(Section):
    """Languages by what transcribes them."""

    gpu: GpuProcessor = Field(default_factory=GpuProcessor, description="Languages with an inference server.")
    cpu: CpuProcessor = Field(default_factory=CpuProcessor, description="Languages of `languages.cpuLanguages`.")


class TranscriberContainer(WorkloadPlacement):
    """The transcriber itself, and where its pods run."""

    role: ClassVar[Role] = Role.TRANSCRIBERS

    mode: Mode = Field(Mode.REAL_TIME, description="What they work on; in batch a pod has no sidecar.")
    name_override: DnsLabel | None = Field(
        None, description="Name of the one group in place of base name and language; for one language only."
    )
    languages: LanguageSettings = Field(default_factory=LanguageSettings, description="Languages and their overrides.")
    image: TranscriberImage = Field(default_factory=TranscriberImage, description="The image.")
    image_pull_policy: PullPolicy = Field(PullPolicy.IF_NOT_PRESENT, description="When to ask for the image.")
    max_concurrent_connections: MaxConcurrentConnections = Field(
        default_factory=MaxConcurrentConnections, description="Sessions in one pod."
    )
    env: tuple[EnvEntry, ...] = Field(
        (
            {"name": "SM_ON_PREM", "value": "true"},
            {"name": "SM_WEBSOCKET_CONFIG", "value": '{\n  "autoPingTimeout": 300\n}\n'},
            {"name": "SM_INFERENCE_RESPONSE_TIMEOUT_MS", "value": "900000"},
        ),
        description="Environment variables to add to transcriber container.",
    )
    liveness_probe: Annotated[ProbeFragment, laid_over(LIVE)] = Field(LIVE, description="Liveness probe.")
    readiness_probe: ProbeFragment | None = Field(None, description="Readiness probe; none by default.")
    startup_probe: ProbeFragment | None = Field(None, description="Startup probe; none by default.")
    resources: ResourceRequirements = Field(
        default_factory=dict, description="Requests and limits where those of the processor are emptied."
    )
    volume_mounts: tuple[VolumeMount, ...] = Field((), description="Where `transcribers.volumes` are mounted.")
    security_context: PodSecurityContext = Field(default_factory=dict, description="What the pod's processes may do.")
    licensing: StoredLicensing = Field(default_factory=StoredLicensing, description="The license Secret.")
    cd_cache: DictionaryCache = Field(default_factory=DictionaryCache, description="Cache of custom dictionaries.")
    otel: Otel = Field(default_factory=Otel, description="Traces.")
    speaker_id: SpeakerId = Field(default_factory=SpeakerId, description="Keys by which speakers are told again.")
    processors: Processors = Field(default_factory=Processors, description="Languages by what transcribes them.")
    additional_annotations: SessionAnnotations = Field(
        default_factory=dict, description="Annotations of a session group's pods; of a plain Deployment itself."
    )
    additional_pod_labels: SessionLabels = Field(default_factory=dict, description="Labels of the pods.")
    additional_labels: Labels = Field(default_factory=dict, description="Labels of plain Deployments.")
    additional_pod_annotations: SessionAnnotations = Field(
        default_factory=dict, description="Annotations of the pods of plain Deployments."
    )
    autoscaling: TranscriberAutoscaling = Field(
        default_factory=TranscriberAutoscaling, description="Number of pods of plain Deployments."
    )
    service: TranscriberService = Field(
        default_factory=TranscriberService, description="The Service of each plain Deployment."
    )
    use_recreate_strategy: Annotated[bool, only(False, UNREAD)] = Field(
        False, description="Read by nothing; only its default is accepted."
    )
    tolerations: tuple[Toleration, ...] = Field(
        (
            {"key": f"{NODE}/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": f"{NODE}/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": f"{NODE}/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
        ),
        description="Taints that keep no transcriber away, beside the pool's own.",
    )
