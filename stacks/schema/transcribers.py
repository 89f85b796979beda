"""`transcribers`: one session group of transcribers for each language (seed: `transcribers.*`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, Section
from stacks.schema.fragment import Toleration
from stacks.schema.global_settings import ComponentLicensing
from stacks.schema.placement import PlacementSettings
from stacks.schema.resource_manager_address import ResourceManagerAddress
from stacks.schema.session_groups import TranscriberGroups

NODE = "node.kubernetes.io"


class OperatingPoint(StrEnum):
    """The accuracy and cost class of a model."""

    STANDARD = "standard"
    ENHANCED = "enhanced"


class EnvVar(Section):
    """One environment variable with a plain value."""

    name: str = Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$", description="Name of the variable.")
    value: str = Field(description="Its value; numbers and booleans quoted.")


class Eats(Section):
    """Usage reporting."""

    enable_usage_reporting: bool = Field(
        True, description='Enable usage reporting to "usage.speechmatics.com" endpoint.'
    )


class PreWarm(Section):
    """A session the readiness-tracker runs against its own transcriber before real ones come."""

    enabled: bool = Field(True, description="Run a pre-warm session on start to improve startup connection times.")
    every_session: bool = Field(False, description="Run preWarm for a pod after every session.")
    operating_point: OperatingPoint = Field(
        OperatingPoint.ENHANCED, description="Operating point used for the preWarm session."
    )


class ReadinessTracker(Section):
    """The sidecar that registers a transcriber with the resource manager."""

    restart_after_n_sessions: int = Field(0, ge=0, description="Restart transcriber after N sessions; 0 is never.")
    pre_warm: PreWarm = Field(default_factory=PreWarm, description="The pre-warm session.")


class MaxConcurrentConnections(Section):
    """Sessions in one pod."""

    value: int = Field(2, ge=1, description="Number of sessions to allow per transcriber pod.")


class TranscriberContainer(PlacementSettings):
    """The transcriber itself, and where its pods run."""

    mode: Literal["rt"] = Field("rt", description="Mode to run transcribers in; this platform is real-time only.")
    max_concurrent_connections: MaxConcurrentConnections = Field(
        default_factory=MaxConcurrentConnections, description="Sessions in one pod."
    )
    env: tuple[EnvVar, ...] = Field(
        (
            EnvVar(name="SM_ON_PREM", value="true"),
            EnvVar(name="SM_WEBSOCKET_CONFIG", value='{\n  "autoPingTimeout": 300\n}\n'),
            EnvVar(name="SM_INFERENCE_RESPONSE_TIMEOUT_MS", value="900000"),
        ),
        description="Environment variables to add to transcriber container.",
    )
    licensing: ComponentLicensing = Field(
        default_factory=ComponentLicensing, description="The license of the transcribers."
    )
    tolerations: tuple[Toleration, ...] = Field(
        (
            {"key": f"{NODE}/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": f"{NODE}/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": f"{NODE}/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
        ),
        description="Taints that keep no transcriber away, beside the pool's own.",
    )


class WorkerProxy(Section):
    """The sidecar between transcriber and inference servers."""

    env: tuple[EnvVar, ...] = Field((), description="Environment variables to add to worker-proxy container.")
    check_for_capacity_on_start: bool | None = Field(
        None, description="Wait at start for free inference capacity; unset follows readinessTracker.preWarm.enabled."
    )


class TranscriberSettings(Section):
    """All transcribers."""

    enabled: bool = Field(True, description="Deploy transcribers for every language of `global.transcriber.languages`.")
    fullname_override: DnsLabel = Field("rt-transcriber", description="Base name; each group adds its language.")
    session_groups: TranscriberGroups = Field(default_factory=TranscriberGroups, description="The groups.")
    transcriber: TranscriberContainer = Field(
        default_factory=TranscriberContainer, description="The transcriber itself."
    )
    readiness_tracker: ReadinessTracker = Field(
        default_factory=ReadinessTracker, description="The sidecar that registers the pod."
    )
    worker_proxy: WorkerProxy = Field(default_factory=WorkerProxy, description="The sidecar towards inference.")
    resource_manager: ResourceManagerAddress = Field(
        default_factory=ResourceManagerAddress, description="How the sidecars learn the resource manager's address."
    )
    eats: Eats = Field(default_factory=Eats, description="Usage reporting.")
