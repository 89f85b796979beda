"""The ConfigMaps through which the services find each other (contract: control plane 6 and 10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.redis_endpoint import REDIS_URL
from components.outputs import once_made
from components.speech.naming import ControlPlaneLabels, release_labels
from components.speech.pod import Json, env, env_config
from stacks.schema.resource_manager_address import ResourceManagerAddress

RESOURCE_MANAGER_URL = "resource_manager_url"
CLUSTER_NAME = "cluster_name"
POD_SELECTORS = "pod_selector_list"


@dataclass(frozen=True)
class Address:
    """Where the resource manager's address stands."""

    release_map: pulumi.Input[str]
    url: str
    """The address itself, for those that do not read it from the map."""


def token_store(settings: ResourceManagerAddress, address: Address) -> Json:
    """`SM_TOKEN_STORE_URL`: from a map, or the address itself (contract: transcription 4.3)."""
    if settings.config_map.enabled:
        return env_config("SM_TOKEN_STORE_URL", settings.config_map.name or address.release_map, RESOURCE_MANAGER_URL)
    return env("SM_TOKEN_STORE_URL", settings.url or address.url)


@dataclass(frozen=True)
class SharedMapsArgs:
    """What the maps hold."""

    namespace: pulumi.Output[str]
    release: str
    labels: ControlPlaneLabels
    cluster: str
    redis_url: str | None
    """None where the address is in a Secret."""
    resource_manager_port: int
    languages: tuple[str, ...] | None
    """None where the resource manager has no list of them."""
    pod_selectors: tuple[str, ...]
    """Full names of the enabled data-plane components, in the chart's order."""


class SharedMaps(pulumi.ComponentResource):
    """`realtime`, `resource-manager-config` and `languages`. Not here: `discovery-api-features`, the proxy's."""

    release_map: pulumi.Output[str]
    """Name of the map with `resource_manager_url`."""
    config_map: pulumi.Output[str]
    """Name of the map with `redis_url`."""
    languages_map: pulumi.Output[str] | None
    """None where there is none."""

    def __init__(self, name: str, args: SharedMapsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:SharedMaps", name, {}, opts)
        self._name, self._namespace = name, args.namespace
        self.release_map = self._map(
            "release",
            args.release,
            release_labels(args.release),
            {
                RESOURCE_MANAGER_URL: f"http://{args.labels.fullname}:{args.resource_manager_port}",
                POD_SELECTORS: ",".join(args.pod_selectors),
            },
        )
        self.config_map = self._map(
            "config",
            f"{args.labels.fullname}-config",
            args.labels.without_app(),
            {CLUSTER_NAME: args.cluster} | ({} if args.redis_url is None else {REDIS_URL: args.redis_url}),
        )
        self.languages_map = None
        if args.languages is not None:
            listed = {"languages": ",".join(args.languages)}
            self.languages_map = self._map("languages", "languages", args.labels.without_app(), listed)
        self.register_outputs({"releaseMap": self.release_map, "configMap": self.config_map})

    def _map(self, suffix: str, map_name: str, labels: dict[str, str], data: Mapping[str, str]) -> pulumi.Output[str]:
        made = kubernetes.core.v1.ConfigMap(
            f"{self._name}-{suffix}",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=map_name, namespace=self._namespace, labels=labels),
            data=dict(data),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return once_made(made, map_name)
