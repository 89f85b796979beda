"""Azure's resource providers: what a PUT, GET and DELETE does for each kind of resource.

`arm.py` has judged the id, the parents and the locks before a service is asked.
"""

from __future__ import annotations

from typing import Protocol

from sandbox.azure.catalogue import Kind
from sandbox.azure.store import Record
from sandbox.rpc import Json


class Service(Protocol):
    """One resource provider. Every method raises `ArmError` for what Azure refuses."""

    async def put(self, kind: Kind, resource_id: str, body: Json, current: Record | None) -> None:
        """Create the resource, or change it when `current` is there. `body` is the inputs without the id's parts."""

    async def delete(self, record: Record) -> None:
        """Remove the resource and what exists only through it."""

    def view(self, record: Record) -> Json:
        """What Azure answers for the resource now, in the SDK's output names."""
