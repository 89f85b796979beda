"""PodDisruptionBudgets as AKS and the cluster autoscaler look at them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.azure.errors import ArmError
from sandbox.azure.fitting import selects
from sandbox.kube import Json


def covering(pod: Json, budgets: Iterable[Json]) -> list[Json]:
    """The budgets that speak of a pod. An empty selector is every pod of the namespace (policy/v1)."""
    meta = pod["metadata"]
    return [
        budget
        for budget in budgets
        if budget["metadata"]["namespace"] == meta["namespace"]
        and budget["spec"].get("selector") is not None
        and selects(budget["spec"]["selector"], meta.get("labels") or {})
    ]


def allows(budget: Json) -> int:
    """How many disruptions the disruption controller allows now."""
    return int((budget.get("status") or {}).get("disruptionsAllowed") or 0)


def check_upgrade(budgets: Iterable[Json]) -> None:
    """AKS's check before any upgrade: refuse while any budget in the cluster allows no disruption.

    Whichever pool is upgraded, an empty one too (Azure/AKS#4839); the wording is that of Azure/AKS#4860. A budget that
    covers no pod disrupts nothing and refuses nothing.
    """
    blocking = [why for why in map(_blocks, budgets) if why is not None]
    if blocking:
        count = "1 error" if len(blocking) == 1 else f"{len(blocking)} errors"
        details = "".join(f"\n\t* {why}" for why in blocking)
        raise ArmError(
            400,
            "UnsatisfiablePDB",
            "Upgrade is blocked due to invalid Pod Disruption Budgets (PDBs). Please review the PDB spec to allow "
            "disruptions during upgrades. To bypass this error, set forceUpgrade in upgradeSettings.overrideSettings. "
            "Bypassing this error without updating the PDB may result in drain failures during upgrade process. "
            f"Invalid PDBs details: {count} occurred:{details}",
        )


def _blocks(budget: Json) -> str | None:
    """Why a budget forbids an upgrade; None when it does not."""
    status, spec, meta = budget.get("status") or {}, budget["spec"], budget["metadata"]
    expected = status.get("expectedPods") or 0
    if not expected or allows(budget):
        return None
    if spec.get("maxUnavailable") is not None:
        found = f"maxUnavailable({spec['maxUnavailable']}) and allows 0 disruptions of expectedPods({expected})"
    elif expected <= (status.get("desiredHealthy") or 0):
        found = f"minAvailable({spec.get('minAvailable', 1)}) >= expectedPods({expected}) "
    else:
        found = f"minAvailable({spec.get('minAvailable', 1)}) and allows 0 disruptions of expectedPods({expected})"
    return f"PDB {meta['namespace']}/{meta['name']} has {found} can't proceed with put operation"
