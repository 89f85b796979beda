"""`flow.vllm`: the language model of the platform (contract: flow 5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, ImageTag, Quantity, Section, only, shaped
from stacks.schema.external_secrets import ProviderStore, SecretKey
from stacks.schema.flow.shared import (
    FlowWorkload,
    Port,
    TlsIngress,
)
from stacks.schema.flow.tts import DATADOG
from stacks.schema.fragment import EnvEntry, ProbeFragment, ResourceRequirements
from stacks.schema.images import Repository
from stacks.schema.pools import Role
from stacks.schema.workload import Budget, ServiceType

Dtype = Annotated[str, shaped("^[a-z0-9]+$", "a type of numbers in lower case letters and digits, such as float16")]
"""The type of a model's weights."""

Argument = Annotated[
    str, shaped("^[a-z][-a-z0-9]*$", "an argument without its --: lower case letters, digits and -, a letter first")
]
"""The name of an argument of the server."""

ONE_NODE = (
    "while a pod is replaced the old and the new one load from the volume on two nodes; one that a single node may "
    "attach stops the update for ever"
)


class VllmConfig(Section):
    """How the model is served."""

    model: str = Field(
        "meta-llama/Llama-3.2-3B-Instruct", min_length=1, description="Model to use for vLLM; the LLM proxy follows it."
    )
    num_gpus: int = Field(1, ge=1, alias="numGPUs", description="GPUs of one pod; requested, and shown to the server.")
    tensor_parallel_size: int | None = Field(None, ge=1, description="GPUs the model is spread over; unset is all.")
    dtype: Dtype = Field("auto", description="Type of the weights; auto is half on a T4.")
    max_model_length: int | None = Field(None, ge=1, description="Longest context in tokens; unset is the model's.")
    enable_prefix_caching: bool = Field(True, description="Keep what prompts have in common.")
    disable_log_requests: bool = Field(True, description="Write no requests to the log.")
    additional_args: dict[Argument, str] = Field(
        default_factory=dict, description='Further arguments as text; "" is the bare argument.'
    )


class HfTokenSecret(Section):
    """The Secret with the Hugging Face token. The token itself is the secret key `huggingFaceToken`."""

    create_secret: bool = Field(False, description="Create secret for Hugging Face token or read from existing secret.")
    secret_name: DnsLabel = Field("vllm-secret", description="Secret name to read Hugging Face token from.")
    secret_key: SecretKey = Field("hf-token-secret", description="Its name in the external store.")
    secret_property: str = Field("hub_token", min_length=1, description="The part of it, in a store of kind vault.")


class Cache(Section):
    """The volume with the model's files."""

    name: DnsLabel = Field("llm-cache-pvc", description="Name of the claim.")
    access_modes: Annotated[tuple[str, ...], only(("ReadWriteMany",), ONE_NODE)] = Field(
        ("ReadWriteMany",), description=f"ReadWriteMany only: {ONE_NODE}."
    )
    storage: Quantity = Field("50Gi", description="Size.")
    storage_class_name: str = Field(
        "azurefile-csi-premium", description="Storage class of files, not of disks; immutable."
    )
    volume_mode: Literal["Filesystem"] = Field("Filesystem", description="Files are kept in it.")


class VllmService(Section):
    """Its Service."""

    service_name: DnsLabel | None = Field(None, description="Name; unset is `global.flow.vllm`'s, then its own.")
    type: ServiceType = Field(ServiceType.CLUSTER_IP, description="How it is reached.")
    port: Port = Field(8000, description="Port; `global.flow.vllm.service.port` comes first.")


class VllmDatadog(Section):
    """Annotations for Datadog."""

    add_annotations: Annotated[bool, only(False, DATADOG)] = Field(False, description="Left out on purpose.")


class VllmSettings(FlowWorkload):
    """vLLM."""

    role: ClassVar[Role] = Role.INFERENCE

    enabled: bool = Field(True, description="Enable deployment of vLLM.")
    fullname_override: DnsLabel = Field("llm", description="Name of its objects.")
    replicas: int = Field(1, ge=1, description="Number of pods, each with its GPUs.")
    image: Repository = Field("vllm/vllm-openai", description="Image, without its tag.")
    version: ImageTag = Field("v0.7.3", description="Tag of the image.")
    container_port: Port = Field(8000, description="Port of the container.")
    resources: ResourceRequirements = Field(
        default_factory=dict, description="Requests and limits; the GPUs of `config.numGPUs` are asked for anyway."
    )
    liveness_probe: ProbeFragment = Field(default_factory=dict, description="Liveness probe; the vendor has none.")
    readiness_probe: ProbeFragment = Field(
        {
            "httpGet": {"path": "/health", "port": "http"},
            "periodSeconds": 15,
            "timeoutSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
        description="Readiness probe; without one the old pod goes while the new one still loads the model.",
    )
    runtime_class_name: DnsLabel | None = Field(None, description="Runtime class of the pods.")
    termination_grace_period_seconds: int = Field(
        30, ge=30, description="Seconds a stopping pod may live; it finishes the turns under way."
    )
    config: VllmConfig = Field(default_factory=VllmConfig, description="How the model is served.")
    hf_token_secret: HfTokenSecret = Field(default_factory=HfTokenSecret, description="The Hugging Face token.")
    external_secrets: ProviderStore = Field(default_factory=ProviderStore, description="An external store.")
    env_from: tuple[EnvEntry, ...] = Field((), description="Variables with a source, before the others.")
    persistence: Cache = Field(default_factory=Cache, description="The volume with the model's files.")
    service: VllmService = Field(default_factory=VllmService, description="Its Service.")
    pod_disruption_budget: Budget = Field(default_factory=Budget, description="Its budget.")
    ingress: TlsIngress = Field(default_factory=TlsIngress, description="Its Ingress.")
    datadog: VllmDatadog = Field(default_factory=VllmDatadog, description="Annotations for Datadog.")
