"""The vendor's sessiongroups-controller: it makes the pods of every SessionGroup (contract: control plane 4.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import SAFE_TO_EVICT_LABEL, STATELESS, surge_first
from components.speech.naming import ControlPlaneLabels, image
from components.speech.pod import Json, container, env, env_flag, http_probe, pod_template
from components.speech.resource_manager import redis_env, startup_probe
from stacks.schema.global_settings import ResourceManagerImage
from stacks.schema.resource_manager import ControllerSettings

NAME = "sessiongroups-controller"
"""Of Deployment, Service and container; a constant of the contract (control plane 3.1)."""

SELECTOR = {"control-plane": NAME}

HEALTH_PORT = 8081
"""Used by the probes, declared by no container."""

API_PORT = 8025

RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
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
"""What the controller may do: API group, resources, verbs (contract: control plane 8)."""


@dataclass(frozen=True)
class SessionGroupsControllerArgs:
    """What the controller needs."""

    namespace: pulumi.Output[str]
    namespace_name: str
    release: str
    settings: ControllerSettings
    image: ResourceManagerImage
    labels: ControlPlaneLabels
    pull_secrets: tuple[str, ...]
    config_map: pulumi.Input[str]
    redis: pulumi.Resource
    crd: pulumi.Resource
    placement: Placement
    protect: bool


def template(args: SessionGroupsControllerArgs, account: pulumi.Input[str]) -> Json:
    """The pod."""
    controller = container(
        NAME,
        image(args.image.registry, NAME, args.image.tag),
        args=["--leader-elect"],
        variables=[
            *redis_env(args.config_map),
            env("TRANSCRIBER_NAMESPACE", args.namespace_name),
            env_flag("SM_ENABLE_DEFRAG_SCALE_DOWN", False),
            env("SM_DEFRAG_RATE_LIMIT_DURATION", "60s"),
            env("SM_DEFRAG_RATE_LIMIT_MAX_OCCURRENCES", "1"),
            env("SM_DEFRAG_INTERVAL_DURATION", "30s"),
            env("SM_DEFRAG_MIN_USAGE_DELTA", "25"),
            env("SM_DEFRAG_MAX_SCALE_UP", "1"),
            env("SM_RECONCILE_MAX_PAUSE_DURATION", "2m"),
        ],
        startup_probe=startup_probe(args.settings.startup_probe),
        liveness_probe=http_probe("/healthz", HEALTH_PORT, initialDelaySeconds=15, periodSeconds=20, timeoutSeconds=10),
        readiness_probe=http_probe("/readyz", HEALTH_PORT, initialDelaySeconds=5, periodSeconds=10, timeoutSeconds=10),
        resources={
            "limits": {"cpu": "500m", "memory": "128Mi"},
            "requests": {"cpu": "10m", "memory": "64Mi"},
        },
        security_context={"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    )
    return pod_template(
        placement=args.placement,
        labels=SELECTOR,
        annotations={"kubectl.kubernetes.io/default-container": NAME, **STATELESS.annotations},
        containers=[controller],
        service_account=account,
        pull_secrets=args.pull_secrets,
        security_context={"runAsNonRoot": False},
        grace_seconds=STATELESS.grace_seconds,
    )


class SessionGroupsController(pulumi.ComponentResource):
    """Deployment, Service, account, cluster role, and the budget that keeps session pods from being evicted."""

    ready: pulumi.Resource
    service_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: SessionGroupsControllerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sm-realtime:speech:SessionGroupsController", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        fullname = args.labels.fullname
        meta = kubernetes.meta.v1.ObjectMetaArgs
        account_name = f"{fullname}-sessiongroups"
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=meta(
                name=account_name,
                namespace=args.namespace,
                labels={"speechmatics.io/component": fullname, "app.kubernetes.io/part-of": "sessiongroups"},
            ),
            opts=child,
        )
        binding = self._cluster_role(name, f"{args.release}-{NAME}", account_name, args.namespace)
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=meta(name=f"{fullname}-safe-to-evict", namespace=args.namespace),
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
        self.ready = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=meta(
                name=NAME,
                namespace=args.namespace,
                labels=args.labels.without_app() | SELECTOR,
                annotations=args.labels.annotations(),
            ),
            spec=spec,
            # no value flows: it starts with Redis, the right to read groups and the kind itself
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.redis, args.crd, binding]),
        )
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=meta(
                name=NAME,
                namespace=args.namespace,
                labels=args.labels.without_app(),
                annotations=args.labels.annotations(),
            ),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="ClusterIP",
                ports=[kubernetes.core.v1.ServicePortArgs(port=API_PORT, target_port=API_PORT)],
                selector=SELECTOR,
            ),
            # no value flows: the Service is awaited until its pod is ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.ready]),
        )
        self.service_name = once_made(service, NAME)
        self.register_outputs({"serviceName": self.service_name})

    def _cluster_role(self, name: str, role_name: str, account: str, namespace: pulumi.Output[str]) -> pulumi.Resource:
        rbac = kubernetes.rbac.v1
        child = pulumi.ResourceOptions(parent=self)
        role = rbac.ClusterRole(
            f"{name}-role",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=role_name),
            rules=[
                rbac.PolicyRuleArgs(api_groups=[group], resources=list(kinds), verbs=list(verbs))
                for group, kinds, verbs in RULES
            ],
            opts=child,
        )
        return rbac.ClusterRoleBinding(
            f"{name}-binding",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=role_name),
            role_ref=rbac.RoleRefArgs(
                api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=once_made(role, role_name)
            ),
            subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=account, namespace=namespace)],
            opts=child,
        )
