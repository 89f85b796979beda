"""flow-service: pods that hold conversations, with its file, Secret and account (contract: flow 2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.license import License, license_file
from components.flow import config_file
from components.flow.common import CONFIG_HASH, Face, FlowCommon, digest, with_env
from components.flow.fronts import ingress, of_flow_service
from components.flow.objects import own_secret, service
from components.flow.session_group import Workload, is_grouped, named, session_labels, workload
from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import session_pod
from components.speech.naming import image
from components.speech.pod import (
    Files,
    Json,
    container,
    env,
    env_field,
    env_secret,
    pod_template,
    port,
)
from components.speech.shared_maps import Address, token_store
from stacks.schema.flow import FlowSettings

WS, HEALTH = 3000, 3001
CHECK, REPOP, RT_REPOP = 8002, 8022, 8023
CONFIG_KEY = "extra_config.yaml"
CONFIG_PATH = "/llava/config/extra_config.yaml"
RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class FlowServiceArgs:
    """What flow-service needs."""

    common: FlowCommon
    settings: FlowSettings
    secrets: Mapping[str, pulumi.Output[str]]
    """Key of its Secret → content."""
    manager: Address
    llm_url: str
    """The LLM proxy of this platform."""
    tts_url: str
    """The TTS of this platform."""
    placement: Placement
    license: License
    ready: tuple[pulumi.Resource, ...]
    """What must run before a SessionGroup means anything: the kind and the controller."""

    @property
    def grouped(self) -> bool:
        """Whether it is a session group (contract: flow 1)."""
        return is_grouped(self.settings, self.common.global_)

    @property
    def face(self) -> Face:
        """Its version is that of everything, whatever tag its own image has."""
        name = self.settings.fullname_override
        return Face(self.common, self.settings, name, self.common.global_.flow.image.tag)


def register_features(args: FlowServiceArgs) -> str:
    """What a pod registers with the resource manager: the chart's own text, blanks included."""
    capacity = args.settings.max_concurrent_connections.value
    version = args.common.global_.flow.image.tag
    return json.dumps({"capacity": capacity, "version": version, "model_costs": {"flow-worker": 1}})


def file_text(args: FlowServiceArgs) -> str:
    """The file of the pods."""
    here = args.common.global_.flow.flow_use_local_transcriber
    tree = config_file.tree(args.settings, transcribes_here=here, llm_url=args.llm_url, tts_url=args.tts_url)
    return config_file.text(tree)


def keys(settings: FlowSettings) -> list[tuple[str, str]]:
    """The variables that come from its Secret, each with its key there."""
    services, found = settings.config, []
    if services.llm.chatgpt.enabled:
        found.append(("OPENAI_API_KEY", "flow-openai-api-key"))
    if services.tts.elevenlabs.enabled:
        found.append(("ELEVEN_API_KEY", "flow-eleven-labs-api-key"))
    if services.tts.playht.enabled:
        found += [("PLAYHT_API_KEY", "flow-playht-api-key"), ("PLAYHT_USER_ID", "flow-playht-user-id")]
    return found


def own_files(license_secret: str, config_map: pulumi.Input[str]) -> Files:
    """The license and the service's own file (contract: flow 2.2)."""
    name, items = "flow-service-config-file", [{"key": CONFIG_KEY, "path": CONFIG_KEY}]
    return license_file(license_secret) + Files(
        ({"name": name, "configMap": {"name": config_map, "items": items}},),
        ({"name": name, "mountPath": CONFIG_PATH, "subPath": CONFIG_KEY},),
    )


def worker(args: FlowServiceArgs, secret: pulumi.Input[str], files: Files) -> Json:
    """The service itself (contract: flow 2.2)."""
    settings, common = args.settings, args.common.global_.flow.image
    given, hello = settings.image, settings.hello_message_lang_map
    greeting = json.dumps(hello, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    demonstration = [
        env("WS_PROXY_URL", settings.internal_app.proxy_url or ""),
        env("MP_URL", settings.management_platform.url),
        env_secret("MP_API_KEY", secret, "flow-mp-api-key"),
    ]
    return container(
        "flow-service",
        image(given.registry or common.registry, given.repository, given.tag or common.tag),
        image_pull_policy=settings.image_pull_policy.value,
        variables=with_env(
            [
                env_field("POD_NAME", "metadata.name"),
                env_field("POD_IP", "status.podIP"),
                *[env_secret(name, secret, key) for name, key in keys(settings)],
                *([env("SM_HELLO_PER_LANG", greeting)] if hello else []),
                *(demonstration if settings.internal_app.enabled else []),
            ],
            settings.additional_env_from,
            settings.additional_env,
            named(args.face.name, grouped=args.grouped),
        ),
        ports=[port("ws", WS), port("health-port", HEALTH)],
        liveness_probe=settings.liveness_probe,
        readiness_probe=settings.readiness_probe,
        resources=settings.resources,
        mounts=[*files.mounts, *settings.additional_volume_mounts],
    )


def tracker(args: FlowServiceArgs) -> Json:
    """The sidecar that registers the pod (contract: flow 2.3)."""
    settings, common = args.settings.readiness_tracker, args.common.global_.resource_manager.image
    namespace, last = env_field("SM_K8S_NAMESPACE", "metadata.namespace"), named(args.face.name, grouped=args.grouped)
    return container(
        "readiness-tracker",
        image(settings.image.registry or common.registry, settings.image.repository, settings.image.tag or common.tag),
        image_pull_policy=settings.image_pull_policy.value,
        variables=with_env(
            [
                token_store(args.settings.resource_manager, args.manager),
                env_field("POD_NAME", "metadata.name"),
                env_field("POD_IP", "status.podIP"),
                env("REGISTER_FEATURES", register_features(args)),
                env("READINESS_TRACKER_HEALTH_CHECK_PORT", str(CHECK)),
                env("SM_WORKER_HEALTH_PORT", str(HEALTH)),
                env("READY_ENDPOINT", "/api/ready"),
                env("SESSIONS_ENDPOINT", "/api/active_sessions"),
                env("SM_RUNTIME_MODE", "flow"),
                env("SM_RESTART_TRANSCRIBER_AFTER_N_SESSIONS", str(settings.restart_after_n_sessions)),
                env("PRE_WARM_ENABLED", "false"),
                env("PRE_WARM_EVERY_SESSION", "false"),
                *([] if args.grouped else [namespace]),
            ],
            settings.additional_env_from,
            settings.additional_env,
            [namespace, *last] if args.grouped else last,
        ),
        ports=[port("check-port", CHECK), port("register-repop", REPOP), port("rt-repop", RT_REPOP)],
        resources=settings.resources,
    )


def pod(
    args: FlowServiceArgs,
    *,
    account: pulumi.Input[str],
    config_map: pulumi.Input[str],
    secret: pulumi.Input[str],
    hashes: Mapping[str, pulumi.Input[str]],
) -> Json:
    """The pod, in a session group or a plain Deployment."""
    settings = args.settings
    policy = session_pod(args.common.session_seconds, settings.termination_grace_period_seconds)
    files = own_files(args.license.secret, config_map)
    annotations: dict[str, pulumi.Input[str]] = {**settings.additional_pod_annotations, **policy.annotations}
    return pod_template(
        placement=args.placement,
        labels={**args.face.pod_labels, **session_labels(grouped=args.grouped)},
        annotations={**annotations, **args.license.annotations, **hashes},
        containers=[worker(args, secret, files), tracker(args)],
        service_account=account,
        pull_secrets=args.common.pull_secrets(settings),
        security_context=settings.security_context,
        grace_seconds=policy.grace_seconds,
        volumes=[*files.volumes, *settings.additional_volumes],
    )


class FlowService(pulumi.ComponentResource):
    """Group or Deployment, Service, map, Secret, account. Not here: the license Secret (`cluster.credentials`)."""

    groups: list[str]
    """Its session group, where there is one."""

    def __init__(self, name: str, args: FlowServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:flow:FlowService", name, {}, opts)
        settings, face = args.settings, args.face
        content = file_text(args)
        config_map = kubernetes.core.v1.ConfigMap(
            f"{name}-config",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=settings.config_map_name, namespace=args.common.namespace),
            data={CONFIG_KEY: content},
            opts=pulumi.ResourceOptions(parent=self),
        )
        secret, hashed = own_secret(
            f"{name}-secret",
            face,
            face.name,
            data=args.secrets,
            store=settings.external_secrets,
            references=(*settings.secrets.data, *settings.secrets.additional_data),
            parent=self,
        )
        template = pod(
            args,
            account=self._account(name, args),
            config_map=once_made(config_map, settings.config_map_name),
            secret=secret,
            hashes={CONFIG_HASH: digest(content), **hashed},
        )
        self.groups = workload(name, Workload(face, settings, template, args.ready, None), self)
        made = service(
            f"{name}-service",
            face,
            kind=settings.service.type.value,
            port=kubernetes.core.v1.ServicePortArgs(port=WS, target_port=WS, protocol="TCP"),
            # its pods come later than it, and no conversation comes through it
            annotations={**settings.service.annotations, "pulumi.com/skipAwait": "true"},
            parent=self,
        )
        ingress(f"{name}-ingress", face, of_flow_service(settings), made, WS, self)
        self.register_outputs({"groups": self.groups})

    def _account(self, name: str, args: FlowServiceArgs) -> pulumi.Output[str]:
        """The account, and what the readiness-tracker may do with pods (contract: flow 2.7)."""
        face, rbac = args.face, kubernetes.rbac.v1
        account_name = args.settings.service_account_name or face.name
        child = pulumi.ResourceOptions(parent=self)
        account = kubernetes.core.v1.ServiceAccount(f"{name}-account", metadata=face.metadata(account_name), opts=child)
        role_name = f"{face.name}-pod-access"
        role = rbac.Role(
            f"{name}-role",
            metadata=face.metadata(role_name),
            rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=["pods"], verbs=["get", "watch", "list", "delete"])],
            opts=child,
        )
        user = f"system:serviceaccount:{args.common.namespace_name}:{account_name}"
        binding = rbac.RoleBinding(
            f"{name}-binding",
            metadata=face.metadata(f"{face.name}-kube-access"),
            role_ref=rbac.RoleRefArgs(api_group=RBAC, kind="Role", name=once_made(role, role_name)),
            subjects=[rbac.SubjectArgs(api_group=RBAC, kind="User", name=user)],
            opts=child,
        )
        # the account is of use once it may read its pods
        return pulumi.Output.all(once_made(account, account_name), binding.id).apply(lambda values: str(values[0]))
