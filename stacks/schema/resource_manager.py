"""`resourceManager`: the resource manager and the sessiongroups-controller (seed: `resourceManager.*`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, GoDuration, Section


class OverloadingStrategy(StrEnum):
    """What the resource manager does with a request when capacity is used up."""

    NOT_ALLOWED = "not_allowed"
    ALLOW_PARTIAL = "allow_partial"
    ALLOW_ALL = "allow_all"


class HttpGet(Section):
    """The request of a probe."""

    path: str = Field(pattern="^/", description="Path of the request.")
    port: int = Field(gt=0, lt=65536, description="Port number on the pod.")


class StartupProbe(Section):
    """A startup probe, passed on whole; its budget is periodSeconds × failureThreshold."""

    http_get: HttpGet = Field(description="The request.")
    period_seconds: int = Field(gt=0, description="Seconds between two attempts.")
    failure_threshold: int = Field(gt=0, description="Attempts before the container is restarted.")

    @property
    def budget_seconds(self) -> int:
        """How long the container may take to start, in seconds."""
        return self.period_seconds * self.failure_threshold


class Service(Section):
    """The Service in front of the resource manager."""

    port: int = Field(8080, gt=0, lt=65536, description="Port of the Service, and of `resource_manager_url`.")


class ResourceManagerConfig(Section):
    """How the resource manager places sessions."""

    resource_manager_conn_timeout_secs: int = Field(900, gt=0, description="Connection timeout in seconds.")
    overloading_strategy: OverloadingStrategy = Field(
        OverloadingStrategy.NOT_ALLOWED, description="What happens to a request when capacity is used up."
    )
    use_node_bin_packing: bool = Field(False, description="Prefer nodes that already carry sessions.")
    resource_selection_strategy: int = Field(
        0, ge=0, le=3, description="0 most used, 1 least used (ties to the higher capacity); 2, 3 ties to the lower."
    )
    lease_duration: GoDuration = Field("5m", description="How long a registration in Redis is valid.")
    inference_capacity_on_transcriber_request_enabled: bool = Field(
        False, description="Reserve inference capacity when a transcriber is requested."
    )


class ControllerSettings(Section):
    """The sessiongroups-controller."""

    enabled: Literal[True] = Field(
        True, description="Run the session groups controller; without it nothing runs the SessionGroups."
    )
    startup_probe: StartupProbe = Field(
        StartupProbe.model_construct(
            http_get=HttpGet.model_construct(path="/healthz", port=8081), period_seconds=15, failure_threshold=20
        ),
        description="Higher startup probe time to allow Redis to start.",
    )


class ResourceManagerSettings(Section):
    """The resource manager and what belongs to it."""

    fullname_override: DnsLabel = Field("resource-manager", description="Name of the Deployment and its objects.")
    replicas: int = Field(1, ge=1, description="Pods of the resource manager.")
    service: Service = Field(default_factory=Service, description="The Service in front of it.")
    config: ResourceManagerConfig = Field(default_factory=ResourceManagerConfig, description="Placement of sessions.")
    startup_probe: StartupProbe = Field(
        StartupProbe.model_construct(
            http_get=HttpGet.model_construct(path="/ready", port=8080), period_seconds=15, failure_threshold=50
        ),
        description="Startup probe to allow for slow start times of Redis.",
    )
    session_groups: ControllerSettings = Field(
        default_factory=ControllerSettings, description="The sessiongroups-controller."
    )
