"""The public address clients know: static, protected and locked, so that it outlives every change behind it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, network

from components.azure.identity import NETWORK_CONTRIBUTOR, role_assignment_name, role_definition_id
from components.outputs import once_made
from stacks.schema.azure import AzureSettings


@dataclass(frozen=True)
class AddressArgs:
    """What the address needs."""

    resource_group: pulumi.Output[str]
    azure: AzureSettings
    principal_id: pulumi.Output[str]
    """The cluster's identity, which attaches the address to its load balancer."""
    protect: bool


class Address(pulumi.ComponentResource):
    """A static Standard public IP with a `CanNotDelete` lock. Not here: its DNS name, which is the operator's."""

    ip: pulumi.Output[str]
    address_name: pulumi.Output[str]
    ready: pulumi.Resource
    """The role on the address: without it a LoadBalancer Service never gets it."""

    def __init__(self, name: str, args: AddressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:azure:Address", name, {}, opts)
        address_name = f"{args.azure.cluster_name}-ingress"
        child = pulumi.ResourceOptions(parent=self)
        address = network.PublicIPAddress(
            f"{name}-ip",
            resource_group_name=args.resource_group,
            public_ip_address_name=address_name,
            location=args.azure.location,
            public_ip_allocation_method=network.IPAllocationMethod.STATIC,
            public_ip_address_version=network.IPVersion.I_PV4,
            sku=network.PublicIPAddressSkuArgs(
                name=network.PublicIPAddressSkuName.STANDARD, tier=network.PublicIPAddressSkuTier.REGIONAL
            ),
            zones=list(args.azure.zones),
            # 30 minutes is the most every document agrees on; it must exceed the longest silent gap of a session
            idle_timeout_in_minutes=30,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        role = authorization.RoleAssignment(
            f"{name}-attach",
            role_assignment_name=role_assignment_name(args.azure.cluster_id, "address"),
            scope=address.id,
            principal_id=args.principal_id,
            principal_type=authorization.PrincipalType.SERVICE_PRINCIPAL,
            role_definition_id=role_definition_id(args.azure.subscription_id, NETWORK_CONTRIBUTOR),
            opts=child,
        )
        authorization.ManagementLockByScope(
            f"{name}-lock",
            scope=address.id,
            lock_name="keep-the-address",
            level=authorization.LockLevel.CAN_NOT_DELETE,
            notes="Clients reach the speech platform here. Remove it with the stack, never on its own.",
            # no value flows: a lock also forbids removing role assignments in its scope, so it goes before them
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role]),
        )
        self.ready = role
        self.ip = address.ip_address.apply(lambda ip: ip or "")
        self.address_name = once_made(address, address_name)
        self.register_outputs({"ip": self.ip, "addressName": self.address_name})
