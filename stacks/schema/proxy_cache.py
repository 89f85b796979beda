"""`proxy.proxyCache`: what quotas are counted in (contract: proxy 11; off in the seed)."""

from __future__ import annotations

from pydantic import Field

from stacks.schema.base import Quantity, Section
from stacks.schema.external_secrets import ExternalKeys
from stacks.schema.fragment import EnvEntry, ProbeFragment
from stacks.schema.placement import WorkloadPlacement
from stacks.schema.proxy_secrets import KEYS
from stacks.schema.workload import Amounts, Annotations, Labels, Resources


class SmallRequests(Amounts):
    """What a small container asks for."""

    cpu: Quantity | None = Field("50m", description="CPU.")
    memory: Quantity | None = Field("50Mi", description="Memory.")


class SmallResources(Resources):
    """What a small container asks for and what it may take at most."""

    requests: SmallRequests = Field(default_factory=SmallRequests, description="What the scheduler keeps free for it.")


class CacheRedis(Section):
    """The cache's Redis: in its pod, or outside."""

    external: bool = Field(False, description="Use a Redis outside the pod; its address is a Secret.")
    data: ExternalKeys = Field((), description=KEYS)
    container_port: int = Field(6379, gt=0, lt=65536, description="Port of the Redis in the pod.")
    liveness_probe: ProbeFragment | None = Field(None, description="The whole probe; none in the chart.")
    readiness_probe: ProbeFragment | None = Field(None, description="The whole probe; none in the chart.")
    resources: SmallResources = Field(default_factory=SmallResources, description="What the Redis in the pod takes.")


class CacheService(Section):
    """The cache's Service."""

    port: int = Field(6379, gt=0, lt=65536, description="Port of the Service.")


class ProxyCacheSettings(WorkloadPlacement):
    """The cache of the proxy: a Redis and a program beside it that reads the database."""

    enabled: bool = Field(False, description="Deploy the cache.")
    replicas: int = Field(1, ge=1, description="Pods.")
    termination_grace_period_seconds: int = Field(30, ge=0, description="Seconds a pod has to end.")
    pod_labels: Labels = Field(default_factory=dict, description="Labels of the pods, beside the program's own.")
    pod_annotations: Annotations = Field(default_factory=dict, description="Annotations of the pods.")
    additional_env: tuple[EnvEntry, ...] = Field((), description="Variables of the program beside the Redis.")
    resources: SmallResources = Field(
        default_factory=SmallResources, description="What the program beside the Redis takes."
    )
    redis: CacheRedis = Field(default_factory=CacheRedis, description="Its Redis.")
    service: CacheService = Field(default_factory=CacheService, description="Its Service.")
