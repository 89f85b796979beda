"""The force-new table as rows of changes: one object, one changed path, replaced or not.

Source: the table in the project's facts about pulumi-kubernetes 4.34.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
NAMESPACE = "plan"
LABELS = {"app": "x"}
SKIP = {"pulumi.com/skipAwait": "true"}
POD_SPEC: Json = {"containers": [{"name": "main", "image": "registry.example/x:1"}]}
STAGED_POD_SPEC: Json = {**POD_SPEC, "initContainers": [{"name": "first", "image": "registry.example/x:1"}]}
CLAIMING_POD_SPEC: Json = {**POD_SPEC, "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}
TEMPLATE: Json = {"metadata": {"labels": {**LABELS, "more": "y"}}, "spec": POD_SPEC}
WORKLOAD: Json = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}


@dataclass(frozen=True)
class Row:
    """A change of one object: which path is set to what, and whether that takes a replacement."""

    token: str
    base: Json
    path: str
    value: Any
    """What the path is set to; None takes it away."""
    replaces: bool = True
    namespaced: bool = True
    settings: str = "mutable"
    gone: str = ""
    """A path that the change also takes away."""

    @property
    def name(self) -> str:
        kind = self.token.rsplit(":", 1)[1]
        suffix = "" if self.replaces else "-in-place"
        return f"{kind}-{self.path}-{self.settings}{suffix}".lower().replace("[0]", "").replace(".", "-")

    def properties(self, *, changed: bool) -> Json:
        meta: Json = {"name": self.name, "annotations": dict(SKIP)}
        if self.namespaced:
            meta["namespace"] = NAMESPACE
        result = {**_copy(self.base), "metadata": meta}
        if changed:
            _set(result, self.path, self.value)
        if changed and self.gone:
            _set(result, self.gone, None)
        return result


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _set(obj: Json, path: str, value: Any) -> None:
    *parents, last = path.replace("[0]", ".0").split(".")
    target: Any = obj
    for step in parents:
        target = target[0] if step == "0" else target.setdefault(step, {})
    if value is None:
        del target[last]
    else:
        target[last] = value


DEPLOYMENT, DAEMON_SET, STATEFUL_SET = "apps/v1:Deployment", "apps/v1:DaemonSet", "apps/v1:StatefulSet"
OTHER_SELECTOR = {"matchLabels": {"more": "y"}}
STATEFUL: Json = {
    "spec": {**WORKLOAD, "serviceName": "one", "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10}
}
CLAIM: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
OTHER_ROLE = {**ROLE, "name": "edit"}
BINDING: Json = {"roleRef": ROLE, "subjects": [{"kind": "Group", "name": "g", "apiGroup": ROLE["apiGroup"]}]}
RBAC = "rbac.authorization.k8s.io/v1"
JOB_TEMPLATE: Json = {**TEMPLATE, "spec": {**POD_SPEC, "restartPolicy": "Never"}}
JOB: Json = {"spec": {**WORKLOAD, "template": JOB_TEMPLATE, "completions": 1, "manualSelector": True}}
NODE_TERM = {"matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}
VOLUME: Json = {
    "spec": {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/one"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [NODE_TERM]}},
    }
}
SERVICE: Json = {"spec": {"ports": [{"port": 80}], "clusterIP": "None"}}
STORAGE_CLASS: Json = {"provisioner": "disk.example", "parameters": {"sku": "a"}}

POD_VALUES: dict[str, Any] = {
    "affinity": {"nodeAffinity": {}},
    "automountServiceAccountToken": False,
    "dnsConfig": {"nameservers": ["10.0.0.1"]},
    "dnsPolicy": "Default",
    "enableServiceLinks": False,
    "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["h"]}],
    "hostIPC": True,
    "hostNetwork": True,
    "hostPID": True,
    "hostname": "h",
    "imagePullSecrets": [{"name": "s"}],
    "nodeName": "n",
    "nodeSelector": {"a": "b"},
    "overhead": {"cpu": "1"},
    "preemptionPolicy": "Never",
    "priority": 7,
    "priorityClassName": "p",
    "readinessGates": [{"conditionType": "a/b"}],
    "restartPolicy": "Never",
    "runtimeClassName": "r",
    "schedulerName": "s",
    "securityContext": {"runAsUser": 7},
    "serviceAccount": "s",
    "serviceAccountName": "s",
    "shareProcessNamespace": True,
    "subdomain": "d",
    "terminationGracePeriodSeconds": 7,
    "volumes": [{"name": "v", "emptyDir": {}}],
}
CONTAINER_VALUES: dict[str, Any] = {
    "args": ["a"],
    "command": ["c"],
    "env": [{"name": "A", "value": "b"}],
    "image": "registry.example/x:2",
    "imagePullPolicy": "Always",
    "lifecycle": {"preStop": {"exec": {"command": ["c"]}}},
    "livenessProbe": {"exec": {"command": ["c"]}},
    "ports": [{"containerPort": 80}],
    "readinessProbe": {"exec": {"command": ["c"]}},
    "resources": {"requests": {"cpu": "1"}},
    "securityContext": {"runAsUser": 7},
    "stdin": True,
    "stdinOnce": True,
    "terminationMessagePath": "/m",
    "terminationMessagePolicy": "FallbackToLogsOnError",
    "tty": True,
    "volumeDevices": [{"name": "v", "devicePath": "/d"}],
    "volumeMounts": [{"name": "v", "mountPath": "/d"}],
    "workingDir": "/w",
}
VOLUME_SOURCES: dict[str, Any] = {
    "awsElasticBlockStore": {"volumeID": "v"},
    "azureDisk": {"diskName": "d", "diskURI": "https://a.blob.core.windows.net/c/d.vhd"},
    "azureFile": {"secretName": "s", "shareName": "s"},
    "cephfs": {"monitors": ["m"]},
    "cinder": {"volumeID": "v"},
    "csi": {"driver": "d", "volumeHandle": "h"},
    "fc": {"lun": 1, "targetWWNs": ["w"]},
    "flexVolume": {"driver": "d"},
    "flocker": {"datasetName": "d"},
    "gcePersistentDisk": {"pdName": "d"},
    "glusterfs": {"endpoints": "e", "path": "p"},
    "iscsi": {"targetPortal": "t", "iqn": "iqn.2020-01.example:d", "lun": 1},
    "local": {"path": "/l"},
    "nfs": {"server": "s", "path": "/p"},
    "photonPersistentDisk": {"pdID": "d"},
    "portworxVolume": {"volumeID": "v"},
    "quobyte": {"registry": "r:1", "volume": "v"},
    "rbd": {"monitors": ["m"], "image": "i"},
    "scaleIO": {"gateway": "g", "system": "s", "volumeName": "v", "secretRef": {"name": "s"}},
    "storageos": {"volumeName": "v"},
    "vsphereVolume": {"volumePath": "p"},
}

CONFIG_MAP: Json = {"data": {"a": "1"}, "binaryData": {"b": "AQ=="}}
SECRET: Json = {"type": "Opaque", "data": {"a": "MQ=="}}
FROZEN_MAP, FROZEN_SECRET = {**CONFIG_MAP, "immutable": True}, {**SECRET, "immutable": True}

ROWS = [
    Row(DEPLOYMENT, {"spec": WORKLOAD}, "spec.selector", OTHER_SELECTOR),
    Row(DEPLOYMENT, {"spec": WORKLOAD}, "spec.replicas", 0, replaces=False),
    Row(DAEMON_SET, {"spec": WORKLOAD}, "spec.selector", OTHER_SELECTOR),
    Row(DAEMON_SET, {"spec": WORKLOAD}, "spec.minReadySeconds", 1, replaces=False),
    Row(STATEFUL_SET, STATEFUL, "spec.selector", OTHER_SELECTOR),
    Row(STATEFUL_SET, STATEFUL, "spec.serviceName", "two"),
    Row(STATEFUL_SET, STATEFUL, "spec.podManagementPolicy", "Parallel"),
    Row(STATEFUL_SET, STATEFUL, "spec.revisionHistoryLimit", 3),
    Row(STATEFUL_SET, STATEFUL, "spec.volumeClaimTemplates", [{"metadata": {"name": "v"}, "spec": CLAIM}]),
    Row(STATEFUL_SET, STATEFUL, "spec.replicas", 2, replaces=False),
    Row("core/v1:ConfigMap", CONFIG_MAP, "data", {"a": "2"}, settings="default"),
    Row("core/v1:ConfigMap", CONFIG_MAP, "binaryData", {"b": "Ag=="}, settings="default"),
    Row("core/v1:ConfigMap", CONFIG_MAP, "data", {"a": "2"}, replaces=False),
    Row("core/v1:ConfigMap", CONFIG_MAP, "binaryData", {"b": "Ag=="}, replaces=False),
    Row("core/v1:ConfigMap", FROZEN_MAP, "data", {"a": "2"}),
    Row("core/v1:Secret", SECRET, "data", {"a": "Mg=="}, settings="default"),
    Row("core/v1:Secret", SECRET, "stringData", {"a": "2"}, settings="default"),
    Row("core/v1:Secret", SECRET, "data", {"a": "Mg=="}, replaces=False),
    Row("core/v1:Secret", SECRET, "stringData", {"a": "2"}, replaces=False),
    Row("core/v1:Secret", SECRET, "type", "example/other"),
    Row("core/v1:Secret", FROZEN_SECRET, "data", {"a": "Mg=="}),
    Row("core/v1:Service", SERVICE, "spec.clusterIP", None),
    Row("core/v1:Service", SERVICE, "spec.publishNotReadyAddresses", True, replaces=False),
    Row(f"{RBAC}:RoleBinding", BINDING, "roleRef", OTHER_ROLE),
    Row(f"{RBAC}:RoleBinding", BINDING, "subjects", [], replaces=False),
    Row(f"{RBAC}:ClusterRoleBinding", BINDING, "roleRef", OTHER_ROLE, namespaced=False),
    Row("storage.k8s.io/v1:StorageClass", STORAGE_CLASS, "parameters", {"sku": "b"}, namespaced=False),
    Row("storage.k8s.io/v1:StorageClass", STORAGE_CLASS, "provisioner", "other.example", namespaced=False),
    Row("core/v1:PersistentVolumeClaim", {"spec": CLAIM}, "spec.accessModes", ["ReadWriteMany"]),
    Row("core/v1:PersistentVolumeClaim", {"spec": CLAIM}, "spec.selector", OTHER_SELECTOR),
    Row("core/v1:PersistentVolumeClaim", {"spec": CLAIM}, "spec.storageClassName", "other"),
    Row("core/v1:PersistentVolumeClaim", {"spec": CLAIM}, "spec.volumeName", "other"),
    Row("batch/v1:Job", JOB, "spec.completions", 2),
    Row("batch/v1:Job", JOB, "spec.parallelism", 2),
    Row("batch/v1:Job", JOB, "spec.selector", OTHER_SELECTOR),
    Row("batch/v1:Job", JOB, "spec.template", {**TEMPLATE, "spec": {**POD_SPEC, "restartPolicy": "OnFailure"}}),
    Row("batch/v1:Job", JOB, "spec.ttlSecondsAfterFinished", 7, replaces=False),
    Row("core/v1:ResourceQuota", {"spec": {"hard": {"pods": "500"}}}, "spec.scopes", ["BestEffort"]),
    Row("core/v1:ResourceQuota", {"spec": {"hard": {"pods": "500"}}}, "spec.hard", {"pods": "501"}, replaces=False),
    Row("core/v1:ServiceAccount", {}, "metadata.name", "another"),
    Row("core/v1:ServiceAccount", {}, "metadata.namespace", "default"),
    Row("core/v1:ServiceAccount", {}, "metadata.labels", {"a": "b"}, replaces=False),
    Row("core/v1:PersistentVolume", VOLUME, "spec.hostPath", {"path": "/two"}, namespaced=False),
    *(
        Row("core/v1:PersistentVolume", VOLUME, f"spec.{k}", v, namespaced=False, gone="spec.hostPath")
        for k, v in VOLUME_SOURCES.items()
    ),
    *(Row("core/v1:Pod", {"spec": POD_SPEC}, f"spec.{k}", v) for k, v in POD_VALUES.items()),
    *(
        Row("core/v1:Pod", {"spec": CLAIMING_POD_SPEC}, f"spec.containers[0].{k}", v)
        for k, v in CONTAINER_VALUES.items()
    ),
    Row("core/v1:Pod", {"spec": STAGED_POD_SPEC}, "spec.initContainers[0].image", "registry.example/x:2"),
    Row("core/v1:Pod", {"spec": POD_SPEC}, "spec.activeDeadlineSeconds", 77, replaces=False),
    Row("test.example/v1:Thing", {"spec": {"a": 1}}, "metadata.name", "another"),
    Row("test.example/v1:Thing", {"spec": {"a": 1}}, "spec.a", 2, replaces=False),
]


def row_number(row: Row) -> str:
    """Rows of one name are told apart by their place."""
    return f"-{ROWS.index(row)}"


def numbered(row: Row, properties: Json) -> Json:
    if properties["metadata"]["name"] == row.name:
        properties["metadata"]["name"] += row_number(row)
    return properties
