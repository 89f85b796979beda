"""The Redis of the resource manager: one node with a disk, without a password (contract: control plane 9, mode A)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.placement import Placement
from components.speech.disruption import SINGLE_STORE
from components.speech.naming import MANAGED_BY
from components.speech.pod import container, pod_template, port
from stacks.schema.own import RedisSettings

PORT = 6379
USER = 999
"""User and group of the official image (Dockerfile of library/redis: `groupadd -g 999`, `useradd -u 999`)."""

COMMON = "appendonly yes\nsave 60 1000\nsave 180 300\nsave 300 1\n"
"""redis.conf (contract: control plane 9.4)."""

MASTER = "dir /data\n"
"""master.conf."""

PING = "redis-cli -h 127.0.0.1 -p 6379 ping"
LIVE = f"{PING} | grep -qE 'PONG|LOADING|MASTERDOWN'"
"""Loading a large append-only file is no reason to be restarted."""

READY = f"{PING} | grep -q PONG"


def labels(release: str) -> dict[str, str]:
    """The labels selectors use."""
    return {
        "app.kubernetes.io/name": "redis",
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/component": "master",
    }


def probe(command: str, timeout_seconds: int) -> dict[str, Any]:
    """The bundled chart's numbers (contract: control plane 9.3)."""
    return {
        "exec": {"command": ["sh", "-c", command]},
        "initialDelaySeconds": 20,
        "periodSeconds": 5,
        "timeoutSeconds": timeout_seconds,
        "successThreshold": 1,
        "failureThreshold": 5,
    }


@dataclass(frozen=True)
class RedisArgs:
    """What Redis needs."""

    namespace: pulumi.Output[str]
    release: str
    image: str
    settings: RedisSettings
    placement: Placement
    protect: bool


def template(args: RedisArgs, account: pulumi.Input[str], configuration: pulumi.Input[str]) -> dict[str, Any]:
    """The pod of the only node, with its ServiceAccount and its ConfigMap by name."""
    redis = container(
        "redis",
        args.image,
        args=["redis-server", "/etc/redis/redis.conf", "--include", "/etc/redis/master.conf",
              "--port", str(PORT), "--protected-mode", "no"],
        ports=[port("redis", PORT)],
        liveness_probe=probe(LIVE, 6),
        readiness_probe=probe(READY, 2),
        mounts=[
            {"name": "redis-data", "mountPath": "/data"},
            {"name": "configuration", "mountPath": "/etc/redis", "readOnly": True},
        ],
        security_context={
            "runAsNonRoot": True,
            "runAsUser": USER,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    )  # fmt: skip
    return pod_template(
        placement=args.placement,
        labels=labels(args.release) | {"app.kubernetes.io/managed-by": MANAGED_BY},
        annotations=SINGLE_STORE.annotations,
        containers=[redis],
        service_account=account,
        security_context={"fsGroup": USER},
        grace_seconds=SINGLE_STORE.grace_seconds,
        volumes=[{"name": "configuration", "configMap": {"name": configuration}}],
    )


def claim(settings: RedisSettings) -> dict[str, Any]:
    """The disk, made once per node and kept when the StatefulSet goes."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "redis-data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": settings.storage_class,
            "resources": {"requests": {"storage": settings.storage_size}},
        },
    }


class Redis(pulumi.ComponentResource):
    """Redis standalone. A change of what is immutable about it would delete it first: that is refused by protect."""

    url: str
    """`host:port`, as `redis_url` carries it."""
    ready: pulumi.Resource

    def __init__(self, name: str, args: RedisArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:Redis", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        base, master = f"{args.release}-redis", f"{args.release}-redis-master"
        selector = labels(args.release)

        def metadata(object_name: str) -> kubernetes.meta.v1.ObjectMetaArgs:
            return kubernetes.meta.v1.ObjectMetaArgs(
                name=object_name,
                namespace=args.namespace,
                labels=selector | {"app.kubernetes.io/managed-by": MANAGED_BY},
            )

        account = kubernetes.core.v1.ServiceAccount(f"{name}-account", metadata=metadata(base), opts=child)
        configuration = kubernetes.core.v1.ConfigMap(
            f"{name}-configuration",
            metadata=metadata(f"{base}-configuration"),
            data={"redis.conf": COMMON, "master.conf": MASTER},
            opts=child,
        )
        ports = [kubernetes.core.v1.ServicePortArgs(name="tcp-redis", port=PORT, target_port="redis")]
        headless = kubernetes.core.v1.Service(
            f"{name}-headless",
            metadata=metadata(f"{base}-headless"),
            spec=kubernetes.core.v1.ServiceSpecArgs(cluster_ip="None", ports=ports, selector=selector),
            opts=child,
        )
        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": 1,
            "serviceName": once_made(headless, f"{base}-headless"),
            "selector": {"matchLabels": selector},
            "updateStrategy": {"type": "RollingUpdate"},
            "template": template(args, once_made(account, base), once_made(configuration, f"{base}-configuration")),
            "volumeClaimTemplates": [claim(args.settings)],
        }
        self.ready = kubernetes.apps.v1.StatefulSet(
            f"{name}-statefulset",
            metadata=metadata(master),
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=metadata(master),
            spec=kubernetes.core.v1.ServiceSpecArgs(type="ClusterIP", ports=ports, selector=selector),
            # no value flows: the Service is awaited until its pod is ready
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.ready]),
        )
        self.url = f"{master}:{PORT}"
        self.register_outputs({"url": self.url})
