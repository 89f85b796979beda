"""`resourceManager`: the four services that place sessions and run them (seed: `resourceManager.*`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, GoDuration, Section, only, shaped
from stacks.schema.transcribers import EnvVar
from stacks.schema.workload import (
    Amounts,
    Annotations,
    HttpGet,
    Labels,
    Probe,
    Resources,
    StartupProbe,
    over,
)


class OverloadingStrategy(StrEnum):
    """What the resource manager does with a request when capacity is used up."""

    NOT_ALLOWED = "not_allowed"
    ALLOW_PARTIAL = "allow_partial"
    ALLOW_ALL = "allow_all"


def _startup(path: str, port: int, attempts: int) -> StartupProbe:
    request = HttpGet.model_construct(path=path, port=port)
    return StartupProbe.model_construct(http_get=request, period_seconds=15, failure_threshold=attempts)


def _probe(path: str, port: int, delay: int, period: int) -> Probe:
    request = HttpGet.model_construct(path=path, port=port)
    return Probe.model_construct(
        http_get=request, initial_delay_seconds=delay, period_seconds=period, timeout_seconds=10
    )


def _requests(cpu: str, memory: str, limits: Amounts | None = None) -> Resources:
    return Resources(requests=Amounts(cpu=cpu, memory=memory), limits=limits or Amounts())


STARTUP, LIVENESS = _startup("/ready", 8080, 50), _probe("/live", 8080, 15, 15)
READINESS = _probe("/ready", 8080, 15, 15)
CONTROLLER_STARTUP, CONTROLLER_LIVENESS = _startup("/healthz", 8081, 20), _probe("/healthz", 8081, 15, 20)
CONTROLLER_READINESS = _probe("/readyz", 8081, 5, 10)
SMALL, RECONCILIATION = _requests("20m", "40Mi"), _requests("100m", "100Mi")
CONTROLLER = _requests("10m", "64Mi", Amounts(cpu="500m", memory="128Mi"))
"""Defaults (contract: control plane 4.1 to 4.4)."""


class Service(Section):
    """A Service in the cluster."""

    port: int = Field(8080, gt=0, lt=65536, description="Port of the Service.")


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


class Redis(Section):
    """The resource manager's Redis."""

    enabled: Annotated[bool, only(True, "the only Redis offered so far is the one in the cluster")] = Field(
        True, description="Enable redis for resource-manager to manage sessions."
    )
    timeout_connection: GoDuration = Field(
        "10m", description="Connection timeout for Redis: how long the services wait for it at their start."
    )


class Ingress(Section):
    """Ingresses straight to the resource manager."""

    enabled: Annotated[bool, only(False, "clients come through the proxy; the program makes no Ingress here")] = Field(
        False, description="Redirect clients to the resource manager; not offered."
    )


class CdCache(Section):
    """The cache of custom dictionaries."""

    enabled: Annotated[bool, only(False, "its address is in a Secret that the program does not have yet")] = Field(
        False, description="Cache custom dictionaries in Redis; not offered yet."
    )


class Pdb(Section):
    """The resource manager's own disruption budget."""

    enabled: bool = Field(False, description="Keep pods of the resource manager from being evicted all at once.")
    min_available: int = Field(1, ge=1, description="Pods that are left at any time; fewer than `replicas`.")


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
    container_name: str = Field("rt-asr-transcriber", min_length=1, description="The container that is watched.")
    pod_name_prefix: str | None = Field(
        None, min_length=1, description="How its pods' names begin; unset is `transcribers.fullnameOverride` and `-`."
    )
    node_selector: str | None = Field(
        None, min_length=1, description="Label selector of the nodes; unset is the transcriber pool."
    )
    condition_metrics: ConditionMetrics = Field(
        "none", description="Metrics whose excess sets a condition on the pod: `none`, or a list joined by commas."
    )


class MetricsSettings(Section):
    """The service that exports metrics of sessions."""

    enabled: bool = Field(True, description="Export Prometheus metrics for session usage and availability.")
    replicas: int = Field(1, ge=1, description="Its pods; for none, switch it off.")
    service: Service = Field(default_factory=Service, description="The Service with `/metrics`.")
    resources: Annotated[Resources, over(SMALL)] = Field(SMALL, description="CPU and memory.")
    worker_monitor: WorkerMonitor = Field(default_factory=WorkerMonitor, description="Watches transcribers.")
    additional_labels: Labels = Field(default_factory=dict, description="More labels of its pods.")
    additional_annotations: Annotations = Field(default_factory=dict, description="More annotations of its pods.")
    additional_env: tuple[EnvVar, ...] = Field((), description="More variables; none that is set already.")


class PodSelectorConfigMap(Section):
    """Where reconciliation reads which pods it looks after."""

    enabled: bool = Field(True, description="Read config values for pod_selector_list from configMap.")


class Repopulation(Section):
    """Filling an empty Redis from a database."""

    enabled: Annotated[bool, only(False, "it needs a database, whose Secret the program does not have yet")] = Field(
        False, description="Enable repopulation of sessions from database; not offered yet."
    )


NodeLabel = Annotated[
    str, shaped(r"^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?=([-A-Za-z0-9_.]*)$", "a node's label as key=value")
]
"""A label of a node as `key=value`."""


class NodeMonitor(Section):
    """Marks nodes that are busy for too long."""

    enabled: bool = Field(False, description="Watch the CPU of nodes. Its account gets the controller's rights.")
    cpu_threshold: int = Field(90, ge=1, le=100, description="CPU in per cent from which a node counts as busy.")
    condition_duration: GoDuration = Field("5m", description="How long, before the node is marked.")
    filter_labels: tuple[NodeLabel, ...] | None = Field(
        None, min_length=1, description="Labels of the nodes; unset is the transcriber and the inference pool."
    )


class ReconciliationSettings(Section):
    """The service that gives capacity back when pods were killed."""

    enabled: bool = Field(True, description="Reconcile Redis when pods are killed without returning capacity.")
    resources: Annotated[Resources, over(RECONCILIATION)] = Field(RECONCILIATION, description="CPU and memory.")
    reconciliation_interval: int = Field(15, gt=0, description="Seconds between two runs.")
    dry_run: bool = Field(False, description="Only log what would be given back.")
    pod_selector_config_map: PodSelectorConfigMap = Field(
        default_factory=PodSelectorConfigMap, description="The list from the ConfigMap: everything deployed."
    )
    pod_selector_list: tuple[DnsLabel, ...] = Field((), description="The list, when it is not from the ConfigMap.")
    repopulation: Repopulation = Field(default_factory=Repopulation, description="Filling an empty Redis.")
    node_monitor: NodeMonitor = Field(default_factory=NodeMonitor, description="Marks busy nodes.")
    additional_labels: Labels = Field(default_factory=dict, description="More labels of its pod.")
    additional_annotations: Annotations = Field(default_factory=dict, description="More annotations of its pod.")
    additional_env: tuple[EnvVar, ...] = Field((), description="More variables; none that is set already.")


class Defrag(Section):
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


class ControllerSettings(Section):
    """The sessiongroups-controller."""

    enabled: Annotated[bool, only(True, "without the controller nothing runs the SessionGroups")] = Field(
        True, description="Enable session groups controller."
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
    defrag: Defrag = Field(default_factory=Defrag, description="Moving pods together.")
    controller: ControllerProcess = Field(default_factory=ControllerProcess, description="The process.")
    additional_env: tuple[EnvVar, ...] = Field((), description="More variables; none that is set already.")


class ResourceManagerSettings(Section):
    """The resource manager and what belongs to it."""

    enabled: Annotated[bool, only(True, "no session is placed without the resource manager")] = Field(
        True, description="Deploy the resource manager; the vendor's chart does whatever it says."
    )
    fullname_override: DnsLabel = Field("resource-manager", description="Name of the Deployment and its objects.")
    replicas: int = Field(1, ge=1, description="Pods of the resource manager.")
    service: Service = Field(default_factory=Service, description="Its Service; the port is in `resource_manager_url`.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of its Service and the metrics'.")
    config: ResourceManagerConfig = Field(default_factory=ResourceManagerConfig, description="Placement of sessions.")
    startup_probe: Annotated[StartupProbe, over(STARTUP)] = Field(
        STARTUP, description="Startup probe to allow for slow start times of Redis."
    )
    liveness_probe: Annotated[Probe, over(LIVENESS)] = Field(LIVENESS, description="When it is restarted.")
    readiness_probe: Annotated[Probe, over(READINESS)] = Field(READINESS, description="When it gets requests.")
    resources: Annotated[Resources, over(SMALL)] = Field(SMALL, description="CPU and memory.")
    additional_labels: Labels = Field(default_factory=dict, description="More labels of its pods.")
    additional_annotations: Annotations = Field(default_factory=dict, description="More annotations of its pods.")
    additional_env: tuple[EnvVar, ...] = Field((), description="More variables; none that is set already.")
    pdb: Pdb = Field(default_factory=Pdb, description="Its disruption budget.")
    redis: Redis = Field(default_factory=Redis, description="Its Redis.")
    ingress: Ingress = Field(default_factory=Ingress, description="Ingresses straight to it.")
    cd_cache: CdCache = Field(default_factory=CdCache, description="The cache of custom dictionaries.")
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, description="The metrics service.")
    reconciliation: ReconciliationSettings = Field(
        default_factory=ReconciliationSettings, description="Enable Reconciliation service."
    )
    session_groups: ControllerSettings = Field(
        default_factory=ControllerSettings, description="The sessiongroups-controller."
    )
