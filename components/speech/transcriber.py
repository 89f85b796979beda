"""Transcribers: one SessionGroup for each language (contract: transcription 3 to 9)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.cluster.license import LICENSE_ANNOTATION, License
from components.outputs import once_made
from components.placement import Placement
from components.speech.crd import API_VERSION, KIND
from components.speech.disruption import SAFE_TO_EVICT_LABEL, session_pod
from components.speech.model_costs import feature
from components.speech.naming import MANAGED_BY, image, language_name, short
from components.speech.pod import (
    Json,
    container,
    env,
    env_field,
    env_flag,
    http_probe,
    pod_template,
    port,
    requests,
    session_env,
)
from components.speech.session_group import group_options, group_spec, scaling_spec
from components.speech.shared_maps import token_store
from components.speech.transcriber_resources import requests_of
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.transcribers import TranscriberSettings

APP = "rt-asr-transcriber"


@dataclass(frozen=True)
class TranscriberArgs:
    """What the transcribers need."""

    namespace: pulumi.Output[str]
    namespace_name: str
    settings: TranscriberSettings
    global_: GlobalSettings
    release_map: pulumi.Input[str]
    resource_manager_url: str
    """For sidecars that do not read it from the map."""
    placement: Placement
    session_seconds: int
    license: License
    """The longest session in seconds."""
    ready: tuple[pulumi.Resource, ...]
    """What must run before a SessionGroup means anything: the kind and the controller."""


def register_features(args: TranscriberArgs, language: str) -> str:
    """What a pod registers with the resource manager: the chart's own text, blanks included."""
    capacity = args.settings.transcriber.max_concurrent_connections.value
    version = args.global_.transcriber.image.tag
    return json.dumps({"capacity": capacity, "version": version, "model_costs": {language: 1}})


def transcriber_container(args: TranscriberArgs, language: str, group: str) -> Json:
    """The transcriber (contract: transcription 4.2)."""
    settings, speech = args.settings, args.global_.transcriber.image
    disable_validation = [env("SM_DISABLE_API_VALIDATION", "true")]
    cpu, memory = requests_of(language)
    return container(
        APP,
        image(speech.registry, f"{APP}-{language}", speech.tag),
        image_pull_policy="IfNotPresent",
        args=["--json"],
        variables=[
            env_flag("SM_ENABLE_USAGE_REPORTING", settings.eats.enable_usage_reporting),
            env("SM_EATS_SECURE", "false"),
            env("SM_TRANSLATION_ENDPOINT", "triton-server-translation:8001"),
            env("SM_DO_SESSION_TRANSFER", "true"),
            env("SM_MAX_CONCURRENT_CONNECTIONS", str(settings.transcriber.max_concurrent_connections.value)),
            *(disable_validation if args.global_.flow.flow_use_local_transcriber else []),
            env("SM_ENHANCED_INFERENCE_ENDPOINT", "0.0.0.0:8008"),
            env("SM_INFERENCE_ENDPOINT", "0.0.0.0:8008"),
            env("SM_INFERENCE_ENDPOINT_RETRY_TIMEOUT", "20"),
            *[env(each.name, each.value) for each in settings.transcriber.env],
            *session_env(group),
        ],
        ports=[port("ws", 9000), port("health-port", 8001)],
        liveness_probe={
            "httpGet": {"path": "/live", "port": "health-port", "scheme": "HTTP"},
            "initialDelaySeconds": 2,
            "periodSeconds": 20,
            "timeoutSeconds": 19,
            "successThreshold": 1,
            "failureThreshold": 6,
        },
        resources=requests(cpu, memory),
        mounts=[{"name": "license", "mountPath": "/license.json", "subPath": "license.json", "readOnly": True}],
    )


def readiness_tracker(args: TranscriberArgs, language: str, group: str) -> Json:
    """The sidecar that registers the pod (contract: transcription 4.3)."""
    tracker, sidecars = args.settings.readiness_tracker, args.global_.resource_manager.image
    warm = tracker.pre_warm
    return container(
        "readiness-tracker",
        image(sidecars.registry, "readiness-tracker", sidecars.tag),
        variables=[
            token_store(args.settings.resource_manager, args.release_map, args.resource_manager_url),
            env_field("POD_NAME", "metadata.name"),
            env_field("POD_IP", "status.podIP"),
            env("REGISTER_CONDITIONS", "false"),
            env("REGISTER_FEATURES", register_features(args, language)),
            env("READINESS_TRACKER_HEALTH_CHECK_PORT", "8002"),
            env("LANGUAGE_FEATURE", feature(language)),
            env("SM_RESTART_TRANSCRIBER_AFTER_N_SESSIONS", str(tracker.restart_after_n_sessions)),
            env_flag("PRE_WARM_ENABLED", warm.enabled),
            env_flag("PRE_WARM_EVERY_SESSION", warm.every_session),
            env("PRE_WARM_OPERATING_POINT", warm.operating_point.value),
            env("PRE_WARM_CONTRACT_ID", "-77777777777777"),
            env("PRE_WARM_ONLY", "false"),
            env_field("SM_K8S_NAMESPACE", "metadata.namespace"),
            *session_env(group),
        ],
        ports=[port("check-port", 8002), port("register-repop", 8022), port("rt-repop", 8023)],
        resources=requests("10m", "15Mi"),
    )


def worker_proxy(args: TranscriberArgs, language: str, group: str) -> Json:
    """The native sidecar towards the inference servers (contract: transcription 4.4; Kubernetes is above 1.29 here)."""
    settings, sidecars = args.settings, args.global_.resource_manager.image
    check = settings.worker_proxy.check_for_capacity_on_start
    warm = settings.readiness_tracker.pre_warm
    return container(
        "worker-proxy",
        image(sidecars.registry, "worker-proxy", sidecars.tag),
        restart_policy="Always",
        variables=[
            env("LANGUAGE_FEATURE", feature(language)),
            token_store(settings.resource_manager, args.release_map, args.resource_manager_url),
            env("SM_MODELS_SHARED_BY_LANGUAGES_PREFIXES", "body,diar,audio_event_detection"),
            env("TRANSCRIBER_VERSION", args.global_.transcriber.image.tag),
            env_flag("SM_CHECK_FOR_CAPACITY_ON_START", warm.enabled if check is None else check),
            env("SM_CHECK_FOR_CAPACITY_ON_START_OPERATING_POINT", warm.operating_point.value),
            env_field("POD_NAME", "metadata.name"),
            env_field("POD_IP", "status.podIP"),
            *[env(each.name, each.value) for each in settings.worker_proxy.env],
            *session_env(group),
        ],
        ports=[port("wp-repop", 8024)],
        resources={"limits": {"cpu": "500m", "memory": "200Mi"}, "requests": {"cpu": "10m", "memory": "15Mi"}},
        readiness_probe=http_probe("/ready", 8024, periodSeconds=15, timeoutSeconds=10, failureThreshold=3),
        startup_probe=http_probe("/ready", 8024, periodSeconds=1, timeoutSeconds=10, failureThreshold=180),
    )


def group_template(args: TranscriberArgs, language: str, group: str, account: pulumi.Input[str]) -> Json:
    """The pod of one language."""
    policy = session_pod(args.session_seconds)
    return pod_template(
        placement=args.placement,
        labels={SAFE_TO_EVICT_LABEL: "false", "lang": language, "app": APP},
        annotations={
            "speechmatics.io/component": f"{APP}-{language}",
            **policy.annotations,
            LICENSE_ANNOTATION: args.license.version,
        },
        init_containers=[worker_proxy(args, language, group)],
        containers=[transcriber_container(args, language, group), readiness_tracker(args, language, group)],
        service_account=account,
        pull_secrets=[secret.name for secret in args.global_.image_pull_secrets],
        grace_seconds=policy.grace_seconds,
        volumes=[
            {
                "name": "license",
                "secret": {
                    "secretName": args.license.secret,
                    "items": [{"key": "license.json", "path": "license.json"}],
                },
            }
        ],
    )


class Transcriber(pulumi.ComponentResource):
    """The groups of all languages with their account. Not here: the license Secret (`cluster.credentials`)."""

    groups: list[str]

    def __init__(self, name: str, args: TranscriberArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:Transcriber", name, {}, opts)
        base, scaled = args.settings.fullname_override, args.global_.session_groups.scaling.enabled
        account = self._account(name, base, args)
        self.groups = []
        for language in args.global_.transcriber.languages:
            group = language_name(base, language)
            spec = group_spec(
                args.settings.session_groups,
                scaling_spec(args.settings.session_groups.scaling, scaled),
                {"app": group},
                group_template(args, language, group, account),
                active_node_scheduling=True,
            )
            CustomResource(
                f"{name}-{language}",
                api_version=API_VERSION,
                kind=KIND,
                metadata=kubernetes.meta.v1.ObjectMetaArgs(
                    name=group,
                    namespace=args.namespace,
                    labels={
                        "lang": language,
                        "mode": args.settings.transcriber.mode,
                        "app": APP,
                        "app.kubernetes.io/version": short(args.global_.transcriber.image.tag),
                        "app.kubernetes.io/managed-by": MANAGED_BY,
                        "speechmatics.io/component": "transcriber",
                    },
                ),
                spec=spec,
                opts=group_options(self, args.ready, scaled=scaled),
            )
            self.groups.append(group)
        self.register_outputs({"groups": self.groups})

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
                    "app.kubernetes.io/version": short(args.global_.transcriber.image.tag),
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
