"""A cluster's `autoScalerProfile` as values, its defaults filled in.

Defaults: AKS documentation cluster-autoscaler (2026-07-30). What AKS has no setting for is upstream's default
(kubernetes/autoscaler, FAQ, "What are the parameters to CA?"). All times in seconds, unscaled.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sandbox.rpc import Json

GPU_UTILIZATION_THRESHOLD = Fraction(1, 2)
"""`--scale-down-gpu-utilization-threshold`; AKS has no setting for it."""

EVICTION_SECONDS = 120.0
"""How long evictions that budgets refuse are repeated (`--max-pod-eviction-time`)."""

EVICT_AGAIN_SECONDS = 10.0
"""The pause between them (scaledown/actuation/drain.go, `DefaultEvictionRetryTime`)."""

HEADROOM_SECONDS = 30.0
"""What a stopping pod gets beyond the longest grace (drain.go, `DefaultPodEvictionHeadroom`)."""

_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Profile:
    scan_interval: float
    delay_after_add: float
    delay_after_delete: float
    delay_after_failure: float
    unneeded: float
    unready: float
    utilization_threshold: Fraction
    max_graceful_termination: int
    max_empty_bulk_delete: int
    skip_local_storage: bool
    skip_system_pods: bool
    ignore_daemonsets: bool
    evict_daemonsets_empty: bool
    evict_daemonsets_occupied: bool


def profile(cluster: Json) -> Profile:
    """The settings that a cluster's state says."""
    given = {name: value for name, value in (cluster.get("autoScalerProfile") or {}).items() if value is not None}

    def time(name: str, default: float) -> float:
        text = str(given.get(name, default))
        return float(text[:-1]) * _UNITS[text[-1]] if text[-1] in _UNITS else float(text)

    def flag(name: str, default: bool) -> bool:
        return str(given.get(name, default)).lower() == "true"

    scan = time("scanInterval", 10)
    return Profile(
        scan_interval=scan,
        delay_after_add=time("scaleDownDelayAfterAdd", 600),
        delay_after_delete=time("scaleDownDelayAfterDelete", scan),
        delay_after_failure=time("scaleDownDelayAfterFailure", 180),
        unneeded=time("scaleDownUnneededTime", 600),
        unready=time("scaleDownUnreadyTime", 1200),
        utilization_threshold=Fraction(str(given.get("scaleDownUtilizationThreshold", "0.5"))),
        max_graceful_termination=int(given.get("maxGracefulTerminationSec", 600)),
        max_empty_bulk_delete=int(given.get("maxEmptyBulkDelete", 10)),
        skip_local_storage=flag("skipNodesWithLocalStorage", False),
        skip_system_pods=flag("skipNodesWithSystemPods", True),
        ignore_daemonsets=flag("ignoreDaemonsetsUtilization", False),
        evict_daemonsets_empty=flag("daemonsetEvictionForEmptyNodes", False),
        evict_daemonsets_occupied=flag("daemonsetEvictionForOccupiedNodes", True),
    )
