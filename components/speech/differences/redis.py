"""Differences of the Redis in the cluster: of every mode, and of the primary with its replicas."""

from __future__ import annotations

from components.cluster.control_plane_credentials import DATABASE_MARK, REDIS_MARK
from components.cluster.redis_endpoint import CA_FOLDER, CA_KEY
from components.speech.differences.difference import NOTHING, Added, Difference, Like
from components.speech.differences.everywhere import AUTOSCALER_VETO

MASTER, REPLICAS, NODES = (f"StatefulSet/*-redis-{each}" for each in ("master", "replicas", "node"))
SINGLE = f"{MASTER} {REPLICAS}"
EVERY = f"{SINGLE} {NODES}"
CONTAINER = "spec.template.spec.containers[redis]"
CLAIM = "spec.volumeClaimTemplates[0]"

_IMAGE = "The bitnami image is no longer at its place for free use; the official image of a Redis 7 answers the same."
_COMMAND_LINE = "The official image has no start script: the command line is written out, with the contract's options."
HEALTH = "The official image has no health scripts: the ping is written out."
MOUNTED = "The official image reads its configuration from where the command line says."
_READY = (
    "The ping says itself whether Redis answers. Twenty seconds more after each restart are twenty seconds in which no "
    "session can begin."
)
_USER = "The official image's user is 999."
_NO_PRIVILEGE = "Redis needs no privilege at all."
_CLAIM = "The API server fills it in; written out, a preview shows no difference."
_ONE_SET = "One set of labels for all objects of one Redis."
SCRIPTS = "Scripts of the bitnami image."
SERVICES = (
    "Deployment/resource-manager Deployment/resource-manager-metrics Deployment/resource-manager-reconciliation "
    "Deployment/sessiongroups-controller"
)
"""What reads from Redis."""

_ANNOTATIONS = "spec.template.metadata.annotations"
_MARK = Like("[0-9a-f]{6}")
_ROTATED = (
    "The services read the address once, at their start. Its mark makes another address another version of the pods; "
    "nothing of the chart's does."
)
_OUTSIDE: dict[str, object] = {
    "resourceManager.externalRedis.enabled": True,
    "resourceManager.secrets.redis.create": True,
}
_AUTHORITY = "The chart trusts the authorities in the images alone; a Redis may have a certificate of another one."
_WITH_AUTHORITY: dict[str, object] = {"resourceManager.externalRedis.caSecretName": "redis-authority"}
_SENTINEL = "resourceManager.redis.sentinel.enabled"
_REPLICA_COUNT = "resourceManager.redis.replicas.replicaCount"
LABELLED = "ServiceAccount/*-redis ConfigMap/*-redis-* Service/*-redis Service/*-redis-*"
_NO_REPLICAS = "The default has no replicas; a Service without pods would keep an update waiting for endpoints."


def ping(answers: str, port: int = 6379) -> Added:
    """What a probe asks, instead of the bitnami image's scripts."""
    return Added({"command": ["sh", "-c", f"redis-cli -h 127.0.0.1 -p {port} ping | grep {answers}"]})


def in_containers(objects: str, containers: str) -> tuple[Difference, ...]:
    """Image and rights of containers with the official image."""
    security = f"{containers}.securityContext"
    return (
        Difference(objects, f"{containers}.image", Like(r"docker\.io/library/redis:7\.[0-9.]+"), _IMAGE),
        Difference(objects, f"{security}.runAsUser", 999, _USER),
        Difference(objects, f"{security}.runAsNonRoot", Added(value=True), _NO_PRIVILEGE),
        Difference(objects, f"{security}.allowPrivilegeEscalation", Added(value=False), _NO_PRIVILEGE),
        Difference(objects, f"{security}.capabilities", Added({"drop": ["ALL"]}), _NO_PRIVILEGE),
    )


def _command_line(file: str, *more: object) -> Added:
    common = ["redis-server", "/etc/redis/redis.conf", "--include", f"/etc/redis/{file}", "--port", "6379"]
    return Added([*common, "--protected-mode", "no", *more])


REDIS: tuple[Difference, ...] = (
    Difference(
        "StatefulSet/*",
        "spec.template.metadata.labels.app.kubernetes.io/managed-by",
        "sm-realtime",
        "The pods are not Helm's.",
    ),
    Difference(
        "StatefulSet/*",
        "spec.template.metadata.labels.helm.sh/chart",
        NOTHING,
        "The pods are not Helm's.",
    ),
    Difference(
        EVERY, AUTOSCALER_VETO, Added("false"), "The cluster autoscaler must not take Redis from all sessions at once."
    ),
    *in_containers(EVERY, CONTAINER),
    Difference(EVERY, "spec.template.spec.securityContext.fsGroup", 999, _USER),
    Difference(MASTER, f"{CONTAINER}.args", _command_line("master.conf"), _COMMAND_LINE),
    Difference(
        REPLICAS,
        f"{CONTAINER}.args",
        _command_line(
            "replica.conf",
            "--replicaof",
            Like(r".*-redis-master-0\..*-redis-headless\.[-a-z0-9]+\.svc\.cluster\.local"),
            "6379",
        ),
        f"{_COMMAND_LINE} It follows the primary by its name, which stays while the address changes.",
    ),
    Difference(EVERY, f"{CONTAINER}.livenessProbe.exec", ping("-qE 'PONG|LOADING|MASTERDOWN'"), HEALTH),
    Difference(EVERY, f"{CONTAINER}.readinessProbe.exec", ping("-q PONG"), HEALTH),
    Difference(SINGLE, f"{CONTAINER}.readinessProbe.initialDelaySeconds", NOTHING, _READY),
    Difference(
        EVERY,
        "spec.template.spec.volumes[configuration]",
        Added({"name": "configuration", "configMap": {"name": Like(".*-redis-configuration")}}),
        "The contract outlines the pod and names the map, not the volume it comes by.",
    ),
    Difference(
        EVERY,
        f"{CONTAINER}.volumeMounts[configuration]",
        Added({"name": "configuration", "mountPath": "/etc/redis", "readOnly": True}),
        MOUNTED,
    ),
    Difference(
        MASTER, "spec.template.spec.affinity", NOTHING, "Anti-affinity to other masters means nothing with one node."
    ),
    Difference(
        EVERY,
        f"{CLAIM}.spec.storageClassName",
        Added("managed-csi"),
        "Named, so that a changed default class of the cluster is no change of the disk, which would replace Redis.",
    ),
    Difference(EVERY, f"{CLAIM}.apiVersion", Added("v1"), _CLAIM),
    Difference(EVERY, f"{CLAIM}.kind", Added("PersistentVolumeClaim"), _CLAIM),
    Difference(
        LABELLED, "metadata.labels.app.kubernetes.io/component", Added("master"), _ONE_SET, where={_SENTINEL: NOTHING}
    ),
    Difference(
        LABELLED, "metadata.labels.app.kubernetes.io/component", Added("node"), _ONE_SET, where={_SENTINEL: True}
    ),
    Difference(
        "Service/*-redis-headless",
        "spec.selector.app.kubernetes.io/component",
        Added("master"),
        "There is only the master to select.",
        where={_REPLICA_COUNT: NOTHING},
    ),
    Difference("ConfigMap/*-redis-health", "", NOTHING, SCRIPTS),
    *(
        Difference(SERVICES, f"spec.template.spec.{path}", Added(ours), _AUTHORITY, where=_WITH_AUTHORITY)
        for path, ours in (
            ("containers[*].env[SSL_CERT_DIR]", {"name": "SSL_CERT_DIR", "value": CA_FOLDER}),
            ("containers[*].volumeMounts[*]", {"name": "redis-ca", "mountPath": CA_FOLDER, "readOnly": True}),
            (
                "volumes[*]",
                {
                    "name": "redis-ca",
                    "secret": {"secretName": "redis-authority", "items": [{"key": CA_KEY, "path": CA_KEY}]},
                },
            ),
        )
    ),
    Difference(SERVICES, f"{_ANNOTATIONS}.{REDIS_MARK}", Added(_MARK), _ROTATED, where=_OUTSIDE),
    Difference(
        "Deployment/resource-manager-reconciliation",
        f"{_ANNOTATIONS}.{DATABASE_MARK}",
        Added(_MARK),
        _ROTATED,
        where={"resourceManager.secrets.database.create": True},
    ),
    Difference("ConfigMap/*-redis-scripts", "", NOTHING, SCRIPTS, where={_SENTINEL: NOTHING}),
    Difference(
        f"Service/*-redis-replicas {REPLICAS}", "", NOTHING, _NO_REPLICAS, where={_REPLICA_COUNT: NOTHING}
    ),
)  # fmt: skip
"""The differences."""
