"""Microsoft.Resources: resource groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sandbox.azure import ids
from sandbox.azure.catalogue import MANAGED_CLUSTER, Kind
from sandbox.azure.store import Record, Store
from sandbox.rpc import Json


class Groups:
    """Resource groups. Deleting one deletes what is in it, clusters first."""

    def __init__(self, store: Store, delete: Callable[[Record], Awaitable[None]]) -> None:
        self._store, self._delete = store, delete

    async def put(self, kind: Kind, resource_id: str, body: Json, current: Record | None) -> None:
        state = {
            "name": ids.name(resource_id),
            "type": "Microsoft.Resources/resourceGroups",
            "location": body["location"],
            "properties": {"provisioningState": "Succeeded"},
        }
        for name in ("tags", "managedBy"):
            if body.get(name) is not None:
                state[name] = body[name]
        self._store.put(Record(resource_id, kind.token, state))

    async def delete(self, record: Record) -> None:
        inside = self._store.under(record.id)
        for found in sorted(inside, key=lambda r: (r.token != MANAGED_CLUSTER.token, -len(r.id))):
            if self._store.find(found.id) is not None:
                await self._delete(found)
        self._store.remove(record.id)

    def view(self, record: Record) -> Json:
        return record.state
