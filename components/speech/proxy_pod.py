"""The pod of one side of the proxy, from settings alone (contract: proxy 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.placement import Placement
from components.speech.disruption import session_pod
from components.speech.naming import DEPLOYMENT_LABEL, ProxyLabels, image
from components.speech.pod import (
    Files,
    Json,
    container,
    env,
    env_config,
    env_flag,
    env_secret,
    http_probe,
    pod_template,
    present,
)
from components.speech.proxy_maps import compact
from components.speech.shared_maps import RESOURCE_MANAGER_URL
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.proxy import ProxySettings
from stacks.schema.proxy_pods import ProxyDeployment, ProxyService
from stacks.schema.workload import Amounts, Resources

PORT = 8080
"""Fixed: the probes carry it and no variable tells the program (contract: proxy 4)."""

REPOSITORY = "proxy-service"
"""The vendor's repository (contract: proxy 4)."""

OWN_VARIABLES = (
    "SM_CONFIGMAP_TO_LISTEN",
    "SM_KAFKA_EVENTHUB_ENDPOINT",
    "SM_KAFKA_EVENTHUB_CONNECTION_STRING",
    "AZ_STORAGE_ACCOUNT",
    "AZ_STORAGE_KEY",
    "SM_FEATURES_VALIDATION",
    "SM_CLUSTER_NAME",
    "SM_ENVIRONMENT",
    "SM_TOKEN_STORE_URL",
    "REDIS_USE_EXTERNAL",
    "REDIS_CONN_STRING",
    "SM_DEFAULT_SRV_RECORDS",
    "SM_PROXY_NAMESPACE",
    "ASR_REQUEST_BASE_PATH",
    "SM_COPY_ALL_HEADERS",
    "SM_AGENT_LOADING_ENABLED",
    "SM_AGENT_LOAD_FROM_DISK",
    "SM_AGENT_API_URL",
    "SM_AGENT_API_SECRET",
    "LIVEKIT_URL",
    "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET",
)
"""Every variable set below, each once at most."""


@dataclass(frozen=True)
class ProxyArgs:
    """What the proxy needs."""

    namespace: pulumi.Output[str]
    namespace_name: str
    settings: ProxySettings
    global_: GlobalSettings
    labels: ProxyLabels
    config_map: pulumi.Input[str] | None
    agent_map: pulumi.Input[str] | None
    dns_map: pulumi.Input[str] | None
    dict_map: pulumi.Input[str] | None
    features_map: pulumi.Input[str]
    release_map: pulumi.Input[str]
    resource_manager_url: str
    """Used when no map has it."""
    secrets: dict[str, pulumi.Input[str]]
    """Names of the Secrets it reads, by what they are for; usable once those that are made here exist."""
    cache: pulumi.Input[str] | None
    """Address of the cache in the cluster; None: there is none, or its Redis is outside."""
    placement: Placement
    session_seconds: int
    protect: bool


def active_key(service: ProxyService) -> str:
    """The deployment that gets new sessions; the configuration has exactly one."""
    return next(key for key in sorted(service.deployments) if service.deployments[key].active)


def tag_of(service: ProxyService, key: str, common: str) -> str:
    """Image tag of one deployment: its own, that of all deployments, the one of `global.proxy.image`."""
    return service.deployments[key].image.tag or service.image.tag or common


def image_of(settings: ProxySettings, key: str, global_: GlobalSettings) -> str:
    """Full image name of one deployment."""
    own, all_ = settings.proxy.deployments[key].image, settings.proxy.image
    return image(
        own.registry or all_.registry or global_.proxy.image.registry,
        own.repository or all_.repository or REPOSITORY,
        tag_of(settings.proxy, key, global_.proxy.image.tag),
    )


def registries(settings: ProxySettings, global_: GlobalSettings) -> tuple[str, ...]:
    """Every registry a proxy image comes from."""
    return tuple(
        each.image.registry or settings.proxy.image.registry or global_.proxy.image.registry
        for each in settings.proxy.deployments.values()
    )


def _laid_over(common: Amounts, own: Amounts) -> Json:
    return common.model_dump(exclude_none=True) | own.model_dump(exclude_none=True)


def resources_of(common: Resources, own: Resources) -> Json:
    """A deployment's resources, laid over those of all deployments."""
    return present(
        {"requests": _laid_over(common.requests, own.requests), "limits": _laid_over(common.limits, own.limits)}
    )


def variables(args: ProxyArgs, deployment: ProxyDeployment) -> list[Json]:
    """The container's variables, in the contract's order."""
    settings, service, secrets = args.settings, args.settings.proxy, args.secrets
    found: list[Json] = []
    if args.config_map is not None:
        found.append({"name": "SM_CONFIGMAP_TO_LISTEN", "value": args.config_map})
    if "events" in secrets:
        found.append(env_secret("SM_KAFKA_EVENTHUB_ENDPOINT", secrets["events"], "endpoint"))
        found.append(env_secret("SM_KAFKA_EVENTHUB_CONNECTION_STRING", secrets["events"], "conn-string"))
    if "storage" in secrets:
        found.append(env_secret("AZ_STORAGE_ACCOUNT", secrets["storage"], "storageaccountname"))
        found.append(env_secret("AZ_STORAGE_KEY", secrets["storage"], "storageaccountkey"))
    found.append(env_config("SM_FEATURES_VALIDATION", args.features_map, settings.discovery_api.key))
    found.append(env("SM_CLUSTER_NAME", args.global_.cluster))
    if settings.env:
        found.append(env("SM_ENVIRONMENT", settings.env))
    if settings.resource_manager.config_map.enabled:
        found.append(env_config("SM_TOKEN_STORE_URL", args.release_map, RESOURCE_MANAGER_URL))
    else:
        found.append(env("SM_TOKEN_STORE_URL", settings.resource_manager.url or args.resource_manager_url))
    found += _cache(args)
    if service.dns.default_srv_records:
        records = [record.model_dump() for record in service.dns.default_srv_records]
        found.append(env("SM_DEFAULT_SRV_RECORDS", compact(records)))
    # the chart leaves it out in the namespace `default`, which the configuration refuses
    found.append(env("SM_PROXY_NAMESPACE", args.namespace_name))
    if service.asr_request_base_path:
        found.append(env("ASR_REQUEST_BASE_PATH", service.asr_request_base_path))
    if service.copy_all_headers:
        found.append(env("SM_COPY_ALL_HEADERS", "true"))
    return [*found, *_flow(args), *(deployment.additional_env or service.additional_env)]


def _cache(args: ProxyArgs) -> list[Json]:
    if not args.settings.proxy_cache.enabled:
        return []
    external = env_flag("REDIS_USE_EXTERNAL", args.settings.proxy_cache.redis.external)
    if args.cache is None:
        return [external, env_secret("REDIS_CONN_STRING", args.secrets["redis"], "conn_string")]
    return [external, {"name": "REDIS_CONN_STRING", "value": args.cache}]


def _flow(args: ProxyArgs) -> list[Json]:
    agents, secrets = args.settings.agent_api, args.secrets
    found = [env_flag("SM_AGENT_LOADING_ENABLED", agents.enabled)]
    if agents.from_files:
        found.append(env("SM_AGENT_LOAD_FROM_DISK", "true"))
    elif agents.from_remote:
        found.append(env("SM_AGENT_API_URL", agents.remote_url or ""))
        found.append(env_secret("SM_AGENT_API_SECRET", secrets["agent-api"], "flow-mp-api-internal-password"))
    if "livekit" in secrets:
        found.append(env_secret("LIVEKIT_URL", secrets["livekit"], "livekit-url"))
        found.append(env_secret("LIVEKIT_API_KEY", secrets["livekit"], "livekit-api-key"))
        found.append(env_secret("LIVEKIT_API_SECRET", secrets["livekit"], "livekit-api-secret"))
    return found


def affinity(settings: ProxySettings, key: str) -> Json:
    """Pods of one deployment apart: a node that goes takes as few sessions as can be."""
    term: Json = {
        "labelSelector": {"matchExpressions": [{"key": DEPLOYMENT_LABEL, "operator": "In", "values": [key]}]},
        "topologyKey": "kubernetes.io/hostname",
    }
    if settings.required_during_scheduling_strategy:
        apart: Json = {"requiredDuringSchedulingIgnoredDuringExecution": [term, *settings.pod_anti_affinity]}
    else:
        preferred = {"weight": 100, "podAffinityTerm": term}
        apart = {"preferredDuringSchedulingIgnoredDuringExecution": [preferred, *settings.pod_anti_affinity]}
    return {"podAntiAffinity": apart}


AGENTS = "agent-config"
"""The volume with the agents, which is mounted where the configuration says."""


def own_files(
    settings: ProxySettings,
    dns: pulumi.Input[str] | None,
    agents: pulumi.Input[str] | None,
    words: pulumi.Input[str] | None,
) -> Files:
    """Maps that are mounted, in the contract's order; each with its name, None where there is no such map."""

    def mounted(name: str, config_map: pulumi.Input[str] | None, path: str, **more: int) -> Files:
        if config_map is None:
            return Files()
        source = {"name": config_map, **more}
        return Files(({"name": name, "configMap": source},), ({"name": name, "mountPath": path},))

    return (
        mounted("dns-srv-volume", dns, "/etc/dnssrv-config", defaultMode=420)
        + mounted(AGENTS, agents, settings.agent_api.local_path)
        + mounted("custom-dict", words, "/etc/config", defaultMode=420)
    )


PROBE = {
    "initialDelaySeconds": 10,
    "periodSeconds": 10,
    "timeoutSeconds": 15,
    "successThreshold": 1,
    "failureThreshold": 3,
}
"""The chart's numbers (contract: proxy 4)."""


def pull_secrets(settings: ProxySettings, global_: GlobalSettings) -> tuple[str, ...]:
    """The image pull secrets: its own, or everybody's."""
    return tuple(secret.name for secret in settings.image_pull_secrets or global_.image_pull_secrets)


def template(args: ProxyArgs, key: str, account: pulumi.Input[str]) -> Json:
    """The pod of one deployment."""
    settings, service = args.settings, args.settings.proxy
    deployment = service.deployments[key]
    files = own_files(settings, args.dns_map, args.agent_map, args.dict_map)
    proxy = container(
        REPOSITORY,
        image_of(settings, key, args.global_),
        image_pull_policy=service.image_pull_policy.value,
        args=service.custom_args,
        variables=variables(args, deployment),
        ports=[{"containerPort": PORT, "protocol": "TCP"}],
        liveness_probe=service.liveness_probe or http_probe("/live", PORT, **PROBE),
        readiness_probe=service.readiness_probe or http_probe("/ready", PORT, **PROBE),
        resources=resources_of(service.resources, deployment.resources),
        mounts=[*files.mounts, *service.additional_volume_mounts, *deployment.additional_volume_mounts],
        security_context=settings.security_context,
    )
    disruption = session_pod(args.session_seconds, settings.termination_grace_period_seconds)
    pod = pod_template(
        placement=args.placement,
        labels=args.labels.selector(key),
        annotations=settings.pod_annotations | disruption.annotations,
        containers=[proxy],
        service_account=account,
        pull_secrets=pull_secrets(settings, args.global_),
        volumes=[*files.volumes, *settings.additional_volumes, *deployment.additional_volumes],
        security_context=settings.security_context,
        grace_seconds=disruption.grace_seconds,
        affinity=affinity(settings, key),
        restart_policy=settings.restart_policy,
        dns_policy=settings.dns_policy,
    )
    pod["spec"] |= present({"priorityClassName": settings.priority_class_name})
    return pod
