"""The proxy: every session of a client passes through one of its pods (contract: proxy 2 to 5 and 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import session_pod, surge_first
from components.speech.naming import DEPLOYMENT_LABEL, ProxyLabels, image
from components.speech.pod import Json, container, env, env_config, env_flag, http_probe, pod_template, present
from components.speech.proxy_maps import AGENTS_PATH, FEATURES_KEY, compact, reads_files
from components.speech.shared_maps import RESOURCE_MANAGER_URL
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.proxy import ProxyDeployment, ProxyService, ProxySettings
from stacks.schema.workload import Amounts, Resources

PORT = 8080
"""Fixed: the probes carry it and no variable tells the program (contract: proxy 4)."""

REPOSITORY = "proxy-service"
"""The vendor's repository (contract: proxy 4)."""

OWN_VARIABLES = (
    "SM_CONFIGMAP_TO_LISTEN",
    "SM_FEATURES_VALIDATION",
    "SM_CLUSTER_NAME",
    "SM_ENVIRONMENT",
    "SM_TOKEN_STORE_URL",
    "SM_DEFAULT_SRV_RECORDS",
    "SM_PROXY_NAMESPACE",
    "ASR_REQUEST_BASE_PATH",
    "SM_COPY_ALL_HEADERS",
    "SM_AGENT_LOADING_ENABLED",
    "SM_AGENT_LOAD_FROM_DISK",
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
    config_map: pulumi.Input[str]
    features_map: pulumi.Input[str]
    agent_map: pulumi.Input[str] | None
    dns_map: pulumi.Input[str] | None
    release_map: pulumi.Input[str]
    resource_manager_url: str
    """Used when the release's map is not."""
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
    settings, service = args.settings, args.settings.proxy
    found = [
        {"name": "SM_CONFIGMAP_TO_LISTEN", "value": args.config_map},
        env_config("SM_FEATURES_VALIDATION", args.features_map, FEATURES_KEY),
        env("SM_CLUSTER_NAME", args.global_.cluster),
    ]
    if settings.env:
        found.append(env("SM_ENVIRONMENT", settings.env))
    if settings.resource_manager.config_map.enabled:
        found.append(env_config("SM_TOKEN_STORE_URL", args.release_map, RESOURCE_MANAGER_URL))
    else:
        found.append(env("SM_TOKEN_STORE_URL", settings.resource_manager.url or args.resource_manager_url))
    if service.dns.default_srv_records:
        records = [record.model_dump() for record in service.dns.default_srv_records]
        found.append(env("SM_DEFAULT_SRV_RECORDS", compact(records)))
    if args.namespace_name != "default":
        found.append(env("SM_PROXY_NAMESPACE", args.namespace_name))
    if service.asr_request_base_path:
        found.append(env("ASR_REQUEST_BASE_PATH", service.asr_request_base_path))
    if service.copy_all_headers:
        found.append(env("SM_COPY_ALL_HEADERS", "true"))
    found.append(env_flag("SM_AGENT_LOADING_ENABLED", settings.agent_api.enabled))
    if reads_files(settings.agent_api):
        found.append(env("SM_AGENT_LOAD_FROM_DISK", "true"))
    own = deployment.additional_env or service.additional_env
    return found + [env(each.name, each.value) for each in own]


def affinity(key: str, required: bool) -> Json:
    """Pods of one deployment apart: a node that goes takes as few sessions as can be."""
    term: Json = {
        "labelSelector": {"matchExpressions": [{"key": DEPLOYMENT_LABEL, "operator": "In", "values": [key]}]},
        "topologyKey": "kubernetes.io/hostname",
    }
    if required:
        return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def template(args: ProxyArgs, key: str, account: pulumi.Input[str]) -> Json:
    """The pod of one deployment."""
    deployment = args.settings.proxy.deployments[key]
    volumes: list[Json] = []
    mounts: list[Json] = []
    if args.dns_map is not None:
        volumes.append({"name": "dns-srv-volume", "configMap": {"name": args.dns_map, "defaultMode": 420}})
        mounts.append({"name": "dns-srv-volume", "mountPath": "/etc/dnssrv-config"})
    if args.agent_map is not None:
        volumes.append({"name": "agent-config", "configMap": {"name": args.agent_map}})
        mounts.append({"name": "agent-config", "mountPath": AGENTS_PATH})
    numbers = {
        "initialDelaySeconds": 10,
        "periodSeconds": 10,
        "timeoutSeconds": 15,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    proxy = container(
        REPOSITORY,
        image_of(args.settings, key, args.global_),
        image_pull_policy="IfNotPresent",
        variables=variables(args, deployment),
        ports=[{"containerPort": PORT, "protocol": "TCP"}],
        liveness_probe=http_probe("/live", PORT, **numbers),
        readiness_probe=http_probe("/ready", PORT, **numbers),
        resources=resources_of(args.settings.proxy.resources, deployment.resources),
        mounts=mounts,
    )
    disruption = session_pod(args.session_seconds)
    return pod_template(
        placement=args.placement,
        labels=args.labels.selector(key),
        annotations=disruption.annotations,
        containers=[proxy],
        service_account=account,
        pull_secrets=tuple(secret.name for secret in args.global_.image_pull_secrets),
        volumes=volumes,
        grace_seconds=disruption.grace_seconds,
        affinity=affinity(key, args.settings.required_during_scheduling_strategy),
        restart_policy="Always",
        dns_policy="ClusterFirst",
    )


class Proxy(pulumi.ComponentResource):
    """Deployments, the Service that switches between them, account, Role and budgets. Not here: maps and Ingress."""

    service_name: pulumi.Output[str]
    service: pulumi.Resource

    def __init__(self, name: str, args: ProxyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:Proxy", name, {}, opts)
        self._name, self._args = name, args
        fullname, labels = args.labels.fullname, args.labels
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=self._metadata(fullname), opts=pulumi.ResourceOptions(parent=self)
        )
        may_read = self._may_read_maps(account)
        service, active = args.settings.proxy, active_key(args.settings.proxy)
        deployments = []
        for key in sorted(service.deployments):
            # the active one's: an inactive one can be taken out of the configuration once its sessions are over
            budget = self._budget(key, protect=args.protect and key == active)
            deployments.append(self._deployment(key, once_made(account, fullname), [may_read, budget]))
        self.service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=self._metadata(fullname, labels.common()),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                ports=[kubernetes.core.v1.ServicePortArgs(port=PORT, target_port=PORT)],
                selector=labels.selector(active),
            ),
            # no value flows: new sessions go to a deployment only when its pods are ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=deployments),
        )
        self.service_name = once_made(self.service, fullname)
        self.register_outputs({"serviceName": self.service_name})

    def _metadata(
        self, object_name: str, labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None
    ) -> kubernetes.meta.v1.ObjectMetaArgs:
        return kubernetes.meta.v1.ObjectMetaArgs(
            name=object_name, namespace=self._args.namespace, labels=labels, annotations=annotations
        )

    def _may_read_maps(self, account: pulumi.CustomResource) -> pulumi.Resource:
        """The right to watch ConfigMaps: the proxy takes its configuration over without a restart."""
        rbac, fullname = kubernetes.rbac.v1, self._args.labels.fullname
        child = pulumi.ResourceOptions(parent=self)
        role = rbac.Role(
            f"{self._name}-maps-role",
            metadata=self._metadata(f"{fullname}-cm-reader"),
            rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=["configmaps"], verbs=["get", "list", "watch"])],
            opts=child,
        )
        return rbac.RoleBinding(
            f"{self._name}-maps-binding",
            metadata=self._metadata(f"{fullname}-cm-access"),
            role_ref=rbac.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="Role", name=once_made(role, f"{fullname}-cm-reader")
            ),
            subjects=[
                rbac.SubjectArgs(
                    kind="ServiceAccount", name=once_made(account, fullname), namespace=self._args.namespace
                )
            ],
            opts=child,
        )

    def _budget(self, key: str, *, protect: bool) -> pulumi.Resource:
        """No pod is ever evicted: one holds sessions, or nobody knows that it does not."""
        return kubernetes.policy.v1.PodDisruptionBudget(
            f"{self._name}-{key}-budget",
            metadata=self._metadata(f"{self._args.labels.fullname}-{key}"),
            spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=0,
                selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=self._args.labels.selector(key)),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )

    def _deployment(
        self, key: str, account: pulumi.Input[str], after: list[pulumi.Resource]
    ) -> kubernetes.apps.v1.Deployment:
        args, labels = self._args, self._args.labels
        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": args.settings.replicas,
            "selector": {"matchLabels": labels.selector(key)},
            "strategy": surge_first(),
            "template": template(args, key, account),
        }
        tag = tag_of(args.settings.proxy, key, args.global_.proxy.image.tag)
        return kubernetes.apps.v1.Deployment(
            f"{self._name}-{key}",
            metadata=self._metadata(
                f"{labels.fullname}-{key}", labels.versioned(tag), {"speechmatics.io/component": labels.fullname}
            ),
            spec=spec,
            # no value flows: it reads its map as soon as it starts, and is kept from eviction from then on
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
