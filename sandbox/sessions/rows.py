"""What nobody here knows of the vendor's software: one enum a row, its friendly and its hostile answer.

The answers of a plane are in `sandbox.settings` under the names in `Rows`; `docs/reference/twin.md` has the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BusySigterm(StrEnum):
    """What the processes of a busy session pod do at SIGTERM."""

    FINISHES = "finishes"
    """They serve their sessions to the end, as long as the pod's grace lets them."""
    ENDS = "ends"
    """They end as idle ones do."""


class BusyOldPod(StrEnum):
    """Whether a busy pod of an older version of its SessionGroup takes new sessions while it has room."""

    REFUSES = "refuses"
    TAKES = "takes"


class CordonedPod(StrEnum):
    """Whether a session pod on a cordoned node takes new sessions while it has room."""

    REFUSES = "refuses"
    TAKES = "takes"


class Without(StrEnum):
    """What becomes of the running sessions while something beside their path is away."""

    LIVE = "live"
    CUT = "cut"


class IdleRolling(StrEnum):
    """By what the session-group controller tells that a pod is idle."""

    USAGE = "usage"
    """The number of its sessions."""
    LABEL = "label"
    """The label `speechmatics.io/safe-to-evict`, which says `"false"` on a pod that is not to be touched."""


class SafeToEvict(StrEnum):
    """What the session-group controller does with that label."""

    LIFTED = "lifted"
    """It takes it off idle pods and puts it on busy ones."""
    KEPT = "kept"
    """Nothing: a pod keeps what its template says."""


@dataclass(frozen=True)
class Rows:
    """One answer to each question; the defaults are those of the settings."""

    busy_sigterm: BusySigterm = BusySigterm.FINISHES
    busy_old_pod: BusyOldPod = BusyOldPod.REFUSES
    cordoned_pod: CordonedPod = CordonedPod.REFUSES
    without_redis: Without = Without.LIVE
    without_resource_manager: Without = Without.LIVE
    idle_rolling: IdleRolling = IdleRolling.USAGE
    safe_to_evict: SafeToEvict = SafeToEvict.KEPT


FRIENDLY = Rows(safe_to_evict=SafeToEvict.LIFTED)
HOSTILE = Rows(
    BusySigterm.ENDS,
    BusyOldPod.TAKES,
    CordonedPod.TAKES,
    Without.CUT,
    Without.CUT,
    IdleRolling.LABEL,
    SafeToEvict.KEPT,
)
