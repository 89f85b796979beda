"""The identity the cluster acts as in Azure: it joins the subnet and attaches the public address."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import pulumi
from pulumi_azure_native import managedidentity

NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
"""Definition id of the built-in role, the same in every tenant (Azure's list of built-in roles)."""


def role_definition_id(subscription_id: str, role: str) -> str:
    """The role's ARM id as Azure writes it back, so that a refresh shows no difference."""
    return f"/subscriptions/{subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{role}"


def role_assignment_name(cluster_id: str, purpose: str) -> str:
    """A role assignment's name must be a UUID; this one is a function of configuration alone."""
    return str(uuid5(NAMESPACE_URL, f"{cluster_id}#{purpose}"))


@dataclass(frozen=True)
class IdentityArgs:
    """What an identity needs."""

    resource_group: pulumi.Output[str]
    location: str
    identity_name: str


class Identity(pulumi.ComponentResource):
    """A user-assigned identity. Its roles live with what they are about: the subnet and the address."""

    id: pulumi.Output[str]
    principal_id: pulumi.Output[str]

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:azure:Identity", name, {}, opts)
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_group_name=args.resource_group,
            resource_name_=args.identity_name,
            location=args.location,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = identity.id
        self.principal_id = identity.principal_id
        self.register_outputs({"id": self.id, "principalId": self.principal_id})
