"""What is not known of the vendor's controller: both answers to each question, against the real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sandbox.sessions.rows import ActiveNodes, IdleRolling, Rows, SafeToEvict
from sandbox.twin.controller import Controller
from tests.sandbox.twin.objects import session_group
from tests.sandbox.twin.world import World, all_ready, background, eventually

LABEL = "speechmatics.io/safe-to-evict"


@asynccontextmanager
async def controller(world: World, rows: list[Rows]) -> AsyncIterator[None]:
    """A controller that reads the last of `rows` at every use."""
    async with world.kubelet(), background(Controller(world.admin, world.namespace, lambda: 1, lambda: rows[-1]).run()):
        yield


async def labels(world: World) -> dict[str, str | None]:
    return {pod["metadata"]["name"]: pod["metadata"]["labels"].get(LABEL) for pod in await world.pods()}


async def test_row_safe_to_evict(bare: World) -> None:
    rows = [Rows(safe_to_evict=SafeToEvict.KEPT)]
    async with controller(bare, rows):
        await bare.create(session_group(replicas=2))
        await all_ready(bare, 2)
        busy, idle = await bare.names()
        await bare.sessions(busy, 1)
        await bare.status_is(usage=1)
        assert await labels(bare) == {busy: "false", idle: "false"}, "never lifted"
        rows.append(Rows(safe_to_evict=SafeToEvict.LIFTED))
        await bare.sessions(busy, 2)

        async def lifted() -> bool:
            return await labels(bare) == {busy: "false", idle: None}

        await eventually(lifted, "the idle pod's label is lifted")
        await bare.sessions(idle, 1)
        await bare.sessions(busy, 0)

        async def swapped() -> bool:
            return await labels(bare) == {busy: None, idle: "false"}

        await eventually(swapped, "it follows the sessions")


async def test_row_active_nodes(bare: World) -> None:
    """Only the hostile answer, and only for a group that asks, prefers the node of a busy pod, and of no idle one."""
    node = f"{bare.namespace}-node"
    await bare.node(node)

    async def preferred(name: str) -> list[str]:
        pod = await bare.admin.get("v1", "Pod", name, bare.namespace)
        terms = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
            "preferredDuringSchedulingIgnoredDuringExecution"
        )
        return [value for term in terms or [] for each in term["preference"]["matchExpressions"]
                for value in each["values"]]  # fmt: skip

    async def another(replicas: int, **spec: bool) -> list[str]:
        """What the pod prefers that comes when the group is to have so many."""
        before = await bare.names()
        await bare.change(group, replicas=replicas, **spec)
        await all_ready(bare, replicas)
        (name,) = set(await bare.names()) - set(before)
        return await preferred(name)

    rows = [Rows(active_nodes=ActiveNodes.PREFERRED)]
    async with controller(bare, rows):
        group = session_group(replicas=1, activeNodeScheduling=True)
        await bare.create(group)
        await all_ready(bare, 1)
        (busy,) = await bare.names()
        await bare.run_on(busy, node)
        assert await another(2) == [], "idle"
        await bare.sessions(busy, 1)
        await bare.status_is(usage=1)
        assert await another(3) == [node]
        assert await another(4, activeNodeScheduling=False) == []
        rows.append(Rows(active_nodes=ActiveNodes.IGNORED))
        assert await another(5, activeNodeScheduling=True) == []
    await bare.admin.delete("v1", "Node", node)


async def test_row_idle_rolling(bare: World) -> None:
    """By the label a pod that never loses it is never rolled, and one that has none is rolled though it is busy."""
    rows = [Rows(idle_rolling=IdleRolling.LABEL, safe_to_evict=SafeToEvict.KEPT)]
    async with controller(bare, rows):
        group = session_group(replicas=1)
        await bare.create(group)
        await all_ready(bare, 1)
        (first,) = await bare.names()
        await bare.change(group, template=session_group(image="13.5.1")["spec"]["template"])
        await all_ready(bare, 2)
        assert first in await bare.names(), "idle by its sessions, and yet it stays"
        await bare.sessions(first, 1)
        await bare.status_is(usage=1)
        patch = {"metadata": {"labels": {LABEL: None}}}
        await bare.admin.merge("v1", "Pod", first, patch, bare.namespace)

        async def rolled() -> bool:
            return first not in await bare.names()

        await eventually(rolled, "busy and without the label: rolled")
        rows.append(Rows(idle_rolling=IdleRolling.USAGE))
        (second,) = await bare.names()
        await bare.sessions(second, 1)
        await bare.status_is(usage=1)
        await bare.change(group, template=session_group(image="13.5.2")["spec"]["template"])
        await all_ready(bare, 2)
        await bare.admin.merge("v1", "Pod", second, patch, bare.namespace)
        assert second in await bare.names(), "by usage it stays without the label"
        await bare.sessions(second, 0)

        async def over() -> bool:
            return second not in await bare.names()

        await eventually(over, "and goes when it is idle")
