"""What nobody here knows of the vendor's software: one enum a row, its friendly and its hostile answer.

The answers of a plane are among its settings (`sandbox.settings`); `docs/reference/twin.md` has the table.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


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


class FlowSilence(StrEnum):
    """How long nothing crosses the wire of a conversation with an agent."""

    PINGED = "pinged"
    """As long as a transcriber's websocket is silent: between two of its pings."""
    NEVER_PINGED = "never pinged"
    """As long as it lasts."""


class IdleRolling(StrEnum):
    """By what the session-group controller tells that a pod is idle."""

    USAGE = "usage"
    """The number of its sessions."""
    LABEL = "label"
    """The label `speechmatics.io/safe-to-evict`, which says `"false"` on a pod that is not to be touched."""


class ActiveNodes(StrEnum):
    """Where the session-group controller has pods of a group with `activeNodeScheduling` scheduled."""

    IGNORED = "ignored"
    """Wherever the scheduler takes them."""
    PREFERRED = "preferred"
    """On nodes that carry sessions already, where there is room."""


class SafeToEvict(StrEnum):
    """What the session-group controller does with that label."""

    LIFTED = "lifted"
    """It takes it off idle pods and puts it on busy ones."""
    KEPT = "kept"
    """Nothing: a pod keeps what its template says."""


class Rows(BaseModel):
    """One answer to each question. The defaults are careful guesses."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    busy_sigterm: BusySigterm = Field(
        default=BusySigterm.FINISHES, description="what the processes of a busy session pod do at SIGTERM"
    )
    busy_old_pod: BusyOldPod = Field(
        default=BusyOldPod.REFUSES, description="whether a busy pod of an old version takes new sessions"
    )
    cordoned_pod: CordonedPod = Field(
        default=CordonedPod.REFUSES, description="whether a session pod on a cordoned node takes new sessions"
    )
    without_redis: Without = Field(
        default=Without.LIVE, description="what becomes of running sessions while Redis is away"
    )
    without_resource_manager: Without = Field(
        default=Without.LIVE, description="what becomes of running sessions while the resource manager is away"
    )
    lapsed_registration: Without = Field(
        default=Without.LIVE,
        description="what becomes of running sessions whose registrations have run out while Redis was away",
    )
    flow_silence: FlowSilence = Field(
        default=FlowSilence.PINGED, description="whether a conversation with an agent is pinged as a transcriber's is"
    )
    idle_rolling: IdleRolling = Field(
        default=IdleRolling.USAGE, description="by what the session-group controller tells that a pod is idle"
    )
    active_nodes: ActiveNodes = Field(
        default=ActiveNodes.IGNORED, description="where pods of a group with activeNodeScheduling are scheduled"
    )
    safe_to_evict: SafeToEvict = Field(
        default=SafeToEvict.KEPT, description="whether it lifts speechmatics.io/safe-to-evict from idle pods"
    )


FRIENDLY = Rows(safe_to_evict=SafeToEvict.LIFTED)
HOSTILE = Rows(
    busy_sigterm=BusySigterm.ENDS,
    busy_old_pod=BusyOldPod.TAKES,
    cordoned_pod=CordonedPod.TAKES,
    without_redis=Without.CUT,
    without_resource_manager=Without.CUT,
    lapsed_registration=Without.CUT,
    flow_silence=FlowSilence.NEVER_PINGED,
    idle_rolling=IdleRolling.LABEL,
    active_nodes=ActiveNodes.PREFERRED,
    safe_to_evict=SafeToEvict.KEPT,
)
