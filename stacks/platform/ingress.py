"""The way in: the ingress controller in a namespace of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi

from components.cluster.certificate import Pair, kept, self_signed
from components.cluster.existing_secrets import UnreadableError
from components.cluster.ingress_controller import TLS_SECRET, IngressController, IngressControllerArgs
from components.cluster.ingress_rights import NAME, IngressRights, IngressRightsArgs
from components.cluster.namespace import Namespace, NamespaceArgs
from components.flow.fronts import Front, fronts
from components.speech.proxy_ingress import certificates
from components.speech.resource_manager_ingresses import hosts, sections
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.platform.existing import refuse
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


def served_without_secret(settings: Settings) -> tuple[str, ...]:
    """The hosts of the controller's own certificate: the proxy's, and what it serves without another."""
    manager = settings.resource_manager
    direct = settings.our_manager_ingress and manager.ingress.tls_secret_name is None
    further = hosts(manager.ingress, manager.fullname_override).values() if direct else ()
    talking = [host for front in _of_flow(settings) for host, secret in front.tls(ours=True).items() if secret is None]
    return tuple(dict.fromkeys((*settings.proxy.ingress.hosts, *further, *talking)))


def _of_flow(settings: Settings) -> list[Front]:
    """Flow's Ingresses that our controller serves."""
    return [front for front in fronts(settings.flow) if settings.is_ours(front.class_name)]


def names_certificates(settings: Settings) -> bool:
    """Whether an Ingress that it serves names a Secret with a certificate, so that the controller must read it."""
    proxy, direct = settings.proxy, settings.resource_manager.ingress
    serves_proxy = settings.our_ingress and proxy.enabled and proxy.ingress.enabled
    of_proxy = serves_proxy and any(certificates(proxy.ingress).values())
    of_manager = settings.our_manager_ingress and bool(sections(direct)) and direct.tls_secret_name is not None
    return of_proxy or of_manager or any(front.tls_secret for front in _of_flow(settings))


def certificate(settings: Settings, found: Foundation, namespace: pulumi.Output[str]) -> pulumi.Output[Pair]:
    """The pair in the cluster, as long as it is for the hosts of the configuration; else a new one.

    A pair made at each run and ignored by the engine would stay for a host that is no longer served. It is read with
    the way in that the Secrets' look-up has, so a cluster that does not answer ends the run instead of renewing it.
    """
    wanted = served_without_secret(settings)

    async def held_or_new(name: str) -> Pair:
        try:
            held = await found.secrets.pair(name, TLS_SECRET)
        except UnreadableError as error:
            await refuse(error)
        return kept(held, wanted) or self_signed(wanted, datetime.now(UTC))

    pair: pulumi.Output[Pair] = namespace.apply(held_or_new)
    return pair.apply(_hidden)


def _hidden(pair: Pair) -> pulumi.Output[Pair]:
    return pulumi.Output.secret(pair)


def ingress_controller(settings: Settings, found: Foundation, on: Base, opts: pulumi.ResourceOptions) -> WayIn | None:
    """The controller of the platform's hosts; None where another one serves them."""
    if not settings.ingress.enabled:
        return None
    named_secrets = names_certificates(settings)
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
            certificate=certificate(settings, found, namespace),
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
