"""One inference server of any recipe: GPU pods, as a SessionGroup or a Deployment (contract: transcription 11, 12)."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.license import License
from components.placement import Placement
from components.speech.batch_flow import KEY, LABEL, flow_control
from components.speech.disruption import SAFE_TO_EVICT_LABEL, session_pod
from components.speech.images import server_tag
from components.speech.inference_containers import GRPC, HTTP, METRICS, own_files, sidecar, triton
from components.speech.naming import MANAGED_BY, short
from components.speech.plain import plain_deployment
from components.speech.pod import Json, pod_template
from components.speech.session_group import group_annotations, group_spec, is_scaled, scaling_spec, session_group
from components.speech.shared_maps import Address
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.inference_server import ServerSettings
from stacks.schema.modes import ServerMode


@dataclass(frozen=True)
class InferenceServerArgs:
    """What an inference server needs."""

    namespace: pulumi.Output[str]
    release: str
    settings: ServerSettings
    global_: GlobalSettings
    manager: Address
    """The resource manager's."""
    placement: Placement
    session_seconds: int
    """The longest session in seconds."""
    license: License
    ready: tuple[pulumi.Resource, ...]
    """What must run before a SessionGroup means anything: the kind and the controller."""
    protect: bool

    @property
    def name(self) -> str:
        """Of group or Deployment, and Service."""
        return self.settings.fullname_override

    @property
    def grouped(self) -> bool:
        """Whether it is a session group (contract: transcription 2.2)."""
        return self.settings.session_groups.used(self.global_.session_groups.enabled)

    @property
    def tag(self) -> str:
        return server_tag(self.settings, self.global_)


def datadog(args: InferenceServerArgs) -> dict[str, str]:
    """The annotations group and pod share: a translation server has no recipe."""
    recipe = {"tags.datadoghq.com/triton-server.recipe": args.settings.triton_server.recipe}
    return {
        "tags.datadoghq.com/triton-server.service": args.name,
        "tags.datadoghq.com/triton-server.version": args.tag,
        **({} if args.settings.triton_server.mode is ServerMode.TRANSLATION else recipe),
    }


def selector(args: InferenceServerArgs) -> dict[str, str]:
    """The pods' labels, which the Service selects (the group's own selector differs: contract 14.3)."""
    return {"app.kubernetes.io/name": args.name, "app.kubernetes.io/instance": args.release}


def has_budget(settings: ServerSettings, global_: GlobalSettings) -> bool:
    """Whether a server has a disruption budget of its own."""
    plain = not settings.session_groups.used(global_.session_groups.enabled)
    return plain and settings.pdb.enabled and settings.triton_server.replicas != 1


def budget_name(settings: ServerSettings) -> str:
    return f"{settings.fullname_override}-pdb"


def pod(args: InferenceServerArgs) -> Json:
    """The pod, in a session group or a plain Deployment."""
    settings, server, policy = args.settings, args.settings.triton_server, session_pod(args.session_seconds)
    files = own_files(args.license.secret, server.mode)
    unsafe = {SAFE_TO_EVICT_LABEL: "false"} if args.grouped else {}
    beside = settings.inference_sidecar.enabled
    return pod_template(
        placement=args.placement,
        labels={**server.additional_labels, **unsafe, "mode": server.mode.value, **selector(args)},
        annotations={
            **datadog(args),
            **server.additional_annotations,
            **policy.annotations,
            **args.license.annotations,
        },
        containers=[
            triton(settings, args.global_, files, grouped=args.grouped),
            *([sidecar(settings, args.global_, args.manager, grouped=args.grouped)] if beside else []),
        ],
        pull_secrets=[secret.name for secret in settings.image_pull_secrets or args.global_.image_pull_secrets],
        security_context=copy.deepcopy(server.security_context),
        runtime_class=server.runtime_class_name,
        grace_seconds=policy.grace_seconds,
        volumes=copy.deepcopy([*files.volumes, *settings.additional_volumes]),
    )


def service_ports(settings: ServerSettings) -> list[tuple[str, int, str]]:
    """Name, number and the container's name of each port of the Service (contract: transcription 11.8)."""
    own = [
        ("http-service", HTTP, "triton-http"),
        ("grpc-service", GRPC, "triton-grpc"),
        ("metrics-service", METRICS, "triton-metrics"),
    ]
    sidecar_port = ("metrics-sidecar", settings.inference_sidecar.port, "sidecar-metrics")
    return [*own, sidecar_port] if settings.inference_sidecar.enabled else own


class InferenceServer(pulumi.ComponentResource):
    """The session group or plain Deployment, its Service, and in batch the map of its queue.

    Not here: the GPU plugin its nodes need (`cluster.gpu_plugin`).
    """

    groups: list[str]
    """Its session group, where there is one."""

    def __init__(self, name: str, args: InferenceServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:InferenceServer", name, {}, opts)
        labels = {
            **args.settings.additional_labels,
            "mode": args.settings.triton_server.mode.value,
            "app.kubernetes.io/version": short(args.tag),
            **selector(args),
            "app.kubernetes.io/managed-by": MANAGED_BY,
            "speechmatics.io/component": args.name,
        }
        component = {"speechmatics.io/component": args.name}
        annotations = {**component, **datadog(args), **args.settings.additional_annotations}
        if args.grouped:
            self._group(f"{name}-group", args, labels, annotations)
        else:
            self._deployment(f"{name}-deployment", args, labels, annotations)
            self._budget(f"{name}-budget", args, labels)
        service = args.settings.triton_server.service
        kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=args.name,
                namespace=args.namespace,
                labels=labels,
                # its pods load models for up to 15 minutes, behind a node that may still be on its way: the Service
                # is right without them, and `up` would give up at 10
                annotations={**component, **service.annotations, "pulumi.com/skipAwait": "true"},
            ),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type=service.type.value,
                cluster_ip="None" if service.headless else None,
                selector=selector(args),
                ports=[
                    kubernetes.core.v1.ServicePortArgs(name=port_name, port=number, target_port=target)
                    for port_name, number, target in service_ports(args.settings)
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        if args.settings.triton_server.mode is ServerMode.BATCH:
            kubernetes.core.v1.ConfigMap(
                f"{name}-flow-control",
                metadata=kubernetes.meta.v1.ObjectMetaArgs(
                    name=args.name, namespace=args.namespace, labels={LABEL: "true"}
                ),
                data={KEY: flow_control(args.settings, args.global_)},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.groups = [args.name] if args.grouped else []
        self.register_outputs({"groups": self.groups})

    def _group(self, name: str, args: InferenceServerArgs, labels: Json, annotations: Json) -> None:
        """The session group (contract: transcription 11.2)."""
        groups, everywhere = args.settings.session_groups, args.global_.session_groups.scaling.enabled
        scaled = is_scaled(groups.scaling, everywhere)
        metadata = kubernetes.meta.v1.ObjectMetaArgs(
            name=args.name,
            namespace=args.namespace,
            labels=labels,
            annotations={**annotations, **group_annotations(scaled=scaled)},
        )
        own = {"app.kubernetes.io/instance": args.name, "app.kubernetes.io/name": args.name}
        spec = group_spec(groups, scaling_spec(groups.scaling, everywhere), own, pod(args))
        session_group(name, metadata, spec, scaled=scaled, ready=args.ready, parent=self)

    def _deployment(self, name: str, args: InferenceServerArgs, labels: Json, annotations: Json) -> None:
        """The plain Deployment (contract: transcription 11.7)."""
        server = args.settings.triton_server
        plain_deployment(
            name,
            kubernetes.meta.v1.ObjectMetaArgs(
                name=args.name, namespace=args.namespace, labels=labels, annotations=annotations
            ),
            replicas=server.replicas,
            selector=selector(args),
            template=pod(args),
            recreate=server.use_recreate_strategy,
            parent=self,
        )

    def _budget(self, name: str, args: InferenceServerArgs, labels: Json) -> None:
        """The disruption budget of a plain Deployment; of one pod there is none (contract: transcription 11.9)."""
        if not has_budget(args.settings, args.global_):
            return
        kubernetes.policy.v1.PodDisruptionBudget(
            name,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=budget_name(args.settings), namespace=args.namespace, labels=labels
            ),
            spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
                min_available=args.settings.pdb.min_available,
                selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=selector(args)),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
