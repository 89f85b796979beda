"""The services that place sessions and run the session groups."""

from __future__ import annotations

import pulumi

from components.speech.control_plane import ControlPlane
from components.speech.naming import ControlPlaneLabels
from components.speech.resource_manager import ResourceManager, ResourceManagerArgs
from components.speech.resource_manager_metrics import ResourceManagerMetrics, ResourceManagerMetricsArgs
from components.speech.resource_manager_reconciliation import (
    ResourceManagerReconciliation,
    ResourceManagerReconciliationArgs,
)
from components.speech.session_groups_controller import SessionGroupsController, SessionGroupsControllerArgs
from components.speech.shared_maps import SharedMaps, SharedMapsArgs
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.schema import Settings
from stacks.schema.pools import Role


def pod_selectors(settings: Settings) -> tuple[str, ...]:
    """Full names of the enabled data-plane components, in the chart's order (contract: control plane 10.1)."""
    flow = settings.flow
    own = [
        name for name, on in ((flow.fullname_override, True), (flow.tts.name, flow.tts.enabled)) if on and flow.enabled
    ]
    servers = [part.fullname_override for part in settings.inference_servers.values() if part.enabled]
    transcribers = settings.transcribers
    return (*([transcribers.fullname_override] if transcribers.enabled else []), *own, *servers)


def control_plane(
    settings: Settings, found: Foundation, on: Base, opts: pulumi.ResourceOptions
) -> tuple[SharedMaps, SessionGroupsController]:
    """Shared maps, resource manager with metrics and reconciliation, and sessiongroups-controller."""
    manager, global_, protect = settings.resource_manager, settings.global_, settings.protection.enabled
    image = global_.resource_manager.image
    labels = ControlPlaneLabels(manager.fullname_override, settings.release, image.tag)
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
    common = ControlPlane(
        namespace=on.namespace,
        namespace_name=settings.namespace,
        release=settings.release,
        image=image,
        labels=labels,
        pull_secrets=tuple(secret.name for secret in global_.image_pull_secrets),
        config_map=maps.config_map,
        redis=on.redis.ready,
        redis_timeout=manager.redis.timeout_connection,
        placement=found.placement(Role.SERVICES),
    )
    ResourceManager(
        "resource-manager",
        ResourceManagerArgs(
            common=common,
            settings=manager,
            flow_use_local_transcriber=global_.flow.flow_use_local_transcriber,
            languages_map=maps.languages_map,
            protect=protect,
        ),
        opts,
    )
    controller = SessionGroupsController(
        "sessiongroups-controller",
        SessionGroupsControllerArgs(common=common, settings=manager.session_groups, crd=on.crd.ready, protect=protect),
        opts,
    )
    _beside(settings, common, maps, controller, opts)
    return maps, controller


def _beside(
    settings: Settings, common: ControlPlane, maps: SharedMaps, controller: SessionGroupsController,
    opts: pulumi.ResourceOptions,
) -> None:  # fmt: skip
    """Metrics and reconciliation, which share an account."""
    manager = settings.resource_manager
    if not (manager.metrics.enabled or manager.reconciliation.enabled):
        return
    metrics = ResourceManagerMetrics(
        "resource-manager-metrics",
        ResourceManagerMetricsArgs(
            common=common,
            settings=manager.metrics,
            service_annotations=manager.annotations,
            transcribers=settings.transcribers.fullname_override,
        ),
        opts,
    )
    if manager.reconciliation.enabled:
        ResourceManagerReconciliation(
            "resource-manager-reconciliation",
            ResourceManagerReconciliationArgs(
                common=common,
                settings=manager.reconciliation,
                release_map=maps.release_map,
                account=metrics.account,
                rights=tuple(metrics.rights),
                controller_role=controller.role,
            ),
            opts,
        )
