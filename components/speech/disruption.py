"""How each kind of pod may be disturbed on purpose: its grace, its updates, and what may evict it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SAFE_TO_EVICT_LABEL = "speechmatics.io/safe-to-evict"
"""Label of session pods, read by the vendor's controller and by its budget (contract: control plane 10.4)."""

AUTOSCALER_VETO = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""Annotation the cluster autoscaler obeys: with "false" it never scales in the pod's node."""


@dataclass(frozen=True)
class Disruption:
    """The disruption policy of one workload."""

    grace_seconds: int | None
    """terminationGracePeriodSeconds; None leaves the API server's 30."""
    autoscaler_may_evict: bool

    @property
    def annotations(self) -> dict[str, str]:
        return {} if self.autoscaler_may_evict else {AUTOSCALER_VETO: "false"}


def session_pod(session_seconds: int, own: int | None = None) -> Disruption:
    """A pod that holds sessions: told to stop, it may live as long as the longest one, or as the configuration says.

    `own` is a grace of the pod's own in seconds, where the configuration has one.
    """
    return Disruption(grace_seconds=session_seconds if own is None else own, autoscaler_may_evict=False)


STATELESS = Disruption(grace_seconds=None, autoscaler_may_evict=True)
"""A service of which another pod takes over at once."""

SINGLE_STORE = Disruption(grace_seconds=30, autoscaler_may_evict=False)
"""Redis: one pod, all registrations. 30 s writes the append-only file out (contract: control plane 9.3)."""

REPLICATED_STORE = Disruption(grace_seconds=30, autoscaler_may_evict=False)
"""A node of Redis with Sentinel: it hands over first (contract: control plane 9.3)."""


def surge_first() -> dict[str, Any]:
    """The new pod is ready before the old one is told to go."""
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def one_at_most() -> dict[str, Any]:
    """The old pod is gone before the new one starts: for what must never run twice."""
    return {"type": "Recreate"}
