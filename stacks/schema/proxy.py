"""`proxy`: what stands between clients and transcribers (seed: `proxy.*`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, HttpUrl, Section, only, shaped
from stacks.schema.external_secrets import ExternalSecretsSettings
from stacks.schema.fragment import Affinity, AntiAffinityTerm, Fragment, SharedSecurityContext, Volume
from stacks.schema.global_settings import PullSecret
from stacks.schema.placement import PlacementSettings
from stacks.schema.proxy_agents import AgentApi
from stacks.schema.proxy_cache import ProxyCacheSettings
from stacks.schema.proxy_ingress import ProxyIngressSettings
from stacks.schema.proxy_pods import NEVER_EVICTED, ProxyService
from stacks.schema.proxy_secrets import Database, Events, LiveKit, Storage
from stacks.schema.workload import Annotations, Labels

ONE_CLUSTER = "the resource manager is told `global.cluster`, and with two names neither finds the other's"


class ResourceManagerMap(Section):
    """The map with the resource manager's address."""

    enabled: bool = Field(True, description="Read resource-manager server information from configMap.")
    name: DnsLabel | None = Field(None, description="Name of the map; unset is the release's.")


class ProxyResourceManager(Section):
    """How the proxy finds the resource manager."""

    config_map: ResourceManagerMap = Field(default_factory=ResourceManagerMap, description="The map with its address.")
    url: HttpUrl | None = Field(
        None, description="Its address when the map is off; unset is `global.resourceManager.url`, then its Service."
    )


class ProxyConfigMap(Section):
    """The map of `proxy.proxy.config`."""

    enabled: bool = Field(True, description="Make the map that the proxy watches.")


class DiscoveryApi(Section):
    """The map with what clients are told of languages."""

    config_map_name: DnsLabel = Field("discovery-api-features", description="The map the proxy reads.")
    key: str = Field("features", min_length=1, description="Its key.")


class ProxyServiceSettings(Section):
    """The proxy's Service."""

    port: int = Field(8080, gt=0, lt=65536, description="Port of the Service; it leads to the program's.")


class ProxyBudget(Section):
    """The PodDisruptionBudget of each deployment."""

    enabled: Annotated[bool, only(True, "without it a drain of a node cuts the sessions on it")] = Field(
        True, description="Keep pods from being evicted; always on."
    )
    min_available: Annotated[int, only(1, NEVER_EVICTED)] = Field(
        1, description="The chart's number; here none may be evicted, and only its default is accepted."
    )


class ProxySettings(PlacementSettings):
    """The proxy in front of the transcribers."""

    enabled: bool = Field(True, description="Enable proxy service.")
    name_override: Annotated[str | None, only(None, "`proxy.fullnameOverride` has a name always, and wins")] = Field(
        None, description="Part of the chart's default name; only its default is accepted."
    )
    fullname_override: DnsLabel = Field("proxy", max_length=40, description="Name of the Service; part of the others.")
    cluster: Annotated[str | None, only(None, ONE_CLUSTER)] = Field(
        None, description="The chart's own name of the cluster for the proxy; `global.cluster` is everybody's."
    )
    env: str | None = Field(None, min_length=1, description="Name of the environment, for the proxy's own reports.")
    replicas: int = Field(1, ge=1, description="Pods of each deployment.")
    strategy: Annotated[Fragment | None, only(None, "new before old, one at a time, is what cuts nothing")] = Field(
        None, description="How a deployment is updated; always new before old."
    )
    service: ProxyServiceSettings = Field(default_factory=ProxyServiceSettings, description="Its Service.")
    service_account_name: DnsLabel | None = Field(None, description="Name of its account; unset is the Service's name.")
    image_pull_secrets: tuple[PullSecret, ...] = Field(
        (), description="Image pull secrets of its own; none is those of `global.imagePullSecrets`."
    )
    security_context: SharedSecurityContext | None = Field(
        None, description="What its processes may do, set on pod and container alike."
    )
    additional_labels: Labels = Field(default_factory=dict, description="Labels of the Deployments.")
    additional_annotations: Annotations = Field(
        default_factory=dict, description="Annotations of the Deployments and the Service."
    )
    pod_annotations: Annotations = Field(default_factory=dict, description="Annotations of the pods.")
    affinity: Affinity | None = Field(None, description="Node and pod affinity, beside the anti-affinity.")
    pod_anti_affinity: tuple[AntiAffinityTerm, ...] = Field(
        (), description="Further terms of the anti-affinity, with a weight where it is preferred."
    )
    required_during_scheduling_strategy: bool = Field(
        False, description="Never two pods of a deployment on one node, instead of preferably not."
    )
    priority_class_name: Annotated[
        str, shaped(r"^[-a-z0-9.]*$", "the name of a priority class in lower case, or empty")
    ] = Field("", description="Priority class; empty is none.")
    termination_grace_period_seconds: int | None = Field(
        None, gt=0, description="Seconds a pod has to end its sessions; unset is the longest session."
    )
    restart_policy: Literal["Always"] = Field("Always", description="A Deployment knows no other.")
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet"] = Field(
        "ClusterFirst", description="How names are looked up; with others no Service is found."
    )
    additional_volumes: tuple[Volume, ...] = Field((), description="Volumes of all deployments.")
    pod_disruption_budget: ProxyBudget = Field(default_factory=ProxyBudget, description="Keeping pods from eviction.")
    config: ProxyConfigMap = Field(default_factory=ProxyConfigMap, description="The map of `proxy.proxy.config`.")
    discovery_api: DiscoveryApi = Field(default_factory=DiscoveryApi, description="What clients are told.")
    resource_manager: ProxyResourceManager = Field(
        default_factory=ProxyResourceManager, description="How it finds the resource manager."
    )
    agent_api: AgentApi = Field(default_factory=AgentApi, alias="agentAPI", description="The agents of Flow.")
    external_secrets: ExternalSecretsSettings = Field(
        default_factory=ExternalSecretsSettings, description="Whether its Secrets come from a store."
    )
    events: Events = Field(default_factory=Events, description="Events to an event hub.")
    storage: Storage = Field(default_factory=Storage, description="Storage of custom dictionaries.")
    database: Database = Field(default_factory=Database, description="The database of the cache.")
    livekit: LiveKit = Field(default_factory=LiveKit, description="Conversations through LiveKit.")
    proxy_cache: ProxyCacheSettings = Field(
        default_factory=ProxyCacheSettings, description="What quotas are counted in."
    )
    ingress: ProxyIngressSettings = Field(default_factory=ProxyIngressSettings, description="How clients reach it.")
    proxy: ProxyService = Field(default_factory=ProxyService, description="Its pods.")
