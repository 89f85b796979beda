"""`flow.llmProxy`: in front of the language models (contract: flow 3)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stacks.schema.base import DnsLabel, Host, Section, shaped
from stacks.schema.flow.config import Url
from stacks.schema.flow.shared import (
    FlowExternalSecrets,
    FlowSecrets,
    FlowWorkload,
    HostIngress,
    Port,
)
from stacks.schema.fragment import EnvEntry, ProbeFragment, ResourceRequirements
from stacks.schema.images import ImageOverride
from stacks.schema.workload import Budget, ServiceType

LabelText = Annotated[
    str, shaped("^[-._A-Za-z0-9]{1,63}$", "what a label can hold: at most 63 letters, digits, -, _ and .")
]
"""Text that becomes a label."""

FROM_VARIABLE = "os.environ/"


def _from_variable(given: str) -> str:
    if not given.startswith(FROM_VARIABLE):
        context = {"only": f"{FROM_VARIABLE}NAME"}
        raise PydanticCustomError(
            "secret_in_clear", "should be {only}, with the variable in flow.llmProxy.envFrom from a Secret", context
        )
    return given


class LlmParameters(Section):
    """One language model; keys as the LLM proxy reads them."""

    url: Url = Field(description="Where it answers chat completions.")
    model: str = Field(min_length=1, description="Its name there.")
    api_key: Annotated[str, AfterValidator(_from_variable)] | None = Field(
        None, alias="api_key", description="`os.environ/NAME`: the variable with the key; never the key itself."
    )
    tpm: int | None = Field(None, ge=1, description="Tokens in a minute; may be left out where isOnPrem is true.")
    rpm: int | None = Field(None, ge=1, description="Requests in a minute; may be left out where isOnPrem is true.")


class Model(Section):
    """A language model in a group; keys as the LLM proxy reads them."""

    group: str = Field(alias="model_name", min_length=1, description="Group; models of one group are balanced.")
    llm_params: LlmParameters = Field(alias="llm_params", description="The model.")


class LlmProxyConfig(Section):
    """The language models there are."""

    models: tuple[Model, ...] | None = Field(
        None,
        alias="model_list",
        description="Models; unset is the vLLM of this platform, under `flow.config.llm.llmProxy.modelGroup`.",
    )
    fallbacks: dict[str, Any] = Field(
        default_factory=dict, description="Groups to fall back to; the vendor's proxy does not support it yet."
    )


class LlmProxyService(Section):
    """Its Service; flow pods ask for port 8080 whatever it says (contract: flow 6.2)."""

    type: ServiceType = Field(ServiceType.CLUSTER_IP, description="How it is reached.")
    port: Port = Field(8080, description="Port of the Service; flow pods follow it.")


class LlmProxyBudget(Budget):
    """The disruption budget."""

    enabled: bool = Field(True, description="Deploy a PodDisruptionBudget.")


class LlmProxyIngress(HostIngress):
    """The Ingress of the LLM proxy, always with TLS."""

    tls_host: Host | None = Field(None, description="Host of the certificate; unset is every host of the zone.")
    tls_secret_name: DnsLabel | None = Field(
        None, description="Existing Secret with the certificate; unset is the ingress controller's own."
    )


class LlmProxySettings(FlowWorkload):
    """The LLM proxy."""

    enabled: bool = Field(True, description="Enable deployment of LLM proxy.")
    fullname_override: DnsLabel = Field("llm-proxy", description="Name of its objects.")
    service_name: DnsLabel | None = Field(None, description="Name of its objects instead of fullnameOverride.")
    config_map_name: DnsLabel = Field("llm-proxy-config", description="Name of its ConfigMap.")
    version: LabelText | None = Field(None, description="Version label of its objects.")
    replicas: int = Field(2, ge=1, description="Number of pods; with one, a drain of its node would cut turns.")
    image: ImageOverride = Field(default_factory=ImageOverride, description="Its image, when not the common one.")
    container_port: Literal[8080] = Field(
        8080, description="Port of the container; nothing tells the program another one."
    )
    resources: ResourceRequirements = Field(
        {"requests": {"cpu": "100m", "memory": "100Mi"}}, description="Requests and limits."
    )
    liveness_probe: ProbeFragment = Field(default_factory=dict, description="Liveness probe; the vendor has none.")
    readiness_probe: ProbeFragment = Field(
        {"tcpSocket": {"port": "llm-proxy"}}, description="Readiness probe; without one turns meet a pod that starts."
    )
    is_on_prem: bool = Field(True, description="Run outside the vendor's cloud.")
    max_backend_retries: int = Field(3, ge=0, description="Attempts after a failed one.")
    backend_retry_interval_ms: int = Field(500, ge=0, description="Milliseconds between two attempts.")
    backend_timeout_sec: int = Field(10, ge=1, description="Seconds a model may take; flow pods wait two more.")
    backend_recovery_interval: int = Field(1, ge=0, description="How often a failed model is tried again.")
    backend_latency_ema_smoothing_factor: float = Field(0.7, ge=0, le=1, description="Weight of the newest latency.")
    backend_utilization_threshold: float = Field(0.8, ge=0, le=1, description="Use up to which a model is preferred.")
    latency_weight_factor: float = Field(3, ge=0, description="How much latency counts in balancing.")
    max_cooling_period_sec: int = Field(10, ge=0, description="Most seconds a failed model is left alone.")
    retry_all_llm_errors: bool = Field(True, description="Try again whatever the error.")
    llm_proxy_shutdown_grace_period_sec: int = Field(
        300, ge=30, description="Seconds for the turns under way when a pod is told to go."
    )
    env_from: tuple[EnvEntry, ...] = Field((), description="Variables with a source, before the others.")
    config: LlmProxyConfig = Field(default_factory=LlmProxyConfig, description="LLM proxy configuration.")
    service: LlmProxyService = Field(default_factory=LlmProxyService, description="Its Service.")
    pod_disruption_budget: LlmProxyBudget = Field(default_factory=LlmProxyBudget, description="Its budget.")
    secrets: FlowSecrets = Field(default_factory=FlowSecrets, description="Its Secret.")
    external_secrets: FlowExternalSecrets = Field(default_factory=FlowExternalSecrets, description="An external store.")
    ingress: LlmProxyIngress = Field(default_factory=LlmProxyIngress, description="Its Ingress.")

    @property
    def name(self) -> str:
        """Of all its objects."""
        return self.service_name or self.fullname_override
