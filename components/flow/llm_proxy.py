"""llm-proxy: balances the turns of conversations over the language models (contract: flow 3)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from components.flow.common import CONFIG_HASH, Face, FlowCommon, digest, with_env
from components.flow.fronts import ingress, of_llm_proxy
from components.flow.objects import budget, deployment, own_secret, service
from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import surge_first
from components.speech.naming import image
from components.speech.pod import Json, container, env, env_config, env_flag, pod_template, port
from stacks.schema.flow import FlowSettings
from stacks.schema.flow.llm_proxy import LlmProxySettings
from stacks.schema.global_settings import GlobalFlow

CONFIG_KEY = "llm-proxy-config"

LEAVE_SECONDS = 10
"""A pod that is told to go still takes turns for so long: until nobody knows its address any more."""


def grace_seconds(settings: LlmProxySettings) -> int:
    """The pod's grace: what it takes before it is told to stop, and then its own clock for the turns under way."""
    return LEAVE_SECONDS + settings.llm_proxy_shutdown_grace_period_sec


def vllm_service(settings: FlowSettings, shared: GlobalFlow) -> tuple[str, int]:
    """Name and port of vLLM's Service (contract: flow 5.4)."""
    own = settings.vllm.service
    name = shared.vllm.service.service_name or own.service_name or settings.vllm.fullname_override
    # a Service of the name vllm puts variables into every container that vLLM takes for its own
    return "vllm-svc" if name == "vllm" else name, shared.vllm.service.port or own.port


def served_model(settings: FlowSettings, shared: GlobalFlow) -> str:
    """The model vLLM serves."""
    return shared.vllm.config.model or settings.vllm.config.model


def vllm_entry(settings: FlowSettings, shared: GlobalFlow, group: str) -> Json:
    """vLLM as one of the LLM proxy's models."""
    name, number = vllm_service(settings, shared)
    url = f"http://{name}:{number}/v1/chat/completions"
    return {"model_name": group, "llm_params": {"url": url, "model": served_model(settings, shared)}}


def model_list(settings: FlowSettings, shared: GlobalFlow) -> list[Json]:
    """The language models: those listed, or vLLM under the group that flow pods ask for."""
    listed = settings.llm_proxy.config.models
    if listed is None:
        own = vllm_entry(settings, shared, settings.config.llm.llm_proxy.model_group)
        return [own] if settings.vllm.enabled or shared.vllm.enabled else []
    given = [each.model_dump(by_alias=True, exclude_none=True, mode="json") for each in listed]
    return [*given, *([vllm_entry(settings, shared, "vllm")] if shared.vllm.enabled else [])]


def config_text(settings: FlowSettings, shared: GlobalFlow) -> str:
    """The file, which the program gets as a variable."""
    models, fallbacks = model_list(settings, shared), settings.llm_proxy.config.fallbacks
    found = ({"model_list": models} if models else {}) | ({"fallbacks": fallbacks} if fallbacks else {})
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=1000)


@dataclass(frozen=True)
class LlmProxyArgs:
    """What the LLM proxy needs."""

    common: FlowCommon
    flow: FlowSettings
    placement: Placement

    @property
    def settings(self) -> LlmProxySettings:
        return self.flow.llm_proxy

    @property
    def face(self) -> Face:
        version = self.settings.version or self.common.global_.resource_manager.image.tag
        return Face(self.common, self.settings, self.settings.name, version)


def plain(number: float) -> str:
    """A number as the chart prints it: `3`, `0.7`."""
    return f"{number:g}"


def server(args: LlmProxyArgs, config_map: pulumi.Input[str]) -> Json:
    """The only container (contract: flow 3.1)."""
    settings, common = args.settings, args.common.global_.resource_manager.image
    return container(
        "llm-proxy",
        image(settings.image.registry or common.registry, "llm-proxy", settings.image.tag or common.tag),
        variables=with_env(
            [
                env_config("SM_LLM_PROXY_CONFIG", config_map, CONFIG_KEY),
                env_flag("SM_ON_PREM", settings.is_on_prem),
                env("MAX_BACKEND_RETRIES", str(settings.max_backend_retries)),
                env("BACKEND_RETRY_INTERVAL_MS", str(settings.backend_retry_interval_ms)),
                env("BACKEND_TIMEOUT_SEC", str(settings.backend_timeout_sec)),
                env("BACKEND_RECOVERY_INTERVAL", str(settings.backend_recovery_interval)),
                env("BACKEND_LATENCY_EMA_SMOOTHING_FACTOR", plain(settings.backend_latency_ema_smoothing_factor)),
                env("BACKEND_UTILIZATION_THRESHOLD", plain(settings.backend_utilization_threshold)),
                env("LATENCY_WEIGHT_FACTOR", plain(settings.latency_weight_factor)),
                env("MAX_COOLING_PERIOD_SEC", str(settings.max_cooling_period_sec)),
                env_flag("RETRY_ALL_LLM_ERRORS", settings.retry_all_llm_errors),
                env("LLM_PROXY_SHUTDOWN_GRACE_PERIOD_SEC", str(settings.llm_proxy_shutdown_grace_period_sec)),
            ],
            (*settings.env_from, *settings.additional_env_from),
            settings.additional_env,
        ),
        ports=[port("llm-proxy", settings.container_port)],
        resources=settings.resources,
        liveness_probe=settings.liveness_probe,
        readiness_probe=settings.readiness_probe,
        lifecycle={"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}},
        mounts=settings.additional_volume_mounts,
    )


class LlmProxy(pulumi.ComponentResource):
    """Deployment, Service, map, Secret, budget. Its Secret is for `envFrom`; nothing mounts it by itself."""

    service_name: pulumi.Output[str]

    def __init__(self, name: str, args: LlmProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:flow:LlmProxy", name, {}, opts)
        settings, face = args.settings, args.face
        content = config_text(args.flow, args.common.global_.flow)
        config_map = kubernetes.core.v1.ConfigMap(
            f"{name}-config",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=settings.config_map_name, namespace=args.common.namespace),
            data={CONFIG_KEY: content},
            opts=pulumi.ResourceOptions(parent=self),
        )
        own_secret(
            f"{name}-secret",
            face,
            face.name,
            data={},
            store=settings.external_secrets,
            references=(*settings.secrets.data, *settings.secrets.additional_data),
            parent=self,
        )
        ready = deployment(
            f"{name}-deployment",
            face,
            replicas=settings.replicas,
            strategy=surge_first(),
            template=pod_template(
                placement=args.placement,
                labels=face.pod_labels,
                annotations={**settings.additional_pod_annotations, CONFIG_HASH: digest(content)},
                containers=[server(args, once_made(config_map, settings.config_map_name))],
                pull_secrets=args.common.pull_secrets(settings),
                security_context=settings.security_context,
                grace_seconds=grace_seconds(settings),
                volumes=settings.additional_volumes,
            ),
            parent=self,
        )
        self.service_name = service(
            f"{name}-service",
            face,
            kind=settings.service.type.value,
            port=kubernetes.core.v1.ServicePortArgs(port=settings.service.port, target_port="llm-proxy"),
            parent=self,
            after=[ready],
        )
        if settings.pod_disruption_budget.enabled:
            budget(f"{name}-budget", face, settings.pod_disruption_budget.min_available, self)
        ingress(f"{name}-ingress", face, of_llm_proxy(settings), self.service_name, settings.service.port, self)
        self.register_outputs({"serviceName": self.service_name})
