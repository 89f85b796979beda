"""The components of the platform, in order. What needs what is an argument; nothing else decides the order.

azure          provider, guard, network, cluster, pools, the way in
base           what speech stands on: namespace, kind, Secrets, GPU plugin, Redis
ingress        the controller where clients enter
control_plane  the services that place sessions and run the session groups
data_plane     inference servers and transcribers
flow           conversations with agents, where they are on
edge           where clients enter: the proxy and its Ingress
"""

from __future__ import annotations

import pulumi

from components.guard.gate import Gate, GateArgs
from components.guard.hooks import Guard
from components.speech.transcriber_languages import speeches
from stacks.ending import end
from stacks.groups import capacity, session_groups
from stacks.platform.azure import Foundation, azure_provider, foundation, guard
from stacks.platform.base import base
from stacks.platform.control_plane import control_plane
from stacks.platform.data_plane import data_plane
from stacks.platform.edge import edge, url
from stacks.platform.flow import flow
from stacks.platform.ingress import ingress_controller
from stacks.platform.unprotected import unprotected
from stacks.schema import Settings
from stacks.secrets import Secrets

__all__ = ["azure_provider", "export", "foundation", "gate", "guard", "speech"]


def speech(settings: Settings, secrets: Secrets, found: Foundation) -> list[str]:
    """Everything in the cluster; the names of the session groups."""
    said = unprotected(settings)
    if said:
        pulumi.log.warn(said)
    opts = pulumi.ResourceOptions(providers=[found.access.provider])
    on = base(settings, secrets, found, opts)
    way_in = ingress_controller(settings, found, on, opts)
    maps, controller = control_plane(settings, found, on, way_in, opts)
    ready = (on.crd.ready, on.deletion_policy.ready, *([controller.ready] if controller else []))
    groups = data_plane(settings, found, on, maps, ready, opts)
    groups += flow(settings, secrets, found, on, maps, ready, way_in, opts)
    edge(settings, found, on, maps, way_in, opts)
    return groups


def gate(watched: Guard) -> None:
    """What a destroy meets first, and where a preview is refused; last, when everything it depends on is known."""
    made = Gate("gate", GateArgs(tuple(watched.guarded)))

    async def conclude(_: list[str]) -> bool:
        refused = watched.refusals.conclude()
        if refused is not None:
            await end(refused)
        return True

    # once each has its URN, the engine has asked about each step that comes while the program runs
    urns: pulumi.Output[list[str]] = pulumi.Output.all(*(each.urn for each in (*watched.guarded, made)))
    _: pulumi.Output[bool] = urns.apply(conclude)


def export(settings: Settings, found: Foundation, groups: list[str]) -> None:
    """The stack's outputs."""
    by_group = {group.name: group.sessions for group in session_groups(settings)}
    pulumi.export("cluster", settings.azure.cluster_name)
    pulumi.export("resourceGroup", settings.azure.resource_group)
    pulumi.export("namespace", settings.namespace)
    pulumi.export("address", found.address.ip)
    pulumi.export("endpoint", url(settings))
    pulumi.export("languages", [each.language for each in speeches(settings.transcribers, settings.global_)])
    pulumi.export("sessionGroups", groups)
    pulumi.export("capacity", {"sessions": capacity(settings), "byGroup": by_group})
    pulumi.export("kubeconfig", found.access.kubeconfig)
