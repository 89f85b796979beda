"""Reconciliation: it gives capacity back when a pod was killed with its sessions (contract: control plane 4.3)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi

from components.cluster.control_plane_credentials import DATABASE_MARK, DATABASE_URL
from components.outputs import once_made
from components.placement import POOL_LABEL
from components.speech.control_plane import CONTAINER_PORT, ControlPlane, patience, with_more
from components.speech.control_plane_rights import may_everywhere
from components.speech.disruption import one_at_most
from components.speech.pod import Json, container, env, env_config, env_flag, env_secret, passed_on, port
from components.speech.session_groups_controller import NAME as CONTROLLER
from components.speech.shared_maps import CLUSTER_NAME, POD_SELECTORS
from stacks.schema.pools import Role
from stacks.schema.resource_manager_reconciliation import ReconciliationSettings

APP = "reconciliation"
"""Of the `app` label and the container."""

REPOSITORY = "resource-manager-reconciliation"


@dataclass(frozen=True)
class ResourceManagerReconciliationArgs:
    """What reconciliation needs."""

    common: ControlPlane
    settings: ReconciliationSettings
    release_map: pulumi.Input[str]
    """Name of the map with `pod_selector_list`."""
    account: pulumi.Input[str]
    """Name of the account it shares with the metrics."""
    rights: tuple[pulumi.Resource, ...]
    database_secret: pulumi.Input[str]
    """Name of the Secret with the address of the database."""
    database_mark: pulumi.Input[str] | None
    """Tells that address from another, where the Secret is made here."""
    controller_role: pulumi.Input[str] | None
    """Name of the sessiongroups-controller's cluster role, which the node monitor borrows; None without controller."""


def node_monitor(settings: ReconciliationSettings) -> list[Json]:
    """The node monitor's variables; the nodes it watches are those that hold sessions."""
    monitor = settings.node_monitor
    if not monitor.enabled:
        return [env_flag("SM_NODE_MONITOR_ENABLED", False)]
    labels = monitor.filter_labels or tuple(
        f"{POOL_LABEL}={role.value}" for role in (Role.INFERENCE, Role.TRANSCRIBERS)
    )
    return [
        env_flag("SM_NODE_MONITOR_ENABLED", True),
        env("SM_NODE_MONITOR_CPU_THRESHOLD", str(monitor.cpu_threshold)),
        env("SM_NODE_MONITOR_CONDITION_DURATION", monitor.condition_duration),
        env("SM_NODE_MONITOR_NODE_LABELS", json.dumps(labels, separators=(",", ":"))),
    ]


def repopulation(args: ResourceManagerReconciliationArgs) -> list[Json]:
    """The variables of filling an empty Redis from the database."""
    wanted = args.settings.repopulation
    if not wanted.enabled:
        return [env_flag("REPOPULATION_ENABLED", False)]
    return [
        env_flag("REPOPULATION_ENABLED", True),
        env_secret("SM_DB_CONN_STRING", args.database_secret, DATABASE_URL),
        env("SG_CONTROLLER_ADDRESS", f"http://{CONTROLLER}"),
        env("SG_CONTROLLER_PAUSE_DURATION", wanted.pause_duration),
    ]


def variables(args: ResourceManagerReconciliationArgs) -> list[Json]:
    """The container's variables, in the contract's order."""
    settings, selectors = args.settings, "SM_POD_SELECTOR_LIST"
    from_map = settings.pod_selector_config_map.enabled
    return [
        env("SM_K8S_NAMESPACE", args.common.namespace_name),
        *args.common.redis_env(),
        env_flag("SM_RECONCILIATION_DRY_RUN_ONLY", settings.dry_run),
        env_config(selectors, settings.pod_selector_config_map.name or args.release_map, POD_SELECTORS)
        if from_map
        else env(selectors, ",".join(settings.pod_selector_list)),
        env("SM_TOKEN_STORE_RECONCILIATION_INTERVAL", f"{settings.reconciliation_interval}s"),
        env_config("SM_CLUSTER_NAME", args.common.config_map, CLUSTER_NAME),
        *repopulation(args),
        *node_monitor(settings),
    ]


def template(args: ResourceManagerReconciliationArgs) -> Json:
    """The pod."""
    common, settings = args.common, args.settings
    process = container(
        APP,
        common.image_of(REPOSITORY, settings.image),
        variables=with_more(variables(args), settings.additional_env),
        ports=[port("http", CONTAINER_PORT)],
        resources=passed_on(settings.resources),
        mounts=common.redis.files.mounts,
    )
    return common.pod(
        process,
        account=args.account,
        labels={**settings.additional_labels, **common.labels.selector(APP)},
        annotations={
            **settings.additional_annotations,
            **({} if args.database_mark is None else {DATABASE_MARK: args.database_mark}),
        },
        security_context=settings.security_context,
    )


class ResourceManagerReconciliation(pulumi.ComponentResource):
    """Deployment of exactly one pod. Not here: its account and Role, which it shares with the metrics."""

    deployment_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: ResourceManagerReconciliationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sm-realtime:speech:ResourceManagerReconciliation", name, {}, opts)
        common = args.common
        needs = [*common.redis.ready, *args.rights]
        if args.settings.node_monitor.enabled and args.controller_role is not None:
            binding = may_everywhere(
                common,
                f"{name}-nodes-binding",
                binding=f"{common.release}-reconciliation-node-monitor",
                role=args.controller_role,
                account=args.account,
                opts=pulumi.ResourceOptions(parent=self),
            )
            needs.append(binding)
        object_name = f"{common.labels.fullname}-reconciliation"
        deployment = common.deployment(
            f"{name}-deployment",
            APP,
            object_name=object_name,
            replicas=1,
            strategy=one_at_most(),
            template=template(args),
            # no value flows: it does not start without Redis, and reads pods as soon as it does
            opts=pulumi.ResourceOptions(parent=self, depends_on=needs, custom_timeouts=patience()),
        )
        self.deployment_name = once_made(deployment, object_name)
        self.register_outputs({"deploymentName": self.deployment_name})
