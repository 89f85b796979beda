"""vllm: the language model of the platform, on GPUs, with a volume for its files (contract: flow 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.flow.common import Face, FlowCommon, with_env
from components.flow.fronts import ingress, of_vllm
from components.flow.llm_proxy import served_model, vllm_service
from components.flow.objects import budget, deployment, own_secret, service
from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import surge_first
from components.speech.pod import Files, Json, container, env, env_secret, pod_template, port
from stacks.schema.external_secrets import ExternalData, SecretProvider
from stacks.schema.flow import FlowSettings
from stacks.schema.flow.vllm import VllmConfig, VllmSettings

GPU = "nvidia.com/gpu"
TOKEN_KEY = "hf-token-secret"

LOAD_SECONDS = 1800
"""How long a pod may take to fetch and load its model before an update gives up (estimate: 7 GB at 10 MB/s)."""

LEAVE_SECONDS = 5
"""Until nobody knows the address of a pod that is told to go."""

STOP_SECONDS = 15
"""For the server to end once nothing is asked of it."""


@dataclass(frozen=True)
class VllmArgs:
    """What vLLM needs."""

    common: FlowCommon
    flow: FlowSettings
    token: pulumi.Output[str] | None
    """Hugging Face token, when its Secret is made here."""
    placement: Placement
    bfloat16: bool
    """Whether the GPUs of its pool compute with it."""

    @property
    def settings(self) -> VllmSettings:
        return self.flow.vllm

    @property
    def face(self) -> Face:
        return Face(self.common, self.settings, self.settings.fullname_override, self.settings.version)


def dtype(config: VllmConfig, *, bfloat16: bool) -> str:
    """The type of the weights: `auto` is the model's own, and the server refuses it where the GPUs have no bfloat16."""
    return "half" if config.dtype == "auto" and not bfloat16 else config.dtype


def arguments(args: VllmArgs) -> list[str]:
    """The server's arguments, in the contract's order (5.2)."""
    config = args.settings.config
    length = config.max_model_length
    return [
        f"--model={served_model(args.flow, args.common.global_.flow)}",
        f"--tensor-parallel-size={config.tensor_parallel_size or config.num_gpus}",
        f"--port={args.settings.container_port}",
        f"--dtype={dtype(config, bfloat16=args.bfloat16)}",
        *([f"--max-model-len={length}"] if length else []),
        *(["--enable-prefix-caching"] if config.enable_prefix_caching else []),
        *(["--disable-log-requests"] if config.disable_log_requests else []),
        *(f"--{key}={value}" if value else f"--{key}" for key, value in sorted(config.additional_args.items())),
    ]


def resources(settings: VllmSettings) -> Json:
    """What is configured, and the GPUs that the server is told it has."""
    limits = {**settings.resources.get("limits", {}), GPU: str(settings.config.num_gpus)}
    return {**settings.resources, "limits": limits}


def leave_seconds(flow: FlowSettings) -> int:
    """How long a pod that is told to go keeps answering: the turns under way and those that still come."""
    return LEAVE_SECONDS + flow.llm_proxy.backend_timeout_sec


def grace_seconds(flow: FlowSettings) -> int:
    """The pod's grace: never less than it keeps answering and takes to end."""
    return max(flow.vllm.termination_grace_period_seconds, leave_seconds(flow) + STOP_SECONDS)


def own_files(claim: pulumi.Input[str]) -> Files:
    """The model's files, and memory that its processes share."""
    return Files(
        (
            {"name": "cache-volume", "persistentVolumeClaim": {"claimName": claim}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}},
        ),
        (
            {"name": "cache-volume", "mountPath": "/root/.cache/huggingface"},
            {"name": "shm", "mountPath": "/dev/shm"},
        ),
    )


def server(args: VllmArgs, secret: pulumi.Input[str], files: Files) -> Json:
    """The only container."""
    settings = args.settings
    devices = ",".join(str(number) for number in range(settings.config.num_gpus))
    return container(
        "vllm-server",
        f"{settings.image}:{settings.version}",
        args=arguments(args),
        variables=with_env(
            [
                env("NVIDIA_REQUIRE_CUDA", "cuda>=11.6"),
                env("CUDA_VISIBLE_DEVICES", devices),
                env_secret("HUGGING_FACE_HUB_TOKEN", secret, TOKEN_KEY),
            ],
            (*settings.env_from, *settings.additional_env_from),
            settings.additional_env,
        ),
        ports=[port("http", settings.container_port)],
        resources=resources(settings),
        liveness_probe=settings.liveness_probe,
        readiness_probe=settings.readiness_probe,
        lifecycle={"preStop": {"sleep": {"seconds": leave_seconds(args.flow)}}},
        mounts=[*files.mounts, *settings.additional_volume_mounts],
    )


def tags(face: Face) -> dict[str, str]:
    """The two annotations Deployment and pod share."""
    return {
        "tags.datadoghq.com/vllm-server.service": face.name,
        "tags.datadoghq.com/vllm-server.version": face.version,
    }


def token_reference(settings: VllmSettings) -> ExternalData:
    """Where the token stands in an external store."""
    token = settings.hf_token_secret
    part = token.secret_property if settings.external_secrets.provider is SecretProvider.VAULT else None
    return ExternalData.model_validate(
        {"secretKey": TOKEN_KEY, "remoteRef": {"key": token.secret_key, "property": part}}
    )


class Vllm(pulumi.ComponentResource):
    """Deployment, Service, volume, and the token's Secret where it is made here."""

    service_name: pulumi.Output[str]

    def __init__(self, name: str, args: VllmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:flow:Vllm", name, {}, opts)
        settings, face = args.settings, args.face
        secret = self._secret(name, args)
        files = own_files(self._claim(name, args))
        ready = deployment(
            f"{name}-deployment",
            face,
            replicas=settings.replicas,
            # it may take the whole time of a load until the new pod answers; the old one stays until then
            strategy=surge_first(),
            seconds=LOAD_SECONDS,
            annotations=tags(face),
            template=pod_template(
                placement=args.placement,
                labels=face.pod_labels,
                annotations={**settings.additional_pod_annotations, **tags(face)},
                containers=[server(args, secret, files)],
                pull_secrets=args.common.pull_secrets(settings),
                security_context=settings.security_context,
                grace_seconds=grace_seconds(args.flow),
                runtime_class=settings.runtime_class_name,
                volumes=[*files.volumes, *settings.additional_volumes],
            ),
            parent=self,
        )
        service_name, number = vllm_service(args.flow, args.common.global_.flow)
        self.service_name = service(
            f"{name}-service",
            face,
            object_name=service_name,
            kind=settings.service.type.value,
            port=kubernetes.core.v1.ServicePortArgs(name="http", port=number, target_port="http"),
            parent=self,
            after=[ready],
        )
        if settings.pod_disruption_budget.enabled:
            budget(f"{name}-budget", face, settings.pod_disruption_budget.min_available, self)
        ingress(f"{name}-ingress", face, of_vllm(settings), self.service_name, number, self)
        self.register_outputs({"serviceName": self.service_name})

    def _secret(self, name: str, args: VllmArgs) -> pulumi.Input[str]:
        """The token's Secret; one that exists already is only named.

        Pods have no annotation of it: the token is needed to fetch the model and not to serve it, and another template
        would replace a server in the middle of a turn, since a Deployment knows no idle pod.
        """
        token = args.settings.hf_token_secret
        if not token.create_secret:
            return token.secret_name
        secret, _ = own_secret(
            f"{name}-secret",
            args.face,
            token.secret_name,
            data={TOKEN_KEY: args.token} if args.token is not None else {},
            store=args.settings.external_secrets,
            references=[token_reference(args.settings)],
            parent=self,
        )
        return secret

    def _claim(self, name: str, args: VllmArgs) -> pulumi.Output[str]:
        """The volume with the model's files, which every pod of the Deployment has at the same time."""
        cache = args.settings.persistence
        # the API's own names, which the SDK passes on as they are
        spec: Any = {
            "accessModes": list(cache.access_modes),
            "resources": {"requests": {"storage": cache.storage}},
            "volumeMode": cache.volume_mode,
            "storageClassName": cache.storage_class_name,
        }
        made = kubernetes.core.v1.PersistentVolumeClaim(
            f"{name}-cache",
            metadata=args.face.metadata(cache.name),
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, protect=args.common.protect),
        )
        return once_made(made, cache.name)
