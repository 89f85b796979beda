"""What AKS refuses of an agent pool.

Sources: AKS documentation use-system-pools, manage-node-pools, upgrade-aks-node-pools-rolling, cluster-autoscaler,
cluster-configuration; property descriptions of the AKS REST API 2025-09-01.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sandbox.azure import sizes, versions
from sandbox.azure.errors import change_not_allowed, invalid
from sandbox.azure.rules import played, upgrade
from sandbox.azure.rules.played import ANY
from sandbox.rpc import Json

PLAYED: dict[str, Any] = {
    "availabilityZones": ANY,
    "count": ANY,
    "enableAutoScaling": ANY,
    "enableEncryptionAtHost": ANY,
    "enableFIPS": (False,),
    "enableNodePublicIP": (False,),
    "enableUltraSSD": (False,),
    "gpuProfile": ANY,
    "kubeletDiskType": ("OS",),
    "maxCount": ANY,
    "maxPods": ANY,
    "minCount": ANY,
    "mode": ("System", "User"),
    "nodeLabels": ANY,
    "nodeTaints": ANY,
    "orchestratorVersion": ANY,
    "osDiskSizeGB": ANY,
    "osDiskType": ANY,
    "osSKU": ("Ubuntu", "Ubuntu2204", "Ubuntu2404"),
    "osType": ("Linux",),
    "powerState": ({"code": "Running"},),
    "scaleDownMode": ("Delete",),
    "scaleSetPriority": ("Regular",),
    "securityProfile": ANY,
    "tags": ANY,
    "type": ("VirtualMachineScaleSets",),
    "upgradeSettings": ANY,
    "vmSize": ANY,
    "vnetSubnetID": ANY,
    "workloadRuntime": ("OCIContainer",),
}

MUTABLE = frozenset(
    {
        "count",
        "enableAutoScaling",
        "maxCount",
        "minCount",
        "mode",
        "nodeLabels",
        "nodeTaints",
        "orchestratorVersion",
        "tags",
        "upgradeSettings",
    }
)
"""What a PUT on an existing pool may change; everything else answers PropertyChangeNotAllowed."""

SYSTEM_TAINT = "CriticalAddonsOnly=true:NoSchedule"
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(
    r"([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
)
_EFFECTS = ("NoSchedule", "NoExecute", "PreferNoSchedule")


def with_defaults(body: Json, cluster_version: str) -> Json:
    """The pool as Azure answers for it: what was not given filled in."""
    size = sizes.find(str(body.get("vmSize", "")))
    if size is None:
        known = ", ".join(s.name for s in sizes.SIZES.values())
        raise invalid(
            f"The VM size of {body.get('vmSize')} is not allowed in your subscription in this location. "
            f"The sizes here are {known}.",
            "VMSizeNotSupported",
        )
    disk = body.get("osDiskSizeGB") or size.default_disk_gib
    ephemeral = size.temporary_gib >= disk
    filled = {
        "osDiskType": "Ephemeral" if ephemeral else "Managed",
        "osType": "Linux",
        "osSKU": "Ubuntu",
        "type": "VirtualMachineScaleSets",
        "mode": "User",
        "maxPods": 250,
        "orchestratorVersion": cluster_version,
        "enableAutoScaling": False,
        "enableFIPS": False,
        "enableNodePublicIP": False,
        "enableEncryptionAtHost": False,
        "enableUltraSSD": False,
        "kubeletDiskType": "OS",
        "scaleDownMode": "Delete",
        "upgradeSettings": {"maxSurge": "10%", "maxUnavailable": "0"},
        "powerState": {"code": "Running"},
    }
    return filled | {name: value for name, value in body.items() if value is not None} | {"osDiskSizeGB": disk}


def check(body: Json, cluster_version: str, offers: Sequence[str], *, creating: bool = True) -> None:
    """Everything about a pool that can be judged by itself. `body` has its defaults, `offers` are AKS's versions.

    On an existing autoscaled pool the count may lie outside the bounds: that is how one raises the least number.
    """
    played.only("an agent pool", body, PLAYED)
    size = sizes.of(body)
    system = body["mode"] == "System"
    if system and (size.cpus < 4 or size.memory < 4 << 30):
        raise invalid(f"System node pools need at least 4 vCPUs and 4GB memory; {size.name} has {size.cpus} vCPUs.")
    _check_count(body, system, creating)
    _check_disk(body, size)
    if not 10 <= body["maxPods"] <= 250:
        raise invalid(f"The value of parameter maxPods is invalid: {body['maxPods']}. It must be between 10 and 250.")
    if system and body["maxPods"] < 30:
        raise invalid(f"The value of parameter maxPods is invalid: {body['maxPods']}. System pools need at least 30.")
    zones = body.get("availabilityZones") or []
    if len(set(zones)) != len(zones) or not set(zones) <= {"1", "2", "3"}:
        raise invalid(f"The value of parameter availabilityZones is invalid: {zones}. Zones are 1, 2 and 3, once each.")
    if body.get("gpuProfile") and not size.gpus:
        raise invalid(f"gpuProfile can only be set for GPU VM sizes; {size.name} has no GPU.")
    check_taints(body.get("nodeTaints") or [], system)
    check_labels(body.get("nodeLabels") or {})
    check_upgrade_settings(body["upgradeSettings"], system)
    if creating:  # one that exists keeps its version, offered or not
        check_version(body["orchestratorVersion"], cluster_version, offers)


def _check_count(body: Json, system: bool, creating: bool) -> None:
    if body.get("count") is None:
        raise invalid("Required parameter properties.count is missing (null).")
    least = 1 if system else 0
    count, low, high = body["count"], body.get("minCount"), body.get("maxCount")
    if not least <= count <= 1000:
        raise invalid(f"The value of parameter count is invalid: {count}. It must be between {least} and 1000.")
    if not body["enableAutoScaling"]:
        if low is not None or high is not None:
            raise invalid("minCount and maxCount can only be set when enableAutoScaling is true.")
        return
    if low is None or high is None:
        raise invalid("minCount and maxCount are required when enableAutoScaling is true.")
    if not least <= low <= high <= 1000:
        raise invalid(f"minCount ({low}) and maxCount ({high}) must satisfy {least} <= minCount <= maxCount <= 1000.")
    if creating and not low <= count <= high:
        raise invalid(f"The value of parameter count ({count}) must be between minCount ({low}) and maxCount ({high}).")


def _check_disk(body: Json, size: sizes.Size) -> None:
    disk = body["osDiskSizeGB"]
    if not 30 <= disk <= 2048:
        raise invalid(f"The value of parameter osDiskSizeGB is invalid: {disk}. It must be between 30 and 2048.")
    if body["osDiskType"] == "Ephemeral" and size.temporary_gib < disk:
        room = f"a local disk of {size.temporary_gib} GB" if size.local_disk else "no local disk"
        raise invalid(
            f"The virtual machine size {size.name} has {room}; an Ephemeral OS disk of {disk} GB does not fit. "
            "Use Managed.",
            "EphemeralOSDiskNotSupported",
        )


def check_taints(taints: list[str], system: bool) -> None:
    for taint in taints:
        found = re.fullmatch(r"(?P<key>[^=:]+)(=(?P<value>[^:]*))?:(?P<effect>\w+)", taint)
        if found is None or found["effect"] not in _EFFECTS or _LABEL_KEY.fullmatch(found["key"]) is None:
            raise invalid(f"The taint {taint!r} is not of the form key=value:effect, effect one of {_EFFECTS}.")
        if _LABEL_VALUE.fullmatch(found["value"] or "") is None:
            raise invalid(f"The value of the taint {taint!r} is no valid label value.")
        if system and taint != SYSTEM_TAINT:
            raise invalid(f"System node pools may only be tainted with {SYSTEM_TAINT}, not {taint!r}.")


def check_labels(labels: dict[str, str]) -> None:
    for key, value in labels.items():
        if _LABEL_KEY.fullmatch(key) is None or _LABEL_VALUE.fullmatch(value) is None:
            raise invalid(f"The node label {key!r}: {value!r} is no valid Kubernetes label.")
        if key.startswith("kubernetes.azure.com/"):
            raise invalid(f"The node label {key!r} is invalid: the prefix kubernetes.azure.com/ is reserved.")


def check_upgrade_settings(settings: Json, system: bool) -> None:
    undrainable = settings.get("undrainableNodeBehavior")
    if undrainable not in (None, "Schedule", "Cordon"):
        raise invalid(f"upgradeSettings.undrainableNodeBehavior is {undrainable!r}: it must be Schedule or Cordon.")
    drain, soak = settings.get("drainTimeoutInMinutes"), settings.get("nodeSoakDurationInMinutes")
    if drain is not None and not 5 <= drain <= 1440:
        raise invalid(f"upgradeSettings.drainTimeoutInMinutes is {drain}: it must be between 5 and 1440.")
    if soak is not None and not 0 <= soak <= 30:
        raise invalid(f"upgradeSettings.nodeSoakDurationInMinutes is {soak}: it must be between 0 and 30.")
    surge = _amount("maxSurge", settings.get("maxSurge") or "10%")
    unavailable = _amount("maxUnavailable", settings.get("maxUnavailable") or "0")
    if system and unavailable:
        raise invalid("upgradeSettings.maxUnavailable is not allowed on system node pools.")
    if not surge and not unavailable:
        raise invalid("upgradeSettings.maxSurge and maxUnavailable must not both be 0.")


def _amount(name: str, text: str) -> int:
    found = re.fullmatch(r"(\d+)(%?)", text)
    if found is None or (found[2] and not int(found[1]) <= 100):
        raise invalid(f"upgradeSettings.{name} is {text!r}: it must be a whole number or a percentage up to 100%.")
    return int(found[1])


def check_version(pool: str, cluster: str, offers: Sequence[str]) -> None:
    """Whether a new pool's version goes with the control plane's."""
    control_plane = cluster if cluster.count(".") == 2 else versions.resolve(cluster, offers)
    upgrade.check_skew(versions.resolve(pool, offers, control_plane), control_plane)


def check_change(body: Json, current: Json, prefix: str = "properties") -> None:
    """Refuse a PUT that would change what may not change. A property not given stays as it is."""
    for name, value in body.items():
        if value is None or name in MUTABLE:
            continue
        before = current.get(name)
        if name == "osDiskSizeGB" and value == 0:
            continue
        if value != before and not (value in ([], {}) and before is None):
            if isinstance(value, dict) and isinstance(before, dict):
                changed = sorted(key for key in value if value[key] != before.get(key))
                if not changed:
                    continue
                name = f"{name}.{changed[0]}"
            raise change_not_allowed(f"{prefix}.{name}")
