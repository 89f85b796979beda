"""The vendor's sessiongroups-controller: it makes the pods of every SessionGroup (contract: control plane 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.speech.control_plane import ControlPlane, patience, with_more
from components.speech.control_plane_rights import Rule, cluster_role, may_everywhere
from components.speech.disruption import SAFE_TO_EVICT_LABEL, surge_first
from components.speech.pod import Json, container, env, env_flag, passed_on
from stacks.schema.session_groups_controller import ControllerSettings

NAME = "sessiongroups-controller"
"""Of Deployment, Service and container; a constant of the contract (control plane 3.1)."""

SELECTOR = {"control-plane": NAME}

API_PORT = 8025

RULES: tuple[Rule, ...] = (
    (
        "speechmatics.com",
        ("sessiongroups",),
        ("create", "delete", "get", "list", "patch", "update", "watch"),
    ),
    ("speechmatics.com", ("sessiongroups/finalizers",), ("update",)),
    ("speechmatics.com", ("sessiongroups/status",), ("get", "patch", "update")),
    ("", ("pods", "events"), ("create", "delete", "get", "list", "patch", "update", "watch")),
    ("", ("nodes",), ("list", "get", "watch", "patch", "update")),
    (
        "coordination.k8s.io",
        ("leases",),
        ("get", "list", "watch", "create", "update", "patch", "delete"),
    ),
)
"""What the controller may do (contract: control plane 8)."""


@dataclass(frozen=True)
class SessionGroupsControllerArgs:
    """What the controller needs."""

    common: ControlPlane
    settings: ControllerSettings
    repopulation: bool
    """Whether reconciliation fills an empty Redis, and asks the controller to pause for it."""
    crd: pulumi.Resource
    protect: bool


def variables(args: SessionGroupsControllerArgs) -> list[Json]:
    """The container's variables, in the contract's order."""
    defrag = args.settings.defrag
    return [
        *args.common.redis_env(),
        env("TRANSCRIBER_NAMESPACE", args.common.namespace_name),
        env_flag("SM_ENABLE_DEFRAG_SCALE_DOWN", defrag.scale_down_enabled),
        env("SM_DEFRAG_RATE_LIMIT_DURATION", defrag.rate_limit_duration),
        env("SM_DEFRAG_RATE_LIMIT_MAX_OCCURRENCES", str(defrag.rate_limit_max_occurences)),
        env("SM_DEFRAG_INTERVAL_DURATION", defrag.interval_duration),
        env("SM_DEFRAG_MIN_USAGE_DELTA", str(defrag.min_usage_delta)),
        env("SM_DEFRAG_MAX_SCALE_UP", str(defrag.max_scale_up)),
        env("SM_RECONCILE_MAX_PAUSE_DURATION", args.settings.controller.max_pause_duration),
    ]


def template(args: SessionGroupsControllerArgs, account: pulumi.Input[str]) -> Json:
    """The pod."""
    settings = args.settings
    controller = container(
        NAME,
        args.common.image_of(NAME, settings.image),
        args=["--leader-elect", *settings.controller.additional_args],
        variables=with_more(variables(args), settings.additional_env),
        startup_probe=passed_on(settings.startup_probe),
        liveness_probe=passed_on(settings.liveness_probe),
        readiness_probe=passed_on(settings.readiness_probe),
        resources=passed_on(settings.resources),
        mounts=args.common.redis.files.mounts,
        security_context={"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    )
    return args.common.pod(
        controller,
        account=account,
        labels=SELECTOR,
        annotations={"kubectl.kubernetes.io/default-container": NAME, **settings.controller.additional_annotations},
        security_context=settings.security_context,
    )


def service_ports(repopulation: bool) -> list[kubernetes.core.v1.ServicePortArgs]:
    """Reconciliation is told an address without a port, which is 80."""
    if not repopulation:
        return [kubernetes.core.v1.ServicePortArgs(port=API_PORT, target_port=API_PORT)]
    return [
        kubernetes.core.v1.ServicePortArgs(name=name, port=port, target_port=API_PORT)
        for name, port in (("api", API_PORT), ("http", 80))
    ]


class SessionGroupsController(pulumi.ComponentResource):
    """Deployment, Service, account, cluster role, and the budget that keeps session pods from being evicted."""

    ready: pulumi.Resource
    service_name: pulumi.Output[str]
    role: pulumi.Output[str]
    """Name of its cluster role."""

    def __init__(
        self, name: str, args: SessionGroupsControllerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sm-realtime:speech:SessionGroupsController", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        common, fullname = args.common, args.common.labels.fullname
        account_name, role_name = f"{fullname}-sessiongroups", f"{common.release}-{NAME}"
        part_of = {"speechmatics.io/component": fullname, "app.kubernetes.io/part-of": "sessiongroups"}
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata=common.metadata(account_name, part_of), opts=child
        )
        self.role = cluster_role(f"{name}-role", role_name, RULES, child)
        binding = may_everywhere(
            common, f"{name}-binding", binding=role_name, role=self.role, account=account_name, opts=child
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=common.metadata(f"{fullname}-safe-to-evict"),
            spec=kubernetes.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable="0%",
                selector=kubernetes.meta.v1.LabelSelectorArgs(match_labels={SAFE_TO_EVICT_LABEL: "false"}),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": 1,
            "selector": {"matchLabels": SELECTOR},
            "strategy": surge_first(),
            "template": template(args, once_made(account, account_name)),
        }
        timeouts = patience(args.settings.startup_probe.budget_seconds)
        self.ready = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=common.metadata(NAME, common.labels.without_app() | SELECTOR, common.labels.annotations()),
            spec=spec,
            # no value flows: it starts with Redis, the right to read groups and the kind itself
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*common.redis.ready, args.crd, binding], custom_timeouts=timeouts
            ),
        )
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=common.metadata(NAME, common.labels.without_app(), common.labels.annotations()),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="ClusterIP",
                ports=service_ports(args.repopulation),
                selector=SELECTOR,
            ),
            # no value flows: the Service is awaited until its pod is ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.ready], custom_timeouts=timeouts),
        )
        self.service_name = once_made(service, NAME)
        self.register_outputs({"serviceName": self.service_name})
