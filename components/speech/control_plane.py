"""What the four services of the control plane have in common (contract: control plane 3 and 4.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.redis_endpoint import RedisEndpoint
from components.placement import Placement
from components.speech.disruption import STATELESS
from components.speech.naming import ControlPlaneLabels, image
from components.speech.pod import Json, env, pod_template
from stacks.schema.control_plane_service import OwnImage
from stacks.schema.global_settings import ResourceManagerImage
from stacks.schema.transcribers import EnvVar

CONTAINER_PORT = 8080
"""Fixed: probes carry it and no variable tells the programs (contract: control plane 11.2)."""

PROVIDER_SECONDS = 600
"""How long the Kubernetes provider waits for a Deployment or a Service when nobody says otherwise."""

MARGIN_SECONDS = 150
"""Beside the programs' own budget: scheduling and pulling the image (estimate)."""


def patience(budget_seconds: int = 0, replicas: int = 1) -> pulumi.CustomTimeouts:
    """Above the programs' own budget, or `up` gives up while they are still starting; pods start one after another."""
    seconds = max(PROVIDER_SECONDS, budget_seconds * replicas + MARGIN_SECONDS)
    return pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")


def with_more(variables: Sequence[Json], more: Sequence[EnvVar]) -> list[Json]:
    """Variables with the configured ones last. None has a name that is there already (`stacks.rules.lists`)."""
    return [*variables, *(env(each.name, each.value) for each in more)]


@dataclass(frozen=True)
class ControlPlane:
    """What all four services need."""

    namespace: pulumi.Output[str]
    namespace_name: str
    release: str
    image: ResourceManagerImage
    labels: ControlPlaneLabels
    pull_secrets: tuple[str, ...]
    config_map: pulumi.Input[str]
    """Name of the map with `redis_url` and `cluster_name`."""
    redis: RedisEndpoint
    placement: Placement

    def image_of(self, repository: str, own: OwnImage) -> str:
        """The full name of a service's image; what it does not say itself is what all four have."""
        given = self.image
        return image(own.registry or given.registry, own.repository or repository, own.tag or given.tag)

    def redis_env(self) -> list[Json]:
        """The Redis block (contract: control plane 4.0)."""
        return self.redis.variables(self.config_map)

    def metadata(
        self, name: str, labels: Mapping[str, str] | None = None, annotations: Mapping[str, str] | None = None
    ) -> kubernetes.meta.v1.ObjectMetaArgs:
        """Metadata of an object in the namespace."""
        return kubernetes.meta.v1.ObjectMetaArgs(
            name=name, namespace=self.namespace, labels=labels, annotations=annotations or None
        )

    def pod(
        self,
        container: Json,
        *,
        account: pulumi.Input[str],
        labels: Mapping[str, str],
        annotations: Mapping[str, pulumi.Input[str]],
        security_context: Json,
        volumes: Sequence[Json] = (),
    ) -> Json:
        """A pod of one container, on the services pool."""
        return pod_template(
            placement=self.placement,
            labels=labels,
            annotations={**STATELESS.annotations, **annotations, **self.redis.annotations},
            containers=[container],
            service_account=account,
            pull_secrets=self.pull_secrets,
            security_context=security_context,
            grace_seconds=STATELESS.grace_seconds,
            volumes=[*volumes, *self.redis.files.volumes],
        )

    def deployment(
        self,
        name: str,
        app: str,
        *,
        object_name: str,
        replicas: int,
        strategy: Json,
        template: Json,
        opts: pulumi.ResourceOptions,
    ) -> kubernetes.apps.v1.Deployment:
        """A Deployment that selects by `app` (contract: control plane 3.2)."""
        # the one pod builder writes the API's own names, which the SDK passes on as they are
        spec: Any = {
            "replicas": replicas,
            "selector": {"matchLabels": self.labels.selector(app)},
            "strategy": strategy,
            "template": template,
        }
        metadata = self.metadata(object_name, self.labels.full(app), self.labels.annotations())
        return kubernetes.apps.v1.Deployment(name, metadata=metadata, spec=spec, opts=opts)

    def service(
        self,
        name: str,
        app: str,
        *,
        object_name: str,
        port: int,
        annotations: Mapping[str, str],
        opts: pulumi.ResourceOptions,
    ) -> kubernetes.core.v1.Service:
        """The Service in front of a Deployment's port `http` (contract: control plane 5.1)."""
        return kubernetes.core.v1.Service(
            name,
            metadata=self.metadata(object_name, self.labels.full(app), annotations),
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="ClusterIP",
                ports=[kubernetes.core.v1.ServicePortArgs(port=port, target_port="http")],
                selector=self.labels.selector(app),
            ),
            opts=opts,
        )
