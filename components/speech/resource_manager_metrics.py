"""The metrics of sessions for Prometheus, and the account shared with reconciliation (contract: control plane 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.placement import POOL_LABEL
from components.speech.control_plane import CONTAINER_PORT, ControlPlane, patience, with_more
from components.speech.control_plane_rights import Rule, cluster_role, may, may_everywhere
from components.speech.disruption import surge_first
from components.speech.pod import Json, container, env, env_flag, passed_on, port
from stacks.schema.pools import Role
from stacks.schema.resource_manager_metrics import MetricsSettings

APP = "metrics"
"""Of the `app` label and the container."""

REPOSITORY = "resource-manager-metrics"

RULES: tuple[Rule, ...] = (
    ("", ("pods",), ("get", "watch", "list")),
    ("apps", ("deployments",), ("get", "watch", "list")),
    ("", ("pods/status",), ("update",)),
)
"""What the shared account may do in the namespace (contract: control plane 8)."""

CADVISOR: tuple[Rule, ...] = (
    ("", ("nodes", "nodes/proxy"), ("get", "list")),
    ("", ("nodes/metrics", "nodes/stats"), ("get",)),
)
"""What the worker monitor reads of the kubelets (contract: control plane 8)."""


@dataclass(frozen=True)
class ResourceManagerMetricsArgs:
    """What the metrics service needs."""

    common: ControlPlane
    settings: MetricsSettings
    service_annotations: dict[str, str]
    transcribers: str
    """Base name of the transcribers' groups."""
    transcriber_container: str
    """Name of the container in their pods that transcribes."""


def worker_monitor(args: ResourceManagerMetricsArgs) -> list[Json]:
    """The worker monitor's variables; the pods and nodes it watches are those there are."""
    monitor = args.settings.worker_monitor
    if not monitor.enabled:
        return [env_flag("SM_WORKER_MONITOR_ENABLED", False)]
    thresholds = (
        f"container_cpu_usage_millicores:{monitor.cpu_factor:.2f},"
        f"container_memory_usage_megabytes:{monitor.memory_factor:.2f}"
    )
    nodes = monitor.node_selector or f"{POOL_LABEL}={Role.TRANSCRIBERS.value}"
    return [
        env_flag("SM_WORKER_MONITOR_ENABLED", True),
        env("SM_WORKER_MONITOR_METRICS_THRESHOLDS", thresholds),
        env("SM_WORKER_MONITOR_CONTAINER_NAME", monitor.container_name or args.transcriber_container),
        env("SM_WORKER_MONITOR_POD_NAME_PREFIX", monitor.pod_name_prefix or f"{args.transcribers}-"),
        env("SM_WORKER_MONITOR_NODE_LABEL_SELECTOR", nodes),
        env("SM_WORKER_MONITOR_CONDITION_METRICS", monitor.condition_metrics),
    ]


def template(args: ResourceManagerMetricsArgs, account: pulumi.Input[str]) -> Json:
    """The pod."""
    common, settings = args.common, args.settings
    server = container(
        APP,
        common.image_of(REPOSITORY, settings.image),
        variables=with_more([*worker_monitor(args), *common.redis_env()], settings.additional_env),
        ports=[port("http", CONTAINER_PORT)],
        resources=passed_on(settings.resources),
        mounts=common.redis.files.mounts,
    )
    return common.pod(
        server,
        account=account,
        labels={**settings.additional_labels, **common.labels.selector(APP)},
        annotations=settings.additional_annotations,
        security_context=settings.security_context,
    )


class ResourceManagerMetrics(pulumi.ComponentResource):
    """Account and Role, needed by reconciliation too; Deployment and Service when metrics are on."""

    account: pulumi.Output[str]
    """Name of the shared account."""
    rights: list[pulumi.Resource]

    def __init__(self, name: str, args: ResourceManagerMetricsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:ResourceManagerMetrics", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        common, fullname = args.common, args.common.labels.fullname
        account_name = f"{fullname}-metrics"
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=common.metadata(account_name, common.labels.without_app()), opts=child
        )
        self.account = once_made(account, account_name)
        self.rights = may(
            common,
            (f"{name}-role", f"{name}-binding"),
            role=f"{fullname}-list-workloads",
            binding=f"{fullname}-metrics-permissions",
            rules=RULES,
            subject=kubernetes.rbac.v1.SubjectArgs(kind="ServiceAccount", name=self.account),
            opts=child,
        )
        if args.settings.enabled:
            self._serve(name, args, account_name)
        self.register_outputs({"account": self.account})

    def _serve(self, name: str, args: ResourceManagerMetricsArgs, object_name: str) -> None:
        """Deployment and Service, and the right to read the kubelets where the worker monitor is on."""
        common, settings = args.common, args.settings
        needs = [*common.redis.ready, *self.rights]
        if settings.worker_monitor.enabled:
            needs.append(self._cadvisor(name, common))
        timeouts = patience(replicas=settings.replicas)
        deployment = common.deployment(
            f"{name}-deployment",
            APP,
            object_name=object_name,
            replicas=settings.replicas,
            strategy=surge_first(),
            template=template(args, self.account),
            # no value flows: it does not start without Redis, and reads pods as soon as it does
            opts=pulumi.ResourceOptions(parent=self, depends_on=needs, custom_timeouts=timeouts),
        )
        common.service(
            f"{name}-service",
            APP,
            object_name=object_name,
            port=settings.service.port,
            annotations=args.service_annotations,
            # no value flows: the Service is awaited until its pods are ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment], custom_timeouts=timeouts),
        )

    def _cadvisor(self, name: str, common: ControlPlane) -> pulumi.Resource:
        fullname, child = common.labels.fullname, pulumi.ResourceOptions(parent=self)
        role = cluster_role(f"{name}-cadvisor-role", f"{fullname}-access-cadvisor", CADVISOR, child)
        return may_everywhere(
            common,
            f"{name}-cadvisor-binding",
            binding=f"{fullname}-metrics-cadvisor-access",
            role=role,
            account=self.account,
            opts=child,
        )
