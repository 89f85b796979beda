"""Differences of the Redis in the cluster."""

from __future__ import annotations

from components.speech.differences.difference import NOTHING, Added, Difference, Like
from components.speech.differences.everywhere import AUTOSCALER_VETO

MASTER = "StatefulSet/*-redis-master"
CONTAINER = "spec.template.spec.containers[redis]"
CLAIM = "spec.volumeClaimTemplates[0]"

_IMAGE = "The bitnami image is no longer at its place for free use; the official image of a Redis 7 answers the same."
_HEALTH = "The official image has no health scripts: the ping is written out."
_USER = "The official image's user is 999."
_NO_PRIVILEGE = "Redis needs no privilege at all."
_CLAIM = "The API server fills it in; written out, a preview shows no difference."
_ONE_SET = "One set of labels for all objects of the one node."
_SCRIPTS = "Scripts of the bitnami image."
_NO_REPLICAS = "The default has no replicas; a Service without pods would keep an update waiting for endpoints."


def _ping(answers: str) -> Added:
    return Added({"command": ["sh", "-c", f"redis-cli -h 127.0.0.1 -p 6379 ping | grep {answers}"]})


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
        MASTER, AUTOSCALER_VETO, Added("false"), "The cluster autoscaler must not take Redis from all sessions at once."
    ),
    Difference(MASTER, f"{CONTAINER}.image", Like(r"docker\.io/library/redis:7\.[0-9.]+"), _IMAGE),
    Difference(
        MASTER,
        f"{CONTAINER}.args",
        Added(
            [
                "redis-server", "/etc/redis/redis.conf", "--include", "/etc/redis/master.conf",
                "--port", "6379", "--protected-mode", "no",
            ]
        ),
        "The official image has no start script: the command line is written out, with the contract's options.",
    ),
    Difference(MASTER, f"{CONTAINER}.livenessProbe.exec", _ping("-qE 'PONG|LOADING|MASTERDOWN'"), _HEALTH),
    Difference(MASTER, f"{CONTAINER}.readinessProbe.exec", _ping("-q PONG"), _HEALTH),
    Difference(MASTER, "spec.template.spec.securityContext.fsGroup", 999, _USER),
    Difference(MASTER, f"{CONTAINER}.securityContext.runAsUser", 999, _USER),
    Difference(MASTER, f"{CONTAINER}.securityContext.runAsNonRoot", Added(value=True), _NO_PRIVILEGE),
    Difference(MASTER, f"{CONTAINER}.securityContext.allowPrivilegeEscalation", Added(value=False), _NO_PRIVILEGE),
    Difference(MASTER, f"{CONTAINER}.securityContext.capabilities", Added({"drop": ["ALL"]}), _NO_PRIVILEGE),
    Difference(
        MASTER,
        "spec.template.spec.volumes[configuration]",
        Added({"name": "configuration", "configMap": {"name": Like(".*-redis-configuration")}}),
        "The contract outlines the pod and names the map, not the volume it comes by.",
    ),
    Difference(
        MASTER,
        f"{CONTAINER}.volumeMounts[configuration]",
        Added({"name": "configuration", "mountPath": "/etc/redis", "readOnly": True}),
        "The official image reads its configuration from where the command line says.",
    ),
    Difference(
        MASTER, "spec.template.spec.affinity", NOTHING, "Anti-affinity to other masters means nothing with one node."
    ),
    Difference(
        MASTER,
        f"{CLAIM}.spec.storageClassName",
        Added("managed-csi"),
        "Named, so that a changed default class of the cluster is no change of the disk, which would replace Redis.",
    ),
    Difference(MASTER, f"{CLAIM}.apiVersion", Added("v1"), _CLAIM),
    Difference(MASTER, f"{CLAIM}.kind", Added("PersistentVolumeClaim"), _CLAIM),
    Difference(
        "ServiceAccount/*-redis ConfigMap/*-redis-* Service/*-redis-* StatefulSet/*-redis-*",
        "metadata.labels.app.kubernetes.io/component",
        Added("master"),
        _ONE_SET,
    ),
    Difference(
        "Service/*-redis-headless",
        "spec.selector.app.kubernetes.io/component",
        Added("master"),
        "There is only the master to select.",
    ),
    Difference("ConfigMap/*-redis-health", "", NOTHING, _SCRIPTS),
    Difference("ConfigMap/*-redis-scripts", "", NOTHING, _SCRIPTS),
    Difference("Service/*-redis-replicas StatefulSet/*-redis-replicas", "", NOTHING, _NO_REPLICAS),
)  # fmt: skip
"""The differences."""
