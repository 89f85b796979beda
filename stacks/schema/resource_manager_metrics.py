"""`resourceManager.metrics`: the service that exports metrics of sessions (seed: `resourceManager.metrics.*`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import Section, shaped
from stacks.schema.control_plane_service import SMALL, LabelledService, Service
from stacks.schema.workload import Resources, over

ConditionMetrics = Annotated[
    str,
    shaped(
        "^(none|container_(cpu_usage_millicores|memory_usage_megabytes)"
        "(,container_(cpu_usage_millicores|memory_usage_megabytes))?)$",
        "none, container_cpu_usage_millicores, container_memory_usage_megabytes, or the last two with a comma between",
    ),
]
"""Metrics that the worker monitor compares."""


class WorkerMonitor(Section):
    """Watches what transcribers use, by the kubelets' numbers."""

    enabled: bool = Field(
        False, description="Enable monitoring of worker CPU and Memory usage, logging when usage exceeds thresholds."
    )
    cpu_factor: float = Field(1.2, gt=0, alias="CPUFactor", description="CPU threshold, as a factor of the request.")
    memory_factor: float = Field(1.2, gt=0, description="Memory threshold, as a factor of the request.")
    container_name: str | None = Field(
        None, min_length=1, description="The container that is watched; unset is the transcribers' own."
    )
    pod_name_prefix: str | None = Field(
        None, min_length=1, description="How its pods' names begin; unset is `transcribers.fullnameOverride` and `-`."
    )
    node_selector: str | None = Field(
        None, min_length=1, description="Label selector of the nodes; unset is the transcriber pool."
    )
    condition_metrics: ConditionMetrics = Field(
        "none",
        description="Metrics whose excess sets a condition on the pod: `none`, or a list joined by commas.",
    )


class MetricsSettings(LabelledService):
    """The service that exports metrics of sessions."""

    enabled: bool = Field(True, description="Export Prometheus metrics for session usage and availability.")
    replicas: int = Field(1, ge=1, description="Its pods; for none, switch it off.")
    service: Service = Field(default_factory=Service, description="The Service with `/metrics`.")
    resources: Annotated[Resources, over(SMALL)] = Field(SMALL, description="CPU and memory.")
    worker_monitor: WorkerMonitor = Field(default_factory=WorkerMonitor, description="Watches transcribers.")
