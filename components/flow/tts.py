"""tts: GPU pods that speak (contract: flow 4)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.license import License, license_file
from components.flow.common import Face, FlowCommon, with_env
from components.flow.fronts import ingress, of_tts
from components.flow.objects import budget, service
from components.flow.session_group import Workload, is_grouped, named, session_labels, workload
from components.placement import Placement
from components.speech.disruption import session_pod
from components.speech.naming import image
from components.speech.plain import MODEL_SECONDS
from components.speech.pod import Files, Json, container, env, env_field, env_flag, pod_template, port, session_env
from components.speech.shared_maps import Address, token_store
from stacks.schema.flow.tts import TtsSettings
from stacks.schema.global_settings import GlobalSettings

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
    def grouped(self) -> bool:
        """Whether it is a session group (contract: flow 1)."""
        return is_grouped(self.settings, self.common.global_)

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
            named(args.face.name, grouped=args.grouped),
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
            # the same in a plain Deployment, where nothing sets the label of the third (contract: flow 4.2)
            session_env(args.face.name),
        ),
        ports=[port("sidecar-metrics", settings.port), port("register-repop", REPOP)],
        resources=settings.resources,
    )


def has_budget(settings: TtsSettings, global_: GlobalSettings) -> bool:
    """Whether it has a disruption budget of its own; a session group is under that of all session pods."""
    return settings.pod_disruption_budget.enabled and not is_grouped(settings, global_)


def pod(args: TtsArgs) -> Json:
    """The pod, in a session group or a plain Deployment."""
    settings = args.settings
    policy = session_pod(args.common.session_seconds, settings.termination_grace_period_seconds)
    files = license_file(args.license.secret)
    return pod_template(
        placement=args.placement,
        labels={**args.face.pod_labels, **session_labels(grouped=args.grouped)},
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
    """Group or Deployment, Service, and the budget of a Deployment."""

    groups: list[str]
    """Its session group, where there is one."""

    def __init__(self, name: str, args: TtsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:flow:Tts", name, {}, opts)
        settings, face = args.settings, args.face
        self.groups = workload(name, Workload(face, settings, pod(args), args.ready, MODEL_SECONDS), self)
        if has_budget(settings, args.common.global_):
            budget(f"{name}-budget", face, settings.pod_disruption_budget.min_available, self)
        made = service(
            f"{name}-service",
            face,
            kind=settings.service.type.value,
            port=kubernetes.core.v1.ServicePortArgs(name="http", port=settings.service.port, target_port="http"),
            # its pods come later than it, on a node that may still be on its way
            annotations={"pulumi.com/skipAwait": "true"},
            parent=self,
        )
        ingress(f"{name}-ingress", face, of_tts(settings), made, settings.service.port, self)
        self.register_outputs({"groups": self.groups})
