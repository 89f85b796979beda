"""The proxy's cache: a Redis, and a program beside it that fills it from the database (contract: proxy 11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import surge_first
from components.speech.naming import ProxyLabels
from components.speech.pod import Json, container, env, env_flag, env_secret, pod_template, present
from components.speech.proxy_pod import pull_secrets
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.proxy import ProxySettings
from stacks.schema.workload import Resources

PORT = 8080
"""Of the program beside the Redis (contract: proxy 11)."""

REPOSITORY = "cache-sidecar"


@dataclass(frozen=True)
class ProxyCacheArgs:
    """What the cache needs."""

    namespace: pulumi.Output[str]
    settings: ProxySettings
    global_: GlobalSettings
    labels: ProxyLabels
    redis_image: str
    secrets: dict[str, pulumi.Input[str]]
    placement: Placement


def cache_name(labels: ProxyLabels) -> str:
    """Name of Deployment and Service."""
    return f"{labels.fullname}-cache"


def selector(labels: ProxyLabels) -> dict[str, str]:
    return {"app.kubernetes.io/name": cache_name(labels), "app.kubernetes.io/instance": labels.release}


def common(labels: ProxyLabels) -> dict[str, str]:
    return {**labels.common(), "app": cache_name(labels), **selector(labels)}


def _amounts(resources: Resources) -> Json:
    return present(resources.model_dump(exclude_none=True))


def redis(args: ProxyCacheArgs) -> Json:
    """The Redis in the pod, which keeps nothing on disk."""
    settings = args.settings.proxy_cache.redis
    return container(
        "redis-cache",
        args.redis_image,
        image_pull_policy="IfNotPresent",
        # `--save` alone at the end is no saving; before another option that must be written out
        args=["--save"] + ([] if settings.container_port == 6379 else ["", "--port", str(settings.container_port)]),
        ports=[{"containerPort": settings.container_port, "protocol": "TCP"}],
        liveness_probe=settings.liveness_probe,
        readiness_probe=settings.readiness_probe,
        resources=_amounts(settings.resources),
    )


def reader(args: ProxyCacheArgs) -> Json:
    """The program that fills the Redis."""
    settings, image = args.settings.proxy_cache, args.settings.proxy.image
    registry = image.registry or args.global_.proxy.image.registry
    address = env("REDIS_CONN_STRING", f"0.0.0.0:{settings.redis.container_port}")
    if settings.redis.external:
        address = env_secret("REDIS_CONN_STRING", args.secrets["redis"], "conn_string")
    return container(
        "proxy-service-cache",
        f"{registry}/{REPOSITORY}:{image.tag or args.global_.proxy.image.tag}",
        image_pull_policy=args.settings.proxy.image_pull_policy.value,
        variables=[
            env_secret("DB_CONN_STRING", args.secrets["database"], "conn_string"),
            env_flag("REDIS_USE_EXTERNAL", settings.redis.external),
            address,
            *settings.additional_env,
        ],
        ports=[{"containerPort": PORT, "protocol": "TCP"}],
        resources=_amounts(settings.resources),
    )


def template(args: ProxyCacheArgs) -> Json:
    """The pod. It holds counts and no session."""
    settings = args.settings.proxy_cache
    containers = [*([] if settings.redis.external else [redis(args)]), reader(args)]
    for each in containers:
        if args.settings.security_context:
            each["securityContext"] = args.settings.security_context
    return pod_template(
        placement=args.placement,
        labels=settings.pod_labels | selector(args.labels),
        annotations=settings.pod_annotations,
        containers=containers,
        pull_secrets=pull_secrets(args.settings, args.global_),
        security_context=args.settings.security_context,
        grace_seconds=settings.termination_grace_period_seconds,
        restart_policy=args.settings.restart_policy,
        dns_policy=args.settings.dns_policy,
    )


class ProxyCache(pulumi.ComponentResource):
    """Deployment and, while the Redis is in its pod, Service."""

    address: pulumi.Output[str] | None
    """Host and port of the Redis; None when it is outside."""

    def __init__(self, name: str, args: ProxyCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:ProxyCache", name, {}, opts)
        child, labels, cache = pulumi.ResourceOptions(parent=self), common(args.labels), args.settings.proxy_cache
        tag = args.settings.proxy.image.tag or args.global_.proxy.image.tag

        def metadata(labels: dict[str, str]) -> kubernetes.meta.v1.ObjectMetaArgs:
            return kubernetes.meta.v1.ObjectMetaArgs(
                name=cache_name(args.labels), namespace=args.namespace, labels=labels
            )

        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": cache.replicas,
            "selector": {"matchLabels": selector(args.labels)},
            "strategy": surge_first(),
            "template": template(args),
        }
        made = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=metadata(labels | {"app.kubernetes.io/version": tag}),
            spec=spec,
            opts=child,
        )
        self.address = None
        if not cache.redis.external:
            service = kubernetes.core.v1.Service(
                f"{name}-service",
                metadata=metadata(labels),
                spec=kubernetes.core.v1.ServiceSpecArgs(
                    ports=[
                        kubernetes.core.v1.ServicePortArgs(
                            port=cache.service.port, target_port=cache.redis.container_port
                        )
                    ],
                    selector=selector(args.labels),
                ),
                # no value flows: it is awaited until its pods are ready
                opts=pulumi.ResourceOptions(parent=self, depends_on=[made]),
            )
            self.address = once_made(service, f"{cache_name(args.labels)}:{cache.service.port}")
        self.register_outputs({"address": self.address})
