"""What AKS refuses of an upgrade, and what overrides its checks.

Sources: AKS documentation upgrade-aks-cluster and upgrade-aks-control-plane (no minor version of the control plane is
skipped), supported-kubernetes-versions (skew of the pools), upgrade-options (forced upgrades); property descriptions
of the AKS REST API 2025-09-01.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from sandbox.azure import versions
from sandbox.azure.errors import invalid
from sandbox.rpc import Json

Version = tuple[int, ...]


def _parsed(version: str) -> Version:
    return tuple(map(int, version.split(".")))


def check_skew(pool: str, control_plane: str) -> None:
    """A pool is at most as new as the control plane, and at most two minors older. Both are full versions."""
    lag = versions.minor(control_plane)[1] - versions.minor(pool)[1]
    if _parsed(pool) > _parsed(control_plane) or lag > 2:
        raise invalid(
            f"Node pool version {pool} and control plane version {control_plane} are incompatible: a pool is never "
            "newer, and at most two minor versions older.",
            "NodePoolMcVersionIncompatible",
        )


def check_pool(wanted: str, running: str, control_plane: str) -> None:
    """A pool's own upgrade. All are full versions."""
    if _parsed(wanted) < _parsed(running):
        raise invalid(f"Downgrading a node pool from {running} to {wanted} is not allowed.", "OperationNotAllowed")
    check_skew(wanted, control_plane)


def check_control_plane(wanted: str, running: str, pools: Iterable[str]) -> None:
    """The control plane's upgrade. `pools` are the versions that the cluster's pools will have right after it."""
    if _parsed(wanted) < _parsed(running):
        raise invalid(f"Downgrading Kubernetes from {running} to {wanted} is not allowed.", "OperationNotAllowed")
    if versions.minor(wanted)[1] > versions.minor(running)[1] + 1:
        raise invalid(
            f"Upgrading Kubernetes version {running} to {wanted} is not allowed: minor versions cannot be skipped.",
            "OperationNotAllowed",
        )
    for pool in pools:
        check_skew(pool, wanted)


def check_override(cluster: Json) -> None:
    """`upgradeSettings` of a cluster's PUT."""
    until = _override(cluster).get("until")
    if until is not None and _moment(until) is None:
        raise invalid(f"upgradeSettings.overrideSettings.until is {until!r}: it must be a time, YYYY-MM-DDTHH:MM:SSZ.")


def forced(cluster: Json, now: datetime.datetime) -> bool:
    """Whether an upgrade that starts now ignores budgets. Without `until` an override has no effect (REST API)."""
    override = _override(cluster)
    until = _moment(override.get("until") or "")
    return bool(override.get("forceUpgrade")) and until is not None and now < until


def _override(cluster: Json) -> Json:
    found: Json = (cluster.get("upgradeSettings") or {}).get("overrideSettings") or {}
    return found


def _moment(text: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
