"""tts: a SessionGroup of GPU pods that speak (contract: flow 4)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.cluster.license import License, license_file
from components.flow.common import Face, FlowCommon, with_env
from components.flow.objects import Front, ingress, service
from components.flow.session_group import SESSION_LABELS, scaled, spec
from components.placement import Placement
from components.speech.crd import API_VERSION, KIND
from components.speech.disruption import session_pod
from components.speech.naming import image
from components.speech.pod import Files, Json, container, env, env_field, env_flag, pod_template, port, session_env
from components.speech.session_group import group_annotations, group_options
from components.speech.shared_maps import Address, token_store
from stacks.schema.flow.tts import TtsSettings

REPOP = 8022


@dataclass(frozen=True)
class TtsArgs:
    """What TTS needs."""

    common: FlowCommon
    settings: TtsSettings
    manager: Address
    placement: Placement
    license: License
    ready: tuple[pulumi.Resource, ...]
    """What must run before a SessionGroup means anything: the kind and the controller."""

    @property
    def tag(self) -> str:
        return self.settings.image.tag or self.common.global_.tts.image.tag

    @property
    def face(self) -> Face:
        return Face(self.common, self.settings, self.settings.name, self.tag)


def register_features(args: TtsArgs) -> str:
    """What a pod registers: compact JSON, keys sorted by byte value."""
    capacity = args.settings.inference_sidecar.register_features.capacity
    payload = {"capacity": capacity, "model_costs": args.settings.costs, "version": args.tag}
    return json.dumps(payload, sort_keys=True, separators=(",", ":"))


def server(args: TtsArgs, files: Files) -> Json:
    """The server itself (contract: flow 4.2)."""
    settings = args.settings
    return container(
        "tts-server",
        image(settings.image.registry or args.common.global_.tts.image.registry, settings.image.repository, args.tag),
        image_pull_policy=settings.image_pull_policy.value if settings.image_pull_policy else None,
        variables=with_env(
            [env("NVIDIA_REQUIRE_CUDA", "cuda>=11.6"), env("CUDA_VISIBLE_DEVICES", "0")],
            (*settings.env_from, *settings.additional_env_from),
            settings.additional_env,
            session_env(args.face.name),
        ),
        ports=[port("http", settings.container_port)],
        resources=settings.resources,
        liveness_probe=settings.liveness_probe,
        readiness_probe=settings.readiness_probe,
        mounts=[*files.mounts, *settings.additional_volume_mounts],
    )


def sidecar(args: TtsArgs) -> Json:
    """The sidecar that registers the pod."""
    settings, common = args.settings.inference_sidecar, args.common.global_.resource_manager.image
    return container(
        "inference-sidecar",
        image(settings.image.registry or common.registry, "inference-sidecar", settings.image.tag or common.tag),
        variables=with_env(
            [
                env_field("POD_NAME", "metadata.name"),
                env_field("POD_IP", "status.podIP"),
                env("SM_RUNTIME_MODE", "tts"),
                env("INFERENCE_PORT", str(args.settings.container_port)),
                env("SM_METRICS_PORT", str(settings.port)),
                env("REGISTER_FEATURES", register_features(args)),
                token_store(settings.resource_manager, args.manager),
                env_flag("SM_CRASH_DETECTOR_DRY_RUN", settings.crash_detector_dry_run),
            ],
            (),
            settings.env,
            session_env(args.face.name),
        ),
        ports=[port("sidecar-metrics", settings.port), port("register-repop", REPOP)],
        resources=settings.resources,
    )


def group_template(args: TtsArgs) -> Json:
    """The pod."""
    settings = args.settings
    policy = session_pod(args.common.session_seconds, settings.termination_grace_period_seconds)
    files = license_file(args.license.secret)
    return pod_template(
        placement=args.placement,
        labels={**args.face.pod_labels, **SESSION_LABELS},
        annotations={
            **settings.additional_pod_annotations,
            **policy.annotations,
            **args.license.annotations,
        },
        containers=[server(args, files), sidecar(args)],
        pull_secrets=args.common.pull_secrets(settings),
        security_context=settings.security_context,
        grace_seconds=policy.grace_seconds,
        volumes=[*files.volumes, *settings.additional_volumes],
    )


class Tts(pulumi.ComponentResource):
    """Group and Service. Not here: a budget of its own; its pods are under that of all session pods."""

    group: str

    def __init__(self, name: str, args: TtsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:flow:Tts", name, {}, opts)
        settings, face = args.settings, args.face
        on_scale = scaled(settings.session_groups, args.common.global_)
        CustomResource(
            f"{name}-group",
            api_version=API_VERSION,
            kind=KIND,
            metadata=face.metadata(annotations=group_annotations(scaled=on_scale)),
            spec=spec(settings.session_groups, scaled=on_scale, selector=face.selector, template=group_template(args)),
            opts=group_options(self, args.ready, scaled=on_scale),
        )
        made = service(
            f"{name}-service",
            face,
            kind=settings.service.type.value,
            port=kubernetes.core.v1.ServicePortArgs(name="http", port=settings.service.port, target_port="http"),
            # its pods are made by the vendor's controller, on a node that may still be on its way
            annotations={"pulumi.com/skipAwait": "true"},
            parent=self,
        )
        if settings.ingress.enabled:
            ingress(f"{name}-ingress", face, front(settings), made, settings.service.port, self)
        self.group = face.name
        self.register_outputs({"group": self.group})


def front(settings: TtsSettings) -> Front:
    """Its Ingress."""
    at = settings.ingress
    host = at.host or f"tts.{at.zone}"
    return Front(
        object_name=settings.name,
        class_name=at.ingress_class_name,
        host=host,
        paths=("/",),
        tls_host=host if at.tls.enabled else None,
        tls_secret=at.tls.secret_name,
        annotations=at.annotations,
        labels=at.labels,
    )
