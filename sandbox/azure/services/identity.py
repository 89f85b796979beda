"""Microsoft.ManagedIdentity and Microsoft.Authorization: identities, role assignments, locks."""

from __future__ import annotations

import uuid

from sandbox.azure import ids
from sandbox.azure.catalogue import IDENTITY, LOCK, ROLE_ASSIGNMENT, Kind
from sandbox.azure.errors import ArmError, NotPlayedError
from sandbox.azure.store import Record, Store
from sandbox.rpc import Json

ROLES = {
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
}
"""Built-in role definitions the stand-in knows (Azure built-in roles reference)."""

NETWORK_WRITERS = frozenset({"Network Contributor", "Contributor", "Owner"})
"""The roles that may join public addresses and subnets."""


class Identities:
    """User-assigned identities."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, kind: Kind, resource_id: str, body: Json, current: Record | None) -> None:
        state = {name: value for name, value in body.items() if value is not None} | {
            "name": ids.name(resource_id),
            "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
            "tenantId": ids.TENANT_ID,
        }
        for drawn in ("clientId", "principalId"):
            state[drawn] = current.state[drawn] if current is not None else str(uuid.uuid4())
        self._store.put(Record(resource_id, kind.token, state))

    async def delete(self, record: Record) -> None:
        self._store.remove(record.id)

    def view(self, record: Record) -> Json:
        return record.state


class Roles:
    """Role assignments."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, kind: Kind, resource_id: str, body: Json, current: Record | None) -> None:
        if current is not None:
            raise ArmError(
                400,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        if body.get("condition") or body.get("delegatedManagedIdentityResourceId"):
            raise NotPlayedError("a role assignment with a condition or a delegated identity")
        principal, role = body["principalId"], ids.name(body["roleDefinitionId"]).lower()
        if "/roledefinitions/" not in body["roleDefinitionId"].lower():
            raise ArmError(400, "InvalidRoleDefinitionId", "roleDefinitionId must be the id of a role definition.")
        if role not in ROLES:
            raise ArmError(
                404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{role}' does not exist."
            )
        identity = next((i for i in self._store.of(IDENTITY) if i.state["principalId"] == principal), None)
        if identity is None:
            raise ArmError(
                400,
                "PrincipalNotFound",
                f"Principal {principal.replace('-', '')} does not exist in the directory {ids.TENANT_ID}. Check that "
                "you have the correct principal ID. If you are creating this principal and then immediately assigning "
                "a role, this error might be related to a replication delay. In this case, set the role assignment "
                "principalType property to a value, such as ServicePrincipal, User, or Group.",
            )
        if body.get("principalType") not in (None, "ServicePrincipal"):
            raise ArmError(
                400,
                "UnmatchedPrincipalType",
                f"The PrincipalId '{principal.replace('-', '')}' has type 'ServicePrincipal', which is different from "
                f"specified PrincipalType '{body['principalType']}'.",
            )
        scope = scope_of(resource_id)
        for other in self._store.of(ROLE_ASSIGNMENT):
            same = other.state["principalId"] == principal and ids.name(other.state["roleDefinitionId"]).lower() == role
            if same and ids.key(scope_of(other.id)) == ids.key(scope):
                raise ArmError(409, "RoleAssignmentExists", "The role assignment already exists.")
        state = {name: value for name, value in body.items() if value is not None} | {
            "name": ids.name(resource_id),
            "type": "Microsoft.Authorization/roleAssignments",
            "scope": scope,
            "roleDefinitionId": f"{ids.SUBSCRIPTION_SCOPE}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalType": "ServicePrincipal",
        }
        self._store.put(Record(resource_id, kind.token, state))

    async def delete(self, record: Record) -> None:
        self._store.remove(record.id)

    def view(self, record: Record) -> Json:
        return record.state


class Locks:
    """Management locks. They are inherited by everything under their scope."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, kind: Kind, resource_id: str, body: Json, current: Record | None) -> None:
        state = {name: value for name, value in body.items() if value is not None and name != "scope"} | {
            "name": ids.name(resource_id),
            "type": "Microsoft.Authorization/locks",
        }
        self._store.put(Record(resource_id, kind.token, state))

    async def delete(self, record: Record) -> None:
        self._store.remove(record.id)

    def view(self, record: Record) -> Json:
        return record.state


def scope_of(extension_id: str) -> str:
    """The scope of a role assignment or lock, from its id."""
    return "/" + extension_id.rsplit("/providers/Microsoft.Authorization/", 1)[0].strip("/")


def check_unlocked(store: Store, resource_id: str, action: str) -> None:
    """Refuse what a lock on the resource or anything above it forbids. `action` is delete or write.

    A lock on a resource also keeps its role assignments from being deleted (MicrosoftDocs/azure-docs#110791).
    """
    levels = ("CanNotDelete", "ReadOnly") if action == "delete" else ("ReadOnly",)
    scopes = [scope_of(lock.id) for lock in store.of(LOCK) if lock.state["level"] in levels]
    locked = [scope for scope in scopes if ids.within(resource_id, scope)]
    if action == "delete":
        locked += [scope for scope in scopes if ids.within(scope, resource_id) and scope not in locked]
    if locked:
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{resource_id}' cannot perform {action} operation because following scope(s) are locked: "
            f"'{','.join(locked)}'. Please remove the lock and try again.",
        )


def may_use_network(store: Store, principal: str, resource_id: str) -> bool:
    """Whether a principal has a role on the resource, or above it, that lets it join public addresses and subnets."""
    return any(
        assignment.state["principalId"] == principal
        and ROLES[ids.name(assignment.state["roleDefinitionId"])] in NETWORK_WRITERS
        and ids.within(resource_id, scope_of(assignment.id))
        for assignment in store.of(ROLE_ASSIGNMENT)
    )
