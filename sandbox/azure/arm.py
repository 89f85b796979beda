"""Azure Resource Manager: what is judged for every request, whatever the kind of resource."""

from __future__ import annotations

import asyncio
import base64

from sandbox.azure import Clusters, differ, ids, regions
from sandbox.azure.catalogue import (
    AGENT_POOL,
    IDENTITY,
    LOCK,
    MAINTENANCE,
    MANAGED_CLUSTER,
    PUBLIC_IP,
    RESOURCE_GROUP,
    ROLE_ASSIGNMENT,
    SUBNET,
    VIRTUAL_NETWORK,
    Kind,
)
from sandbox.azure.errors import ArmError, already_exists
from sandbox.azure.live import Live, key_of
from sandbox.azure.node_image import NodeImages
from sandbox.azure.services import Service
from sandbox.azure.services.aks import Aks
from sandbox.azure.services.groups import Groups
from sandbox.azure.services.identity import Identities, Locks, Roles, check_unlocked, scope_of
from sandbox.azure.services.network import Network
from sandbox.azure.store import Record, Store
from sandbox.home import Home
from sandbox.rpc import Json

_EXTENSIONS = (ROLE_ASSIGNMENT, LOCK)
_NOT_IN_BODY = frozenset({"azureApiVersion", differ.CREATE_BEFORE_DELETE})


class Arm:
    """The made-up Azure. Every method raises `ArmError` or `ProviderError` for what is refused."""

    def __init__(self, home: Home, clusters: Clusters) -> None:
        self.store = Store(home.azure)
        self._clusters = clusters
        self.live = Live(home, clusters, self.store)
        network, aks = Network(self.store), Aks(self.store, self.live)
        self._aks = aks
        self._images = NodeImages(self.store, self.live.clock, aks.upgrade_images)
        self._weekly: asyncio.Task[None] | None = None
        self._services: dict[str, Service] = {
            RESOURCE_GROUP.token: Groups(self.store, self.remove),
            VIRTUAL_NETWORK.token: network,
            SUBNET.token: network,
            PUBLIC_IP.token: network,
            IDENTITY.token: Identities(self.store),
            ROLE_ASSIGNMENT.token: Roles(self.store),
            LOCK.token: Locks(self.store),
            MANAGED_CLUSTER.token: aks,
            AGENT_POOL.token: aks,
            MAINTENANCE.token: aks,
        }

    async def recover(self) -> None:
        """Bring up the control planes of all clusters there are; what a crash cut off is undone or ended."""
        await self._aks.recover()
        self._weekly = asyncio.create_task(self._images.run())

    async def close(self) -> None:
        if self._weekly is not None:
            self._weekly.cancel()
            await asyncio.gather(self._weekly, return_exceptions=True)
        await self.live.close()

    def read(self, resource_id: str) -> Json | None:
        """What Azure answers for a resource; None for 404."""
        record = self.store.find(resource_id)
        return None if record is None else self._services[record.token].view(record)

    async def create(self, kind: Kind, inputs: Json) -> tuple[str, Json]:
        """A PUT that must make something new, as azure-native insists; the id and the answer."""
        resource_id = kind.build_id(inputs)
        if self.store.find(resource_id) is not None:
            raise already_exists(resource_id)
        return resource_id, await self._put(kind, resource_id, inputs)

    async def update(self, kind: Kind, inputs: Json) -> Json:
        """A PUT over what is there; Azure makes it again when it is gone."""
        return await self._put(kind, kind.build_id(inputs), inputs)

    async def _put(self, kind: Kind, resource_id: str, inputs: Json) -> Json:
        self._check_parents(kind, resource_id)
        check_unlocked(self.store, resource_id, "write")
        body = {
            name: value for name, value in inputs.items() if name not in _NOT_IN_BODY and name not in kind.path_inputs
        }
        if isinstance(body.get("location"), str):
            body["location"] = differ.location(body["location"])
            regions.check(body["location"], ids.arm_type(resource_id))
        current = self.store.find(resource_id)
        if current is not None and kind is RESOURCE_GROUP and current.state.get("managedBy"):
            raise ArmError(403, "DenyAssignmentAuthorizationFailed", f"The resource group '{resource_id}' is managed.")
        await self._services[kind.token].put(kind, resource_id, body, current)
        answer = self.read(resource_id)
        assert answer is not None, f"{resource_id} was just written"
        return answer

    async def delete(self, resource_id: str) -> None:
        """A DELETE; what is gone already is gone."""
        record = self.store.find(resource_id)
        if record is not None:
            if record.token != LOCK.token:
                check_unlocked(self.store, record.id, "delete")
            await self.remove(record)

    async def remove(self, record: Record) -> None:
        """Delete a resource, then the role assignments and locks on it."""
        await self._services[record.token].delete(record)
        for kind in _EXTENSIONS:
            for extension in self.store.of(kind):
                if ids.within(scope_of(extension.id), record.id):
                    self.store.remove(extension.id)

    def user_credentials(self, resource_group: str, name: str) -> Json:
        """What listManagedClusterUserCredentials answers."""
        record = self._existing(MANAGED_CLUSTER, {"resourceGroupName": resource_group, "resourceName": name})
        text = self._clusters.user_kubeconfig(key_of(record))
        return {"kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(text.encode()).decode()}]}

    def _existing(self, kind: Kind, inputs: Json) -> Record:
        resource_id = kind.build_id(inputs)
        self._check_group(resource_id)
        record = self.store.find(resource_id)
        if record is None:
            raise not_found(resource_id)
        return record

    def _check_parents(self, kind: Kind, resource_id: str) -> None:
        if kind is RESOURCE_GROUP:
            return
        self._check_group(resource_id)
        if kind in _EXTENSIONS:
            scope = scope_of(resource_id)
            if ids.key(scope) != ids.key(ids.SUBSCRIPTION_SCOPE) and self.store.find(scope) is None:
                raise not_found(scope)
            return
        parent = ids.parent(resource_id)
        if parent is not None and self.store.find(parent) is None:
            short = ids.arm_type(resource_id).split("/", 1)[1]
            raise ArmError(
                404,
                "ParentResourceNotFound",
                f"Failed to perform 'write' on resource(s) of type '{short}', because the parent resource '{parent}' "
                "could not be found.",
            )

    def _check_group(self, resource_id: str) -> None:
        if not ids.within(resource_id, ids.SUBSCRIPTION_SCOPE):
            subscription = resource_id.strip("/").split("/")[1] if resource_id.count("/") > 1 else resource_id
            raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        group = ids.group(resource_id)
        if group is not None and self.store.find(ids.group_id(group)) is None:
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def not_found(resource_id: str) -> ArmError:
    """ARM's answer for a resource that is not in an existing group."""
    kind, group = ids.arm_type(resource_id), ids.group(resource_id)
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{ids.name(resource_id)}' under resource group '{group}' was not found. For more details "
        "please go to https://aka.ms/ARMResourceNotFoundFix",
    )
