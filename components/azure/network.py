"""The virtual network and the nodes' subnet."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization
from pulumi_azure_native import network as azure

from components.azure.identity import NETWORK_CONTRIBUTOR, role_assignment_name, role_definition_id
from components.outputs import once_made
from stacks.schema.azure import AzureSettings


@dataclass(frozen=True)
class NetworkArgs:
    """What the network needs."""

    resource_group: pulumi.Output[str]
    azure: AzureSettings
    principal_id: pulumi.Output[str]
    """The cluster's identity, which joins nodes and load balancers to the subnet."""


class Network(pulumi.ComponentResource):
    """The virtual network with one subnet for all nodes. Not here: pods' and Services' networks, the overlay's."""

    node_subnet_id: pulumi.Output[str]
    ready: pulumi.Resource
    """The role on the subnet: a cluster whose identity has none cannot be created."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:azure:Network", name, {}, opts)
        vnet = f"{args.azure.cluster_name}-vnet"
        child = pulumi.ResourceOptions(parent=self)
        virtual = azure.VirtualNetwork(
            f"{name}-vnet",
            resource_group_name=args.resource_group,
            virtual_network_name=vnet,
            location=args.azure.location,
            address_space=azure.AddressSpaceArgs(address_prefixes=[args.azure.network.address_space]),
            # Azure lists the subnet in the network; it is a resource of its own here
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["subnets"]),
        )
        subnet = azure.Subnet(
            f"{name}-nodes",
            resource_group_name=args.resource_group,
            virtual_network_name=once_made(virtual, vnet),
            subnet_name="nodes",
            address_prefix=args.azure.network.node_subnet,
            opts=child,
        )
        self.ready = authorization.RoleAssignment(
            f"{name}-nodes-join",
            role_assignment_name=role_assignment_name(args.azure.cluster_id, "subnet"),
            scope=subnet.id,
            principal_id=args.principal_id,
            principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
            role_definition_id=role_definition_id(args.azure.subscription_id, NETWORK_CONTRIBUTOR),
            opts=child,
        )
        self.node_subnet_id = subnet.id
        self.register_outputs({"nodeSubnetId": self.node_subnet_id})
