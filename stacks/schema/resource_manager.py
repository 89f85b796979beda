"""`resourceManager`: the four services that place sessions and run them (seed: `resourceManager.*`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, GoDuration, Language, Section, only
from stacks.schema.control_plane_service import SMALL, LabelledService, Service, probe, startup
from stacks.schema.fragment import Volume, VolumeMount
from stacks.schema.global_settings import PullSecret
from stacks.schema.modes import Mode
from stacks.schema.redis import ExternalRedis, Redis, ResourceManagerSecrets
from stacks.schema.resource_manager_ingress import ResourceManagerIngress
from stacks.schema.resource_manager_metrics import MetricsSettings
from stacks.schema.resource_manager_reconciliation import ReconciliationSettings
from stacks.schema.session_groups_controller import ControllerSettings
from stacks.schema.workload import Annotations, Probe, Resources, StartupProbe, over

STARTUP, LIVENESS = startup("/ready", 8080, 50), probe("/live", 8080, 15, 15)
READINESS = probe("/ready", 8080, 15, 15)
"""Defaults (contract: control plane 4.1)."""


class OverloadingStrategy(StrEnum):
    """What the resource manager does with a request when capacity is used up."""

    NOT_ALLOWED = "not_allowed"
    ALLOW_PARTIAL = "allow_partial"
    ALLOW_ALL = "allow_all"


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
    enable_set_service_ip: Annotated[bool, only(False, "an aid of the vendor's own tests")] = Field(
        False, alias="enableSetServiceIP", description="Only its default; not offered."
    )
    flow_use_local_transcriber: bool | None = Field(None, description="Unset is `global.flow.flowUseLocalTranscriber`.")
    inference_capacity_on_transcriber_request_enabled: bool = Field(
        False, description="Reserve inference capacity when a transcriber is requested."
    )
    languages: tuple[Language, ...] | None = Field(
        None, min_length=1, description="Languages that are accepted; unset is `global.transcriber.languages`."
    )


class CdCache(Section):
    """The cache of custom dictionaries."""

    enabled: bool = Field(False, description="Cache custom dictionaries in Redis; its address is in a Secret.")
    max_entry_size_bytes: int = Field(10485760, gt=0, description="Largest entry in bytes.")
    expiry_second: int = Field(86400, gt=0, description="Seconds an entry is kept.")
    max_keys_per_contract: int = Field(200, gt=0, description="Most entries of one customer.")


class Pdb(Section):
    """The resource manager's own disruption budget."""

    enabled: bool = Field(False, description="Keep pods of the resource manager from being evicted all at once.")
    min_available: int = Field(1, ge=1, description="Pods that are left at any time; fewer than `replicas`.")


class Groups(Section):
    """Where the session groups are."""

    namespace: Annotated[None, only(None, "rights and reconciliation reach one namespace")] = Field(
        None, description="Another namespace for transcribers; refused."
    )


class ResourceManagerSettings(LabelledService):
    """The resource manager and what belongs to it; node selector and tolerations are those of all four services."""

    enabled: Annotated[bool, only(True, "no template of the chart reads it: the resource manager is always made")] = (
        Field(True, description="Read by nothing; only its default is accepted.")
    )
    fullname_override: DnsLabel = Field("resource-manager", description="Name of the Deployment and its objects.")
    cluster: str | None = Field(
        None, min_length=1, description="Cluster name as reconciliation knows it; unset is `global.cluster`."
    )
    mode: Mode = Field(
        Mode.REAL_TIME, description="What it places: live sessions, or jobs without a list of languages."
    )
    replicas: int = Field(1, ge=1, description="Pods of the resource manager.")
    service: Service = Field(default_factory=Service, description="Its Service; the port is in `resource_manager_url`.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of its Service and the metrics'.")
    config: ResourceManagerConfig = Field(default_factory=ResourceManagerConfig, description="Placement of sessions.")
    transcriber: Groups = Field(default_factory=Groups, description="Where the session groups are.")
    startup_probe: Annotated[StartupProbe, over(STARTUP)] = Field(
        STARTUP, description="Startup probe to allow for slow start times of Redis."
    )
    liveness_probe: Annotated[Probe, over(LIVENESS)] = Field(LIVENESS, description="When it is restarted.")
    readiness_probe: Annotated[Probe, over(READINESS)] = Field(READINESS, description="When it gets requests.")
    resources: Annotated[Resources, over(SMALL)] = Field(SMALL, description="CPU and memory.")
    image_pull_secrets: tuple[PullSecret, ...] = Field(
        (), description="Pull Secrets of all four services, which exist; none is `global.imagePullSecrets`."
    )
    additional_volumes: tuple[Volume, ...] = Field((), description="More volumes of its pods.")
    additional_volume_mounts: tuple[VolumeMount, ...] = Field((), description="Where its container sees them.")
    pdb: Pdb = Field(default_factory=Pdb, description="Its disruption budget.")
    redis: Redis = Field(default_factory=Redis, description="Its Redis.")
    external_redis: ExternalRedis = Field(default_factory=ExternalRedis, description="A Redis outside the cluster.")
    secrets: ResourceManagerSecrets = Field(default_factory=ResourceManagerSecrets, description="Its Secrets.")
    ingress: ResourceManagerIngress = Field(
        default_factory=ResourceManagerIngress, description="Ingresses straight to it."
    )
    cd_cache: CdCache = Field(default_factory=CdCache, description="The cache of custom dictionaries.")
    metrics: MetricsSettings = Field(default_factory=MetricsSettings, description="The metrics service.")
    reconciliation: ReconciliationSettings = Field(
        default_factory=ReconciliationSettings, description="Enable Reconciliation service."
    )
    session_groups: ControllerSettings = Field(
        default_factory=ControllerSettings, description="The sessiongroups-controller."
    )
