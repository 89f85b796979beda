"""The pods of a Redis in the cluster without Sentinel: a primary, and replicas if any (contract: control plane 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from components.placement import Placement
from components.speech.disruption import SINGLE_STORE
from components.speech.naming import MANAGED_BY
from components.speech.pod import Json, container, passed_on, pod_template, port
from stacks.schema.own import RedisSettings
from stacks.schema.redis import Redis as Settings

PORT = 6379
USER = 999
"""User and group of the official image (Dockerfile of library/redis: `groupadd -g 999`, `useradd -u 999`)."""

FOLDER = "/etc/redis"
"""Where the configuration is mounted."""

MASTER = "dir /data\n"
"""master.conf and replica.conf (contract: control plane 9.4)."""

PING = f"redis-cli -h 127.0.0.1 -p {PORT} ping"
LIVE = f"{PING} | grep -qE 'PONG|LOADING|MASTERDOWN'"
"""Loading a large append-only file is no reason to be restarted."""

READY = f"{PING} | grep -q PONG"

SECURITY: Json = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class RedisArgs:
    """What Redis needs."""

    namespace: pulumi.Output[str]
    namespace_name: str
    release: str
    image: str
    """The image this program is tested with."""
    settings: Settings
    disk: RedisSettings
    placement: Placement
    protect: bool

    @property
    def base(self) -> str:
        """Begin of the objects' names."""
        return self.settings.fullname_override or f"{self.release}-redis"

    @property
    def image_name(self) -> str:
        """The image as configured; where no tag is, the one this program is tested with."""
        given = self.settings.image
        return f"{given.registry}/{given.repository}:{given.tag or self.image.rpartition(':')[2]}"

    def labels(self, component: str | None = None) -> dict[str, str]:
        """The labels selectors use; without a component those of all pods."""
        found = {"app.kubernetes.io/name": "redis", "app.kubernetes.io/instance": self.release}
        return found | ({"app.kubernetes.io/component": component} if component else {})

    def host(self, pod: str) -> str:
        """The name of a pod, which stays while its address changes."""
        return f"{pod}.{self.domain}"

    @property
    def domain(self) -> str:
        """End of the pods' names."""
        return f"{self.base}-headless.{self.namespace_name}.svc.cluster.local"


def probe(command: str, initial: int | None, period: int, timeout: int, failures: int) -> dict[str, Any]:
    """A probe by a command of the shell; without `initial` it begins at once."""
    return {
        "exec": {"command": ["sh", "-c", command]},
        **({} if initial is None else {"initialDelaySeconds": initial}),
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "successThreshold": 1,
        "failureThreshold": failures,
    }


def template(
    args: RedisArgs, component: str, account: pulumi.Input[str], configuration: pulumi.Input[str]
) -> dict[str, Any]:
    """The pod of the primary (`master`) or of a replica, with its ServiceAccount and its ConfigMap by name."""
    follow = ["--replicaof", args.host(f"{args.base}-master-0"), str(PORT)] if component == "replica" else []
    section = args.settings.replica if component == "replica" else args.settings.master
    redis = container(
        "redis",
        args.image_name,
        args=["redis-server", f"{FOLDER}/redis.conf", "--include", f"{FOLDER}/{component}.conf",
              "--port", str(PORT), "--protected-mode", "no", *follow],
        ports=[port("redis", PORT)],
        resources=passed_on(section.resources),
        liveness_probe=probe(LIVE, 20, 5, 6, 5),
        readiness_probe=probe(READY, None, 5, 2, 5),
        mounts=[
            {"name": "redis-data", "mountPath": "/data"},
            {"name": "configuration", "mountPath": FOLDER, "readOnly": True},
        ],
        security_context=SECURITY,
    )  # fmt: skip
    return pod_template(
        placement=args.placement,
        labels=args.labels(component) | {"app.kubernetes.io/managed-by": MANAGED_BY},
        annotations=SINGLE_STORE.annotations,
        containers=[redis],
        service_account=account,
        security_context={"fsGroup": USER},
        grace_seconds=SINGLE_STORE.grace_seconds,
        volumes=[{"name": "configuration", "configMap": {"name": configuration}}],
    )


def claim(disk: RedisSettings) -> dict[str, Any]:
    """The disk, made once per node and kept when the StatefulSet goes."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "redis-data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": disk.storage_class,
            "resources": {"requests": {"storage": disk.storage_size}},
        },
    }
