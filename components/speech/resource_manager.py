"""The resource manager: it gives every session its transcriber and inference server (contract: control plane 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.control_plane_credentials import CD_CACHE_MARK, CD_CACHE_URL
from components.outputs import once_made
from components.speech.control_plane import CONTAINER_PORT, ControlPlane, patience, with_more
from components.speech.control_plane_rights import may, user
from components.speech.disruption import surge_first
from components.speech.pod import Files, Json, container, env, env_flag, env_secret, passed_on, port
from stacks.schema.modes import Mode
from stacks.schema.resource_manager import ResourceManagerSettings

APP = "resource-manager"
"""Of the `app` label, the container and the image."""


PODS = (("pods", "", "pod-reader", "kube-access", ("get", "watch", "list")),)
SESSION_GROUPS = (
    ("sessiongroups", "speechmatics.com", "sessiongroups-reader", "sessiongroups-access", ("get", "list", "watch")),
)
"""What it may read: resource, its API group, names of Role and binding, verbs (contract: control plane 8)."""


@dataclass(frozen=True)
class ResourceManagerArgs:
    """What the resource manager needs."""

    common: ControlPlane
    settings: ResourceManagerSettings
    flow_use_local_transcriber: bool
    languages_map: pulumi.Input[str] | None
    """None in batch, which has no list of languages."""
    redis_secret: pulumi.Input[str]
    """Name of the Secret with the address of the cache of dictionaries."""
    cache_mark: pulumi.Input[str] | None
    """Tells that address from another, where the Secret is made here."""
    reads_groups: bool
    """Whether it may read session groups; where there is no controller there are none."""
    protect: bool


def variables(args: ResourceManagerArgs) -> list[Json]:
    """The container's variables, in the contract's order."""
    config = args.settings.config
    live = [env("SM_LEASE_DURATION", config.lease_duration), env_flag("SM_ENABLE_SET_SERVICE_IP", False)]
    return [
        env("SM_MODE", args.settings.mode.value),
        env("SM_RESOURCE_MANAGER_CONN_TIMEOUT_SECS", str(config.resource_manager_conn_timeout_secs)),
        env("SM_OVERLOADING_STRATEGY", config.overloading_strategy.value),
        env_flag("SM_USE_NODE_BIN_PACKING", config.use_node_bin_packing),
        env("SM_RESOURCE_SELECTION_STRATEGY", str(config.resource_selection_strategy)),
        *(live if args.settings.mode is Mode.REAL_TIME else []),
        env("TRANSCRIBER_NAMESPACE", args.common.namespace_name),
        env_flag("SM_FLOW_USE_LOCAL_TRANSCRIBER", args.flow_use_local_transcriber),
        env_flag(
            "SM_INFERENCE_CAPACITY_ON_TRANSCRIBER_REQUEST_ENABLED",
            config.inference_capacity_on_transcriber_request_enabled,
        ),
        *args.common.redis_env(),
        *dictionary_cache(args),
    ]


def dictionary_cache(args: ResourceManagerArgs) -> list[Json]:
    """The variables of the cache of custom dictionaries."""
    cache = args.settings.cd_cache
    if not cache.enabled:
        return []
    return [
        env("CD_CACHE_MAX_ENTRY_SIZE_BYTES", str(cache.max_entry_size_bytes)),
        env_secret("CD_CACHE_REDIS_CONN_URL", args.redis_secret, CD_CACHE_URL),
        env("CD_CACHE_REDIS_EXPIRY_SECOND", str(cache.expiry_second)),
        env("CD_CACHE_MAX_KEYS_PER_CONTRACT", str(cache.max_keys_per_contract)),
    ]


def own_files(languages_map: pulumi.Input[str] | None) -> Files:
    """The languages (contract: control plane 4.1); what Redis needs comes last (`RedisEndpoint`)."""
    if languages_map is None:
        return Files()
    return Files(
        ({"name": "configs", "configMap": {"name": languages_map}},),
        ({"name": "configs", "mountPath": "/etc/config", "readOnly": True},),
    )


def template(args: ResourceManagerArgs, account: pulumi.Input[str]) -> Json:
    """The pod."""
    common, settings, files = args.common, args.settings, own_files(args.languages_map)
    server = container(
        APP,
        common.image_of(APP, settings.image),
        variables=with_more(variables(args), settings.additional_env),
        ports=[port("http", CONTAINER_PORT)],
        startup_probe=passed_on(settings.startup_probe),
        liveness_probe=passed_on(settings.liveness_probe),
        readiness_probe=passed_on(settings.readiness_probe),
        resources=passed_on(settings.resources),
        mounts=[*files.mounts, *settings.additional_volume_mounts, *common.redis.files.mounts],
    )
    return common.pod(
        server,
        account=account,
        labels={**settings.additional_labels, **common.labels.selector(APP)},
        annotations={
            **settings.additional_annotations,
            **({} if args.cache_mark is None else {CD_CACHE_MARK: args.cache_mark}),
        },
        security_context=settings.security_context,
        volumes=[*files.volumes, *settings.additional_volumes],
    )


class ResourceManager(pulumi.ComponentResource):
    """Deployment, Service, account, RBAC, budget. Not here: metrics and reconciliation, services of their own."""

    service_name: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(self, name: str, args: ResourceManagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:ResourceManager", name, {}, opts)
        common, settings, fullname = args.common, args.settings, args.common.labels.fullname
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=common.metadata(fullname, common.labels.without_app()),
            opts=pulumi.ResourceOptions(parent=self),
        )
        rights: list[pulumi.Resource] = []
        for resource, group, role, binding, verbs in (*PODS, *(SESSION_GROUPS if args.reads_groups else ())):
            rights += may(
                common,
                (f"{name}-{resource}-role", f"{name}-{resource}-binding"),
                role=f"{fullname}-{role}",
                binding=f"{fullname}-{binding}",
                rules=[(group, (resource,), verbs)],
                subject=user(common.namespace_name, fullname),
                opts=pulumi.ResourceOptions(parent=self),
            )
        timeouts = patience(settings.startup_probe.budget_seconds, settings.replicas)
        self.ready = common.deployment(
            f"{name}-deployment",
            APP,
            object_name=fullname,
            replicas=settings.replicas,
            strategy=surge_first(),
            template=template(args, once_made(account, fullname)),
            # no value flows: it does not start without Redis, and reads pods and groups as soon as it does
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*common.redis.ready, *rights], custom_timeouts=timeouts
            ),
        )
        service = common.service(
            f"{name}-service",
            APP,
            object_name=fullname,
            port=settings.service.port,
            annotations=settings.annotations,
            # no value flows: the Service is awaited until its pods are ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.ready], custom_timeouts=timeouts),
        )
        if settings.pdb.enabled:
            self._budget(name, args)
        self.service_name = once_made(service, fullname)
        self.register_outputs({"serviceName": self.service_name})

    def _budget(self, name: str, args: ResourceManagerArgs) -> None:
        common = args.common
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=common.metadata(common.labels.fullname),
            spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
                min_available=args.settings.pdb.min_available,
                selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels=common.labels.selector(APP)),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
