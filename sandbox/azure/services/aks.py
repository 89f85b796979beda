"""Microsoft.ContainerService as a whole: one operation at a time on a cluster and its pools."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sandbox.azure import ids
from sandbox.azure.catalogue import AGENT_POOL, MAINTENANCE, MANAGED_CLUSTER, Kind
from sandbox.azure.errors import ArmError, operation_in_progress
from sandbox.azure.live import Live
from sandbox.azure.rules import maintenance as maintenance_rules
from sandbox.azure.services.agent_pools import AgentPools, cluster_of
from sandbox.azure.services.clusters import ManagedClusters
from sandbox.azure.store import Record, Store
from sandbox.rpc import Json


class Aks:
    """Clusters, pools and maintenance configurations (these are written at any time)."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._pools = AgentPools(store, live)
        self._clusters = ManagedClusters(store, live, self._pools)
        self._running: dict[str, str] = {}

    async def put(self, kind: Kind, resource_id: str, body: Json, current: Record | None) -> None:
        action = "Updating" if current else "Creating"
        if kind is MANAGED_CLUSTER:
            with self._exclusive(resource_id, f"operation ({action})"):
                if current is None:
                    await self._clusters.create(resource_id, body)
                else:
                    await self._clusters.update(current, body)
        elif kind is AGENT_POOL:
            with self._exclusive(cluster_of(resource_id), f"agentpool operation ({ids.name(resource_id)} - {action})"):
                if current is None:
                    await self._pools.create(resource_id, body)
                else:
                    await self._pools.update(current, body, "properties")
        else:
            self._put_maintenance(resource_id, body)

    async def delete(self, record: Record) -> None:
        if record.token == MANAGED_CLUSTER.token:
            with self._exclusive(record.id, "operation (Deleting)"):
                await self._clusters.delete(record)
        elif record.token == AGENT_POOL.token:
            running = f"agentpool operation ({ids.name(record.id)} - Deleting)"
            with self._exclusive(cluster_of(record.id), running):
                await self._pools.delete(record)
        else:
            self._store.remove(record.id)

    def view(self, record: Record) -> Json:
        if record.token == MANAGED_CLUSTER.token:
            profiles = [pool.state for pool in self._pools.of(record.id)]
            return record.state | {"agentPoolProfiles": profiles}
        return record.state

    async def upgrade_images(self, cluster: Record) -> dict[str, str]:
        """Bring the cluster's pools to its newest node image, one after another: what became of each.

        Raises `ArmError` while another operation is under way.
        """
        outcome = {}
        with self._exclusive(cluster.id, "operation (Upgrading)"):
            for pool in self._pools.of(cluster.id):
                try:
                    await self._pools.upgrade_image(pool)
                    outcome[pool.state["name"]] = pool.state["nodeImageVersion"]
                except ArmError as refusal:
                    outcome[pool.state["name"]] = str(refusal)
        return outcome

    async def recover(self) -> None:
        """After a crash of the stand-in: every cluster is up again, and no operation is under way."""
        for cluster in self._store.of(MANAGED_CLUSTER):
            await self._clusters.recover(cluster)

    @contextlib.contextmanager
    def _exclusive(self, cluster_id: str, operation: str) -> Iterator[None]:
        key = ids.key(cluster_id)
        if key in self._running:
            raise operation_in_progress(self._running[key])
        self._running[key] = operation
        try:
            yield
        finally:
            del self._running[key]

    def _put_maintenance(self, resource_id: str, body: Json) -> None:
        given = {name: value for name, value in body.items() if value is not None}
        maintenance_rules.check(ids.name(resource_id), given)
        state = given | {"name": ids.name(resource_id)}
        state["type"] = "Microsoft.ContainerService/managedClusters/maintenanceConfigurations"
        self._store.put(Record(resource_id, MAINTENANCE.token, state))
