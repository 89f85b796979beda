"""The services that place sessions and run the session groups."""

from __future__ import annotations

import pulumi

from components.speech.naming import ControlPlaneLabels
from components.speech.resource_manager import ResourceManager, ResourceManagerArgs
from components.speech.session_groups_controller import SessionGroupsController, SessionGroupsControllerArgs
from components.speech.shared_maps import SharedMaps, SharedMapsArgs
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.schema import Settings
from stacks.schema.pools import Role


def pod_selectors(settings: Settings) -> tuple[str, ...]:
    """Full names of the enabled data-plane components, in the chart's order (contract: control plane 10.1)."""
    return tuple(part.fullname_override for part in settings.data_plane.values() if part.enabled)


def control_plane(
    settings: Settings, found: Foundation, on: Base, opts: pulumi.ResourceOptions
) -> tuple[SharedMaps, SessionGroupsController]:
    """Shared maps, resource manager and sessiongroups-controller."""
    manager, global_ = settings.resource_manager, settings.global_
    image = global_.resource_manager.image
    labels = ControlPlaneLabels(manager.fullname_override, settings.release, image.tag)
    pull_secrets = tuple(secret.name for secret in global_.image_pull_secrets)
    services = found.placements[Role.SERVICES]
    maps = SharedMaps(
        "maps",
        SharedMapsArgs(
            namespace=on.namespace,
            release=settings.release,
            labels=labels,
            cluster=global_.cluster,
            redis_url=on.redis.url,
            resource_manager_port=manager.service.port,
            languages=global_.transcriber.languages,
            pod_selectors=pod_selectors(settings),
        ),
        opts,
    )
    ResourceManager(
        "resource-manager",
        ResourceManagerArgs(
            namespace=on.namespace,
            namespace_name=settings.namespace,
            settings=manager,
            image=image,
            labels=labels,
            pull_secrets=pull_secrets,
            flow_use_local_transcriber=global_.flow.flow_use_local_transcriber,
            config_map=maps.config_map,
            languages_map=maps.languages_map,
            redis=on.redis.ready,
            placement=services,
        ),
        opts,
    )
    controller = SessionGroupsController(
        "sessiongroups-controller",
        SessionGroupsControllerArgs(
            namespace=on.namespace,
            namespace_name=settings.namespace,
            release=settings.release,
            settings=manager.session_groups,
            image=image,
            labels=labels,
            pull_secrets=pull_secrets,
            config_map=maps.config_map,
            redis=on.redis.ready,
            crd=on.crd.ready,
            placement=services,
            protect=settings.protection.enabled,
        ),
        opts,
    )
    return maps, controller
