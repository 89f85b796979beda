"""How many replicas a group's buffer asks for (`spec.scaling`), and when it may have fewer.

Chart README: `(replicas x maxConcurrentConnections) - scaleOnCapacityLeft = supported sessions before scaling`; growth
is at once, shrinking waits until pods have been idle for `scaleDownDelay`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.twin.model import Group, Pod, RefusedError

ROUNDING = 1e-9
"""Taken off before rounding up, so that 2.0000000000000004 pods are 2."""


@dataclass(frozen=True)
class Target:
    """The replicas a group is to have, why, and in how many seconds that may change by itself (None: it will not)."""

    replicas: int
    reason: str | None = None
    again_in: float | None = None


def wanted(group: Group, pods: Sequence[Pod]) -> int:
    """Replicas the buffer asks for between minimum and maximum. Raises `RefusedError` where it cannot be computed."""
    scaling = group.scaling
    if scaling.minimum > scaling.maximum:
        raise RefusedError(
            "ScalingContradictory",
            f"spec.scaling.minReplicas {scaling.minimum} is above maxReplicas {scaling.maximum}; "
            "the controller's choice between them is not known",
        )
    by_buffer = [group.replicas] if scaling.capacity_left < 0 and scaling.pods_left < 0 else []
    if not by_buffer:
        capacity = group.features.capacity if group.features else 0
        if capacity == 0:
            raise RefusedError(
                "CapacityUnknown",
                "spec.scaling.enabled needs the capacity of a pod: no container has REGISTER_FEATURES with one",
            )
        usage = sum(pod.usage for pod in pods if pod.counts)
        if scaling.capacity_left >= 0:
            by_buffer.append(math.ceil((usage + scaling.capacity_left) / capacity - ROUNDING))
        if scaling.pods_left >= 0:
            by_buffer.append(math.ceil(usage / capacity + scaling.pods_left - ROUNDING))
    return min(max(*by_buffer, scaling.minimum, 0), scaling.maximum)


def idle_long_enough(group: Group, pods: Sequence[Pod], now: float, time_factor: float) -> list[Pod]:
    """Idle pods that scale-down may take, longest idle first."""
    delay = group.scaling.down_delay / time_factor
    idle = [pod for pod in pods if pod.counts and pod.idle and pod.idle_since is not None]
    return sorted((pod for pod in idle if now - since(pod) >= delay), key=lambda pod: (since(pod), pod.name))


def since(pod: Pod) -> float:
    return pod.idle_since if pod.idle_since is not None else math.inf


def target(group: Group, pods: Sequence[Pod], settled: bool, now: float, time_factor: float) -> Target:
    """The replicas the group is to have now. `settled`: it has no more pods than the last target allowed.

    At most `maxPodsScaledDownAtOnce` idle pods are on their way out at the same time. Raises `RefusedError`.
    """
    if not group.scaling.enabled:
        return Target(group.replicas)
    want = wanted(group, pods)
    if want > group.replicas:
        return Target(want, f"the buffer asks for {want} replicas, there are {group.replicas}")
    again = _next_ripe(group, pods, now, time_factor)
    if not settled:
        return Target(group.replicas, again_in=again)
    if want == group.replicas:
        return Target(group.replicas)
    leaving = sum(pod.terminating and pod.idle for pod in pods)
    takeable = len(idle_long_enough(group, pods, now, time_factor))
    replicas = group.replicas - max(0, min(group.replicas - want, group.scaling.max_down_at_once - leaving, takeable))
    if replicas == group.replicas:
        return Target(replicas, again_in=again)
    return Target(replicas, f"the buffer asks for {want} replicas, {takeable} pods have been idle long enough", again)


def _next_ripe(group: Group, pods: Sequence[Pod], now: float, time_factor: float) -> float | None:
    """Seconds until the next idle pod may be taken."""
    delay = group.scaling.down_delay / time_factor
    waits = [since(pod) + delay - now for pod in pods if pod.counts and pod.idle and pod.idle_since is not None]
    return min((wait for wait in waits if wait > 0), default=None)
