"""The resource group everything in Azure lives in, except what AKS keeps in its own node resource group."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import resources

from components.outputs import once_made


@dataclass(frozen=True)
class ResourceGroupArgs:
    """What a resource group needs."""

    resource_group: str
    location: str
    protect: bool


class ResourceGroup(pulumi.ComponentResource):
    """A resource group. Not here: the node resource group, which AKS makes and removes with the cluster."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: ResourceGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:azure:ResourceGroup", name, {}, opts)
        group = resources.ResourceGroup(
            f"{name}-group",
            resource_group_name=args.resource_group,
            location=args.location,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.name = once_made(group, args.resource_group)
        self.register_outputs({"name": self.name})
