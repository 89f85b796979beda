"""The resource manager: it gives every session its transcriber and inference server (contract: control plane 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import STATELESS, surge_first
from components.speech.naming import ControlPlaneLabels, image
from components.speech.pod import (
    Json,
    container,
    env,
    env_config,
    env_flag,
    http_probe,
    pod_template,
    port,
    requests,
)
from components.speech.shared_maps import REDIS_URL
from stacks.schema.global_settings import ResourceManagerImage
from stacks.schema.resource_manager import ResourceManagerSettings, StartupProbe

CONTAINER_PORT = 8080
"""Fixed: probes carry it and no variable tells the program (contract: control plane 11.2)."""

SECURITY: Json = {"runAsUser": 10000, "runAsGroup": 10000, "fsGroup": 20000}
"""The vendor's pod context (contract: control plane 3.5)."""


def redis_env(config_map: pulumi.Input[str]) -> list[Json]:
    """The Redis block of all control-plane services, mode A (contract: control plane 4.0)."""
    return [
        env_config("REDIS_CONN_URL", config_map, REDIS_URL),
        env_flag("REDIS_FAIL_OVER_CLIENT_ENABLED", False),
    ]


def startup_probe(settings: StartupProbe) -> Json:
    """The configured probe, passed on whole."""
    return http_probe(
        settings.http_get.path,
        settings.http_get.port,
        periodSeconds=settings.period_seconds,
        failureThreshold=settings.failure_threshold,
    )


@dataclass(frozen=True)
class ResourceManagerArgs:
    """What the resource manager needs."""

    namespace: pulumi.Output[str]
    namespace_name: str
    settings: ResourceManagerSettings
    image: ResourceManagerImage
    labels: ControlPlaneLabels
    pull_secrets: tuple[str, ...]
    flow_use_local_transcriber: bool
    config_map: pulumi.Input[str]
    languages_map: pulumi.Input[str]
    redis: pulumi.Resource
    placement: Placement


def variables(args: ResourceManagerArgs) -> list[Json]:
    """The container's variables, in the contract's order."""
    config = args.settings.config
    return [
        env("SM_MODE", "rt"),
        env("SM_RESOURCE_MANAGER_CONN_TIMEOUT_SECS", str(config.resource_manager_conn_timeout_secs)),
        env("SM_OVERLOADING_STRATEGY", config.overloading_strategy.value),
        env_flag("SM_USE_NODE_BIN_PACKING", config.use_node_bin_packing),
        env("SM_RESOURCE_SELECTION_STRATEGY", str(config.resource_selection_strategy)),
        env("SM_LEASE_DURATION", config.lease_duration),
        env_flag("SM_ENABLE_SET_SERVICE_IP", False),
        env("TRANSCRIBER_NAMESPACE", args.namespace_name),
        env_flag("SM_FLOW_USE_LOCAL_TRANSCRIBER", args.flow_use_local_transcriber),
        env_flag(
            "SM_INFERENCE_CAPACITY_ON_TRANSCRIBER_REQUEST_ENABLED",
            config.inference_capacity_on_transcriber_request_enabled,
        ),
        *redis_env(args.config_map),
    ]


def template(args: ResourceManagerArgs, account: pulumi.Input[str]) -> Json:
    """The pod."""
    numbers = {"initialDelaySeconds": 15, "periodSeconds": 15, "timeoutSeconds": 10}
    server = container(
        "resource-manager",
        image(args.image.registry, "resource-manager", args.image.tag),
        variables=variables(args),
        ports=[port("http", CONTAINER_PORT)],
        startup_probe=startup_probe(args.settings.startup_probe),
        liveness_probe=http_probe("/live", CONTAINER_PORT, **numbers),
        readiness_probe=http_probe("/ready", CONTAINER_PORT, **numbers),
        resources=requests("20m", "40Mi"),
        mounts=[{"name": "configs", "mountPath": "/etc/config", "readOnly": True}],
    )
    return pod_template(
        placement=args.placement,
        labels=args.labels.selector("resource-manager"),
        annotations=STATELESS.annotations,
        containers=[server],
        service_account=account,
        pull_secrets=args.pull_secrets,
        security_context=SECURITY,
        grace_seconds=STATELESS.grace_seconds,
        volumes=[{"name": "configs", "configMap": {"name": args.languages_map}}],
    )


class ResourceManager(pulumi.ComponentResource):
    """Deployment, Service, account and RBAC. Not here: metrics and reconciliation, which are services of their own."""

    service_name: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(self, name: str, args: ResourceManagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:ResourceManager", name, {}, opts)
        fullname, app = args.labels.fullname, "resource-manager"
        self._name, self._namespace = name, args.namespace
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(fullname, args.labels.without_app()),
            opts=pulumi.ResourceOptions(parent=self),
        )
        user = f"system:serviceaccount:{args.namespace_name}:{fullname}"
        verbs = ["get", "watch", "list"]
        pods = self._may(user, f"{fullname}-pod-reader", f"{fullname}-kube-access", "", "pods", verbs)
        groups = self._may(
            user,
            f"{fullname}-sessiongroups-reader",
            f"{fullname}-sessiongroups-access",
            "speechmatics.com",
            "sessiongroups",
            ["get", "list", "watch"],
        )
        # above the program's own budget, or `up` gives up while it is still starting
        seconds = args.settings.startup_probe.budget_seconds + 150
        timeouts = pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")
        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": args.settings.replicas,
            "selector": {"matchLabels": args.labels.selector(app)},
            "strategy": surge_first(),
            "template": template(args, once_made(account, fullname)),
        }
        self.ready = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=self._metadata(fullname, args.labels.full(app), dict(args.labels.annotations())),
            spec=spec,
            # no value flows: it does not start without Redis, and reads pods and groups as soon as it does
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.redis, *pods, *groups], custom_timeouts=timeouts),
        )
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=self._metadata(fullname, args.labels.full(app)),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="ClusterIP",
                ports=[kubernetes.core.v1.ServicePortArgs(port=args.settings.service.port, target_port="http")],
                selector=args.labels.selector(app),
            ),
            # no value flows: the Service is awaited until its pods are ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.ready], custom_timeouts=timeouts),
        )
        self.service_name = once_made(service, fullname)
        self.register_outputs({"serviceName": self.service_name})

    def _metadata(
        self, object_name: str, labels: dict[str, str] | None = None, annotations: dict[str, str] | None = None
    ) -> kubernetes.meta.v1.ObjectMetaArgs:
        return kubernetes.meta.v1.ObjectMetaArgs(
            name=object_name, namespace=self._namespace, labels=labels, annotations=annotations
        )

    def _may(
        self, user: str, role: str, binding: str, group: str, resource: str, verbs: list[str]
    ) -> list[pulumi.Resource]:
        """A Role on one resource and its binding to the account, by user name as the contract has it."""
        rbac = kubernetes.rbac.v1
        child = pulumi.ResourceOptions(parent=self)
        made = rbac.Role(
            f"{self._name}-{resource}-role",
            metadata=self._metadata(role),
            rules=[rbac.PolicyRuleArgs(api_groups=[group], resources=[resource], verbs=verbs)],
            opts=child,
        )
        bound = rbac.RoleBinding(
            f"{self._name}-{resource}-binding",
            metadata=self._metadata(binding),
            role_ref=rbac.RoleRefArgs(api_group="rbac.authorization.k8s.io", kind="Role", name=once_made(made, role)),
            subjects=[rbac.SubjectArgs(api_group="rbac.authorization.k8s.io", kind="User", name=user)],
            opts=child,
        )
        return [made, bound]
