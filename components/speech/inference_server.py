"""One inference server of any recipe: a SessionGroup of GPU pods and its Service (contract: transcription 11, 12)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.cluster.license import LICENSE_ANNOTATION, License
from components.placement import Placement
from components.speech.crd import API_VERSION, KIND
from components.speech.disruption import SAFE_TO_EVICT_LABEL, session_pod
from components.speech.model_costs import registered
from components.speech.naming import MANAGED_BY, image, short
from components.speech.pod import (
    Json,
    container,
    env,
    env_field,
    http_probe,
    pod_template,
    port,
    requests,
    session_env,
)
from components.speech.pre_stop import TRITON_PRE_STOP
from components.speech.session_group import group_options, group_spec, scaling_spec
from components.speech.shared_maps import token_store
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.inference_server import ServerSettings

HTTP, GRPC, METRICS, SIDECAR = 8000, 8001, 8002, 8008


@dataclass(frozen=True)
class InferenceServerArgs:
    """What an inference server needs."""

    namespace: pulumi.Output[str]
    release: str
    settings: ServerSettings
    global_: GlobalSettings
    release_map: pulumi.Input[str]
    resource_manager_url: str
    """For a server that does not read it from the map."""
    placement: Placement
    session_seconds: int
    license: License
    """The longest session in seconds."""
    ready: tuple[pulumi.Resource, ...]
    """What must run before a SessionGroup means anything: the kind and the controller."""

    @property
    def name(self) -> str:
        """Of group and Service."""
        return self.settings.fullname_override

    @property
    def tag(self) -> str:
        return self.global_.transcriber.image.tag


def register_features(args: InferenceServerArgs) -> str:
    """What a pod registers: compact JSON, keys sorted by byte value."""
    capacity = args.settings.inference_sidecar.register_features.capacity
    payload = {"capacity": capacity, "model_costs": registered(args.settings), "version": args.tag}
    return json.dumps(payload, sort_keys=True, separators=(",", ":"))


def triton(args: InferenceServerArgs) -> Json:
    """The server itself (contract: transcription 11.4)."""
    server = args.settings.triton_server
    point = [env("SM_OPERATING_POINT", server.operating_point.value)] if server.operating_point else []
    return container(
        "triton-server",
        image(args.global_.transcriber.image.registry, server.image.repository, args.tag),
        variables=[
            env("NVIDIA_REQUIRE_CUDA", "cuda>=11.6"),
            env("CUDA_VISIBLE_DEVICES", "0"),
            env("SM_BATCH_MODE", "false"),
            *point,
            env("SM_LICENSE_FILE", "/etc/secrets/license.json"),
            *session_env(args.name),
        ],
        ports=[port("triton-http", HTTP), port("triton-grpc", GRPC), port("triton-metrics", METRICS)],
        resources={"limits": {"nvidia.com/gpu": "1"}},
        mounts=[{"name": "triton-license", "mountPath": "/etc/secrets", "readOnly": True}],
        startup_probe=http_probe("/v2", HTTP, periodSeconds=15, failureThreshold=60),
        liveness_probe=http_probe(
            "/v2",
            HTTP,
            initialDelaySeconds=300,
            periodSeconds=20,
            timeoutSeconds=15,
            successThreshold=1,
            failureThreshold=3,
        ),
        readiness_probe=http_probe(
            "/v2/health/ready",
            HTTP,
            initialDelaySeconds=2,
            periodSeconds=20,
            timeoutSeconds=15,
            successThreshold=1,
            failureThreshold=3,
        ),
        lifecycle={"preStop": {"exec": {"command": ["/bin/bash", "-c", TRITON_PRE_STOP]}}},
    )


def sidecar(args: InferenceServerArgs) -> Json:
    """The sidecar that registers the pod (contract: transcription 11.6)."""
    images = args.global_.resource_manager.image
    return container(
        "inference-sidecar",
        image(images.registry, "inference-sidecar", images.tag),
        variables=[
            env_field("POD_NAME", "metadata.name"),
            env_field("POD_IP", "status.podIP"),
            env("SM_METRICS_PORT", str(SIDECAR)),
            env("REGISTER_CONDITIONS", "false"),
            env("REGISTER_FEATURES", register_features(args)),
            token_store(args.settings.inference_sidecar.resource_manager, args.release_map, args.resource_manager_url),
            env("SM_CRASH_DETECTOR_DRY_RUN", "false"),
            *session_env(args.name),
        ],
        ports=[port("sidecar-metrics", SIDECAR), port("register-repop", 8022)],
        resources=requests("10m", "50Mi"),
    )


def datadog(args: InferenceServerArgs) -> dict[str, str]:
    """The three annotations group and pod share."""
    return {
        "tags.datadoghq.com/triton-server.service": args.name,
        "tags.datadoghq.com/triton-server.version": args.tag,
        "tags.datadoghq.com/triton-server.recipe": args.settings.triton_server.recipe,
    }


def selector(args: InferenceServerArgs) -> dict[str, str]:
    """The pods' labels, which the Service selects (the group's own selector differs: contract 14.3)."""
    return {"app.kubernetes.io/name": args.name, "app.kubernetes.io/instance": args.release}


def group_template(args: InferenceServerArgs) -> Json:
    """The pod. Its toleration of the GPU pool's taint is the vendor's default, so none is added."""
    policy = session_pod(args.session_seconds)
    return pod_template(
        placement=args.placement,
        labels={SAFE_TO_EVICT_LABEL: "false", "mode": args.settings.triton_server.mode, **selector(args)},
        annotations={**datadog(args), **policy.annotations, LICENSE_ANNOTATION: args.license.version},
        containers=[triton(args), sidecar(args)],
        pull_secrets=[secret.name for secret in args.global_.image_pull_secrets],
        grace_seconds=policy.grace_seconds,
        volumes=[
            {
                "name": "triton-license",
                "secret": {"secretName": args.license.secret, "optional": False},
            }
        ],
    )


class InferenceServer(pulumi.ComponentResource):
    """The group and its Service. Not here: the GPU plugin its nodes need (`cluster.gpu_plugin`)."""

    group: str

    def __init__(self, name: str, args: InferenceServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:InferenceServer", name, {}, opts)
        labels = {
            "mode": args.settings.triton_server.mode,
            "app.kubernetes.io/version": short(args.tag),
            **selector(args),
            "app.kubernetes.io/managed-by": MANAGED_BY,
            "speechmatics.io/component": args.name,
        }
        component = {"speechmatics.io/component": args.name}
        groups, scaled = args.settings.session_groups, args.global_.session_groups.scaling.enabled
        CustomResource(
            f"{name}-group",
            api_version=API_VERSION,
            kind=KIND,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=args.name, namespace=args.namespace, labels=labels, annotations={**component, **datadog(args)}
            ),
            spec=group_spec(
                groups,
                scaling_spec(groups.scaling, scaled),
                {"app.kubernetes.io/instance": args.name, "app.kubernetes.io/name": args.name},
                group_template(args),
                active_node_scheduling=None,
            ),
            opts=group_options(self, args.ready, scaled=scaled),
        )
        kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=args.name,
                namespace=args.namespace,
                labels=labels,
                # its pods are made by the vendor's controller and load models for up to 15 minutes, behind a node
                # that may still be on its way: the Service is right without them, and `up` would give up at 10
                annotations={**component, "pulumi.com/skipAwait": "true"},
            ),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="ClusterIP",
                selector=selector(args),
                ports=[
                    kubernetes.core.v1.ServicePortArgs(name=port_name, port=number, target_port=target)
                    for port_name, number, target in (
                        ("http-service", HTTP, "triton-http"),
                        ("grpc-service", GRPC, "triton-grpc"),
                        ("metrics-service", METRICS, "triton-metrics"),
                        ("metrics-sidecar", SIDECAR, "sidecar-metrics"),
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.group = args.name
        self.register_outputs({"group": self.group})
