"""The way in: the ingress controller in a namespace of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi

from components.cluster.certificate import self_signed
from components.cluster.ingress_controller import IngressController, IngressControllerArgs
from components.cluster.ingress_rights import NAME, IngressRights, IngressRightsArgs
from components.cluster.namespace import Namespace, NamespaceArgs
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.schema import Settings
from stacks.schema.pools import Role
from stacks.versions import INGRESS_CONTROLLER_IMAGE, INGRESS_CONTROLLER_TAG


@dataclass(frozen=True)
class WayIn:
    """What an Ingress needs of the controller that serves it."""

    class_name: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]
    """Without these an Ingress never gets its address."""
    address: pulumi.Output[str]


def ingress_controller(settings: Settings, found: Foundation, on: Base, opts: pulumi.ResourceOptions) -> WayIn | None:
    """The controller for the proxy's host; None where another one serves it."""
    if not settings.ingress.enabled:
        return None
    at = settings.proxy.ingress
    named_secrets = at.tls.secret_name is not None
    protect = settings.protection.enabled
    pools = tuple(pool.agent_pool for pool in found.pools)
    namespace = Namespace("ingress", NamespaceArgs(NAME, pools, protect), opts).name
    rights = IngressRights("ingress-rights", IngressRightsArgs(namespace, on.namespace, named_secrets), opts)
    controller = IngressController(
        "ingress-controller",
        IngressControllerArgs(
            namespace=namespace,
            watched=settings.namespace,
            watched_certificates=named_secrets,
            account=rights.account,
            rights=rights.bindings,
            settings=settings.ingress,
            image=f"{INGRESS_CONTROLLER_IMAGE}:{settings.ingress.image.tag or INGRESS_CONTROLLER_TAG}",
            certificate=self_signed((at.host,), datetime.now(UTC)),
            address_name=found.address.address_name,
            address_group=settings.azure.resource_group,
            address_ready=found.address.ready,
            session_seconds=settings.sessions.max_duration_seconds,
            placement=found.placement(Role.SERVICES, settings.ingress),
            protect=protect,
        ),
        opts,
    )
    return WayIn(controller.class_name, (controller.deployment, controller.service), found.address.ip)
