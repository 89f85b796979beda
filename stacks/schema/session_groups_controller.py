"""`resourceManager.sessionGroups`: the sessiongroups-controller (seed: `resourceManager.sessionGroups.*`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, GoDuration, Section, only
from stacks.schema.control_plane_service import ControlPlaneService, probe, requests, startup
from stacks.schema.fragment import PodSecurityContext
from stacks.schema.workload import Amounts, Annotations, Probe, Resources, StartupProbe, over

CONTROLLER_STARTUP, CONTROLLER_LIVENESS = startup("/healthz", 8081, 20), probe("/healthz", 8081, 15, 20)
CONTROLLER_READINESS = probe("/readyz", 8081, 5, 10)
CONTROLLER = requests("10m", "64Mi", Amounts(cpu="500m", memory="128Mi"))
"""Defaults (contract: control plane 4.4)."""

NO_OTHER_NAME = "it can never take effect: the controller's objects have a fixed name (contract: control plane 3.1)"


class ControllerDefrag(Section):
    """Moving sessions' pods together, so that nodes become free."""

    scale_down_enabled: bool = Field(False, description="Let the controller take idle pods away to free nodes.")
    rate_limit_duration: GoDuration = Field("60s", description="Span in which occurrences are counted.")
    rate_limit_max_occurences: int = Field(1, ge=1, description="Most occurrences in that span.")
    interval_duration: GoDuration = Field("30s", description="Time between two looks.")
    min_usage_delta: int = Field(25, ge=1, description="Least difference in usage that is worth a move.")
    max_scale_up: int = Field(1, ge=1, description="Most pods added for it.")


class ControllerProcess(Section):
    """The controller's process."""

    max_pause_duration: GoDuration = Field("2m", description="Longest pause of reconciling.")
    additional_args: tuple[str, ...] = Field((), description="More arguments.")
    additional_annotations: Annotations = Field(default_factory=dict, description="More annotations of its pod.")


class ControllerSettings(ControlPlaneService):
    """The sessiongroups-controller."""

    enabled: bool = Field(
        True, description="Enable session groups controller; off only where nothing is a session group."
    )
    name_override: Annotated[DnsLabel | None, only(None, NO_OTHER_NAME)] = Field(
        None, description="Part of a name that the chart makes and never uses; only its default is accepted."
    )
    startup_probe: Annotated[StartupProbe, over(CONTROLLER_STARTUP)] = Field(
        CONTROLLER_STARTUP, description="Higher startup probe time to allow Redis to start."
    )
    liveness_probe: Annotated[Probe, over(CONTROLLER_LIVENESS)] = Field(
        CONTROLLER_LIVENESS, description="When it is restarted."
    )
    readiness_probe: Annotated[Probe, over(CONTROLLER_READINESS)] = Field(
        CONTROLLER_READINESS, description="When it counts as ready."
    )
    resources: Annotated[Resources, over(CONTROLLER)] = Field(CONTROLLER, description="CPU and memory.")
    defrag: ControllerDefrag = Field(default_factory=ControllerDefrag, description="Moving pods together.")
    controller: ControllerProcess = Field(default_factory=ControllerProcess, description="The process.")
    security_context: PodSecurityContext = Field(
        default_factory=lambda: {"runAsNonRoot": False}, description="What the processes of its pod may do."
    )
