"""Transcribers: one SessionGroup or plain Deployment for each language (contract: transcription 3 to 9, 13)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.external_secret import ExternalSecret, ExternalSecretArgs
from components.cluster.license import License
from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import SAFE_TO_EVICT_LABEL, session_pod
from components.speech.images import transcriber_tag
from components.speech.naming import MANAGED_BY, short
from components.speech.plain import plain_deployment
from components.speech.pod import Json, pod_template
from components.speech.session_group import group_annotations, group_spec, session_group
from components.speech.shared_maps import Address
from components.speech.transcriber_containers import (
    WS,
    app_of,
    own_files,
    readiness_tracker,
    speaker_secret,
    transcriber_container,
    worker_proxy,
)
from components.speech.transcriber_languages import Speech, speeches
from stacks.schema.external_secrets import ExternalData, RemoteRef
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.transcribers import TranscriberSettings


@dataclass(frozen=True)
class TranscriberArgs:
    """What the transcribers need."""

    namespace: pulumi.Output[str]
    namespace_name: str
    settings: TranscriberSettings
    global_: GlobalSettings
    manager: Address
    """The resource manager's."""
    placement: Placement
    session_seconds: int
    """The longest session in seconds."""
    license: License
    ready: tuple[pulumi.Resource, ...]
    """What must run before a SessionGroup means anything: the kind and the controller."""


def speech_placement(args: TranscriberArgs, speech: Speech) -> Placement:
    """Nodes of one language: the processor's labels win over the transcribers', its tolerations come first."""
    own, place = speech.processor, args.placement
    return replace(
        place,
        labels={**place.labels, **own.node_selector},
        tolerated=copy.deepcopy((*own.tolerations, *place.tolerated)),
    )


def pod(args: TranscriberArgs, speech: Speech, account: pulumi.Input[str]) -> Json:
    """The pod of one language, in a session group or a plain Deployment (contract: transcription 4.1, 13.1)."""
    settings, global_ = args.settings, args.global_
    policy = session_pod(args.session_seconds)
    own, files, app = settings.transcriber, own_files(settings, args.license.secret), app_of(settings)
    proxied, manager = settings.live and not speech.on_cpu, args.manager
    grouped = {SAFE_TO_EVICT_LABEL: "false", "app": app} if speech.grouped else {"app": speech.name}
    return pod_template(
        placement=speech_placement(args, speech),
        labels={**own.additional_pod_labels, "lang": speech.language, **grouped},
        annotations={
            "speechmatics.io/component": f"{app}-{speech.language}",
            **(own.additional_annotations if speech.grouped else own.additional_pod_annotations),
            **policy.annotations,
            **args.license.annotations,
        },
        init_containers=[worker_proxy(settings, global_, speech, manager)] if proxied else [],
        containers=[
            transcriber_container(settings, global_, speech, files),
            *([readiness_tracker(settings, global_, speech, manager)] if settings.live else []),
        ],
        service_account=account,
        pull_secrets=[secret.name for secret in settings.image_pull_secrets or global_.image_pull_secrets],
        security_context=copy.deepcopy(own.security_context),
        grace_seconds=policy.grace_seconds,
        volumes=copy.deepcopy([*files.volumes, *settings.volumes]),
    )


def labels(args: TranscriberArgs, speech: Speech) -> dict[str, str]:
    """Labels of the objects of one language."""
    return {
        "lang": speech.language,
        "mode": args.settings.transcriber.mode.value,
        "app.kubernetes.io/version": short(transcriber_tag(args.settings, args.global_)),
        "app.kubernetes.io/managed-by": MANAGED_BY,
        "speechmatics.io/component": "transcriber",
    }


class Transcriber(pulumi.ComponentResource):
    """What runs the transcribers of all languages, with their account.

    Not here: the license Secret (`stacks.platform.base`).
    """

    groups: list[str]
    """Of session groups."""

    def __init__(self, name: str, args: TranscriberArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:Transcriber", name, {}, opts)
        account = self._account(name, args.settings.fullname_override, args)
        self.groups = []
        ready = (*args.ready, *self._speaker_keys(name, args))
        for speech in speeches(args.settings, args.global_):
            template = pod(args, speech, account)
            if speech.grouped:
                self._group(f"{name}-{speech.language}", args, speech, template, ready)
                self.groups.append(speech.name)
            else:
                self._deployment(f"{name}-{speech.language}", args, speech, template)
        self.register_outputs({"groups": self.groups})

    def _group(
        self, name: str, args: TranscriberArgs, speech: Speech, template: Json, ready: tuple[pulumi.Resource, ...]
    ) -> None:
        """The session group of one language (contract: transcription 3)."""
        metadata = kubernetes.meta.v1.ObjectMetaArgs(
            name=speech.name,
            namespace=args.namespace,
            labels={**labels(args, speech), "app": app_of(args.settings)},
            annotations=group_annotations(scaled=speech.scaled),
        )
        spec = group_spec(
            speech,
            speech.scaling,
            {"app": speech.name},
            template,
            defrag=speech.defrag,
            active_node_scheduling=args.settings.session_groups.active_node_scheduling,
        )
        session_group(name, metadata, spec, scaled=speech.scaled, ready=ready, parent=self)

    def _deployment(self, name: str, args: TranscriberArgs, speech: Speech, template: Json) -> None:
        """The plain Deployment of one language and its Service (contract: transcription 13.1)."""
        own, selector = args.settings.transcriber, {"app": speech.name}
        meta = kubernetes.meta.v1.ObjectMetaArgs
        known_by = {**own.additional_labels, **labels(args, speech)}
        plain_deployment(
            name,
            meta(
                name=speech.name,
                namespace=args.namespace,
                labels=known_by,
                annotations=own.additional_annotations or None,
            ),
            replicas=speech.replicas,
            selector=selector,
            template=template,
            parent=self,
        )
        kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=meta(
                name=speech.name,
                namespace=args.namespace,
                labels=known_by,
                # the Deployment is awaited; its pods are ready when inference servers are
                annotations={**own.service.annotations, "pulumi.com/skipAwait": "true"},
            ),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type=own.service.type.value,
                selector=selector,
                ports=[kubernetes.core.v1.ServicePortArgs(port=WS, target_port=WS, protocol="TCP")],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _speaker_keys(self, name: str, args: TranscriberArgs) -> Iterator[pulumi.Resource]:
        """The keys by which speakers are told again, where they come from a store (contract: 13.4)."""
        settings, keys = args.settings, args.settings.transcriber.speaker_id.keys
        if not (settings.transcriber.speaker_id.enabled and settings.external_secrets.enabled):
            return
        secret = speaker_secret(settings)
        data = tuple(
            ExternalData.model_construct(
                secret_key=key, remote_ref=RemoteRef.model_construct(key=at, property=None, version=None)
            )
            for key, at in (("private-key", keys.private_key), ("public-key", keys.public_key))
        )
        metadata = kubernetes.meta.v1.ObjectMetaArgs(name=secret, namespace=args.namespace)
        request = ExternalSecretArgs(metadata, secret, settings.external_secrets, data)
        yield ExternalSecret(f"{name}-speaker-id", request, pulumi.ResourceOptions(parent=self))

    def _account(self, name: str, base: str, args: TranscriberArgs) -> pulumi.Output[str]:
        """The account of all languages, and what the readiness-tracker may do with pods (contract: 13.2)."""
        rbac, meta = kubernetes.rbac.v1, kubernetes.meta.v1.ObjectMetaArgs
        child = pulumi.ResourceOptions(parent=self)
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=meta(
                name=base,
                namespace=args.namespace,
                labels={
                    "app.kubernetes.io/version": short(transcriber_tag(args.settings, args.global_)),
                    "speechmatics.io/component": "transcriber",
                },
            ),
            opts=child,
        )
        role_name = f"{base}-pod-access"
        role = rbac.Role(
            f"{name}-role",
            metadata=meta(name=role_name, namespace=args.namespace),
            rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get", "watch", "list", "delete"])],
            opts=child,
        )
        user = f"system:serviceaccount:{args.namespace_name}:{base}"
        binding = rbac.RoleBinding(
            f"{name}-binding",
            metadata=meta(name=f"{base}-kube-access", namespace=args.namespace),
            role_ref=rbac.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="Role", name=once_made(role, role_name)
            ),
            subjects=[rbac.SubjectArgs(api_group="rbac.authorization.k8s.io", kind="User", name=user)],
            opts=child,
        )
        # the account is of use once it may read its pods
        return pulumi.Output.all(once_made(account, base), binding.id).apply(lambda values: str(values[0]))
