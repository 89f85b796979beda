"""Fields of what stands changed, and back again: under the engine's own field manager, or in Azure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sandbox.drill import azure
from sandbox.drill.ladder import standing
from sandbox.drill.ladder.standing import Changed
from sandbox.drill.plane import Plane
from sandbox.kube import Kube, KubeError
from sandbox.plane.errors import PlaneError

Json = dict[str, Any]

TRIES = 5
"""How often an object is written that somebody else has changed meanwhile."""


@asynccontextmanager
async def written(plane: Plane, kube: Kube, changes: Sequence[Changed]) -> AsyncIterator[None]:
    """Have it so for as long as this lasts. A plane on which it cannot be taken back is spoilt.

    Raises `PlaneError` or `KubeError` when something is not taken.
    """
    async with AsyncExitStack() as back:
        for each in changes:
            await back.enter_async_context(_object(kube, each) if each.what.manager else _resource(plane, each))
        try:
            yield
        finally:
            try:
                await back.aclose()
            except (PlaneError, KubeError):
                plane.spoilt = True


@asynccontextmanager
async def _resource(plane: Plane, one: Changed) -> AsyncIterator[None]:
    """A resource in Azure."""
    what, wanted = one.what, standing.written(one.what.inputs, one.changes)
    try:
        if wanted is None:
            await azure.delete(plane.home, what.token, what.id)
        else:
            await azure.put(plane.home, what.token, wanted)
        yield
    finally:
        await azure.put(plane.home, what.token, what.inputs)


@asynccontextmanager
async def _object(kube: Kube, one: Changed) -> AsyncIterator[None]:
    """An object of the cluster."""
    what, meta = one.what, one.what.inputs["metadata"]
    api_version, kind, name = str(what.inputs["apiVersion"]), what.kind, what.name
    namespace = meta.get("namespace")
    before = await kube.get(api_version, kind, name, namespace)
    if standing.written(before, one.changes) is None:
        await kube.delete(api_version, kind, name, namespace)
        try:
            yield
        finally:
            await kube.create(what.inputs, manager=what.manager)
        return

    async def write(change: Callable[[Json], Json | None]) -> None:
        for left in reversed(range(TRIES)):
            now = {"apiVersion": api_version, "kind": kind, **await kube.get(api_version, kind, name, namespace)}
            try:
                await kube.replace(change(now) or now, manager=what.manager)
                return
            except KubeError as error:
                if error.code != 409 or not left:
                    raise
                await asyncio.sleep(0)

    try:
        await write(lambda now: standing.written(now, one.changes))
        yield
    finally:
        await write(lambda now: standing.restored(now, before, one.changes))
