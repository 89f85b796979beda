"""The services that place sessions and run the session groups."""

from __future__ import annotations

from dataclasses import replace

import pulumi

from components.speech.control_plane import ControlPlane
from components.speech.naming import ControlPlaneLabels
from components.speech.resource_manager import ResourceManager, ResourceManagerArgs
from components.speech.resource_manager_ingresses import (
    ResourceManagerIngresses,
    ResourceManagerIngressesArgs,
    sections,
)
from components.speech.resource_manager_metrics import ResourceManagerMetrics, ResourceManagerMetricsArgs
from components.speech.resource_manager_reconciliation import (
    ResourceManagerReconciliation,
    ResourceManagerReconciliationArgs,
)
from components.speech.session_groups_controller import SessionGroupsController, SessionGroupsControllerArgs
from components.speech.shared_maps import SharedMaps, SharedMapsArgs
from components.speech.transcriber_containers import app_of
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.platform.ingress import WayIn
from stacks.schema import Settings
from stacks.schema.modes import Mode
from stacks.schema.placement import PlacementSettings, WorkloadPlacement
from stacks.schema.pools import Role


def placed(common: ControlPlane, found: Foundation, settings: Settings, own: WorkloadPlacement) -> ControlPlane:
    """What a service has in common with the others; what it says of nodes itself comes first.

    The affinity is its own or none: the chart gives the resource manager's to no other (contract: control plane 3.4).
    """
    said = {name: getattr(own, name) for name in PlacementSettings.model_fields if getattr(own, name)}
    wanted = settings.resource_manager.model_copy(update={**said, "affinity": own.affinity})
    return replace(common, placement=found.placement(Role.SERVICES, wanted))


def control_plane(
    settings: Settings, found: Foundation, on: Base, way_in: WayIn | None, opts: pulumi.ResourceOptions
) -> tuple[SharedMaps, SessionGroupsController | None]:
    """Shared maps, resource manager with metrics and reconciliation, and sessiongroups-controller.

    `way_in` is our ingress controller, None where it is left out.
    """
    manager, global_, protect = settings.resource_manager, settings.global_, settings.protection.enabled
    image, local = global_.resource_manager.image, manager.config.flow_use_local_transcriber
    batch = manager.mode is Mode.BATCH
    labels = ControlPlaneLabels(manager.fullname_override, settings.release, manager.image.tag or image.tag)
    maps = SharedMaps(
        "maps",
        SharedMapsArgs(
            namespace=on.namespace,
            release=settings.release,
            labels=labels,
            cluster=manager.cluster or global_.cluster,
            redis_url=on.redis.address,
            resource_manager_port=manager.service.port,
            languages=None if batch else manager.config.languages or global_.transcriber.languages,
            pod_selectors=settings.pod_selectors,
        ),
        opts,
    )
    common = ControlPlane(
        namespace=on.namespace,
        namespace_name=settings.namespace,
        release=settings.release,
        image=image,
        labels=labels,
        pull_secrets=tuple(secret.name for secret in manager.image_pull_secrets or global_.image_pull_secrets),
        config_map=maps.config_map,
        redis=on.redis,
        placement=found.placement(Role.SERVICES, manager),
    )
    made = ResourceManager(
        "resource-manager",
        ResourceManagerArgs(
            common=common,
            settings=manager,
            flow_use_local_transcriber=global_.flow.flow_use_local_transcriber if local is None else local,
            languages_map=maps.languages_map,
            redis_secret=on.secrets.redis,
            cache_mark=on.secrets.marks.get("cdCacheUrl"),
            reads_groups=manager.session_groups.enabled,
            protect=protect,
        ),
        opts,
    )
    _ingresses(settings, on, made, way_in, opts)
    controller = _controller(settings, found, on, common, opts)
    _beside(settings, found, on, common, maps, controller, opts)
    return maps, controller


def _controller(
    settings: Settings, found: Foundation, on: Base, common: ControlPlane, opts: pulumi.ResourceOptions
) -> SessionGroupsController | None:
    """What runs the session groups; None where there are none and it is left out."""
    manager = settings.resource_manager
    if not manager.session_groups.enabled:
        return None
    return SessionGroupsController(
        "sessiongroups-controller",
        SessionGroupsControllerArgs(
            common=placed(common, found, settings, manager.session_groups),
            settings=manager.session_groups,
            repopulation=manager.reconciliation.repopulation.enabled,
            crd=on.crd.ready,
            protect=settings.protection.enabled,
        ),
        opts,
    )


def _ingresses(
    settings: Settings, on: Base, made: ResourceManager, way_in: WayIn | None, opts: pulumi.ResourceOptions
) -> None:
    """The Ingresses straight to the resource manager; nothing is declared where none is wanted."""
    manager, ours = settings.resource_manager, way_in if settings.our_manager_ingress else None
    if not sections(manager.ingress):
        return
    ResourceManagerIngresses(
        "resource-manager-ingress",
        ResourceManagerIngressesArgs(
            namespace=on.namespace,
            settings=manager.ingress,
            fullname=manager.fullname_override,
            service=made.service_name,
            port=manager.service.port,
            class_name=ours.class_name if ours else manager.ingress.ingress_class_name or None,
            our_controller=ours is not None,
            session_seconds=settings.sessions.max_duration_seconds,
            ready=ours.ready if ours else (),
        ),
        opts,
    )


def _beside(
    settings: Settings, found: Foundation, on: Base, common: ControlPlane, maps: SharedMaps,
    controller: SessionGroupsController | None, opts: pulumi.ResourceOptions,
) -> None:  # fmt: skip
    """Metrics and reconciliation, which share an account."""
    manager = settings.resource_manager
    if not (manager.metrics.enabled or manager.reconciliation.enabled):
        return
    metrics = ResourceManagerMetrics(
        "resource-manager-metrics",
        ResourceManagerMetricsArgs(
            common=placed(common, found, settings, manager.metrics),
            settings=manager.metrics,
            service_annotations=manager.annotations,
            transcribers=settings.transcribers.fullname_override,
            transcriber_container=app_of(settings.transcribers),
        ),
        opts,
    )
    if manager.reconciliation.enabled:
        ResourceManagerReconciliation(
            "resource-manager-reconciliation",
            ResourceManagerReconciliationArgs(
                common=placed(common, found, settings, manager.reconciliation),
                settings=manager.reconciliation,
                release_map=maps.release_map,
                account=metrics.account,
                rights=tuple(metrics.rights),
                database_secret=on.secrets.database,
                database_mark=on.secrets.marks.get("databaseUrl"),
                controller_role=controller.role if controller else None,
            ),
            opts,
        )
