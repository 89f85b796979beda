"""Which changed paths force a replacement, by kind, as pulumi-kubernetes 4.34 decides it.

Source of the table: `world/pulumi.md` of the project's facts, checked against the provider's force-new table
(provider/pkg/provider/diff.go of pulumi-kubernetes).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.kubernetes.paths import Path, parse

IDENTITY: tuple[str, ...] = ("metadata.name", "metadata.namespace")
"""Force a replacement of every kind, custom ones too."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


VOLUME_SOURCES = _words(
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs "
    "hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume"
)

POD_FIELDS = _words(
    "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork "
    "hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName "
    "readinessGates restartPolicy runtimeClassName schedulerName securityContext serviceAccount serviceAccountName "
    "shareProcessNamespace subdomain terminationGracePeriodSeconds volumes"
)

CONTAINER_FIELDS = _words(
    "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources securityContext "
    "stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir"
)

_TABLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "PersistentVolume"): tuple(f"spec.{source}" for source in VOLUME_SOURCES),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("", "Pod"): (
        *(f"spec.{field}" for field in POD_FIELDS),
        *(f"spec.{kind}[*].{field}" for kind in ("containers", "initContainers") for field in CONTAINER_FIELDS),
    ),
    ("", "ResourceQuota"): ("spec.scopes",),
}


def force_new_paths(
    api_version: str, kind: str, *, immutable: bool, config_maps_mutable: bool, secrets_mutable: bool
) -> tuple[str, ...]:
    """The paths of a kind that force a replacement.

    `immutable` is the object's own field; the other two are the provider's settings.
    """
    group = api_version.rpartition("/")[0]
    paths = IDENTITY + _TABLE.get((group, kind), ())
    if api_version == "v1" and kind == "ConfigMap" and (immutable or not config_maps_mutable):
        paths += ("data", "binaryData")
    if api_version == "v1" and kind == "Secret" and (immutable or not secrets_mutable):
        paths += ("data", "stringData")
    return paths


def forces_new(path: Path, value: Any, patterns: Iterable[str]) -> bool:
    """Whether a change at `path`, to `value`, touches one of the patterns.

    It does when it lies at or below a pattern, or when it lies above and the new value contains the pattern's path.
    """
    return any(_touches(path, value, parse(pattern)) for pattern in patterns)


def _touches(path: Path, value: Any, pattern: Path) -> bool:
    for position, wanted in enumerate(pattern):
        if position == len(path):
            return _contains(value, pattern[position:])
        step = path[position]
        if step != wanted and not (wanted == "*" and isinstance(step, int)):
            return False
    return True


def _contains(value: Any, pattern: Path) -> bool:
    if not pattern:
        return True
    if pattern[0] == "*":
        return isinstance(value, list) and any(_contains(item, pattern[1:]) for item in value)
    return isinstance(value, dict) and pattern[0] in value and _contains(value[pattern[0]], pattern[1:])
