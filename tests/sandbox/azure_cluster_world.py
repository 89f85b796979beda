"""A managed cluster on a real control plane, for the tests of what the cloud does in it.

No kubelet runs: where one is needed to let a stopping pod go, the test plays it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import rpc, settings
from sandbox.azure import catalogue
from sandbox.azure.store import Store
from sandbox.home import Home
from sandbox.kube import Kube, KubeError
from sandbox.plane.clusters import PlaneClusters
from sandbox.settings import PoolDelete, Settings
from sandbox.toolchain import Tools
from tests.sandbox.azure_world import CLUSTER, CLUSTER_ID, GROUP, Engine, Json, base, inputs, serving

AGENT_POOL, MANAGED_CLUSTER = catalogue.AGENT_POOL, catalogue.MANAGED_CLUSTER
KEY = f"{GROUP}_{CLUSTER}"
RETIRED = "1.35.4"


@dataclass
class World:
    """A cluster that is up, the engine's way to it, and its API server's administrator."""

    home: Home
    engine: Engine
    kube: Kube
    principal: str
    store: Store

    def aged(self, resource_id: str) -> None:
        """From here on the cluster or pool is of a patch that Azure has offered once and offers no more."""
        record = self.store.find(resource_id)
        assert record is not None
        of = ("kubernetesVersion", "currentKubernetesVersion", "orchestratorVersion", "currentOrchestratorVersion")
        record.state |= {name: RETIRED for name in of if name in record.state}
        self.store.save()

    async def pool(self, name: str, **changes: Any) -> tuple[str, Json, Json]:
        """Make a pool: its id, its inputs, its state."""
        given = inputs(AGENT_POOL, agentPoolName=name, **changes)
        resource_id, state = await self.engine.create(AGENT_POOL, given)
        return resource_id, given, state

    async def nodes(self, pool: str) -> list[Json]:
        return await self.kube.list("v1", "Node", labels=f"kubernetes.azure.com/agentpool={pool}")

    async def drop(self, resource_id: str) -> None:
        """Remove a pool at once."""
        settings.write(Settings(pool_delete=PoolDelete.ABRUPT), self.home)
        await self.engine.delete(AGENT_POOL, resource_id)


@contextlib.asynccontextmanager
async def standing(tools: Tools, folder: Path) -> AsyncIterator[World]:
    """The cluster, made through the provider."""
    home = Home(folder)
    clusters = PlaneClusters(home, tools, agents=False)
    try:
        async with serving(home, clusters) as (engine, provider):
            principal = await base(engine)
            await engine.create(MANAGED_CLUSTER, inputs(MANAGED_CLUSTER))
            async with Kube(clusters.admin_kubeconfig(KEY), "test") as kube:
                yield World(home, engine, kube, principal, provider.arm.store)
    finally:
        await clusters.close()


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60, every: float = 0.1) -> Any:
    """The condition's first true value. Fails when time is up. With `every` 0 a state that passes is not missed."""
    async with asyncio.timeout(seconds):
        while True:
            found = await condition()
            if found:
                return found
            await asyncio.sleep(every)


def pod(name: str, *, cpu: str = "100m", **spec: Any) -> Json:
    container = {"name": "main", "image": "made-up", "resources": {"requests": {"cpu": cpu}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"containers": [container], "tolerations": [{"operator": "Exists"}]} | spec,
    }


def replica_set(name: str, count: int = 1, *, cpu: str = "100m", annotations: Json | None = None, **spec: Any) -> Json:
    """Pods of a real controller, which makes new ones for those that go. A cordon keeps them from a node."""
    template = pod(name, cpu=cpu, **({"tolerations": [{"key": "sku", "operator": "Exists"}]} | spec))
    meta = {"labels": template["metadata"]["labels"], "annotations": annotations or {}}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": count,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": meta, "spec": template["spec"]},
        },
    }


def disruption_budget(name: str, **spec: Any) -> Json:
    meta = {"name": name, "namespace": "default"}
    selector = {"matchLabels": {"app": name}}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": {"selector": selector} | spec,
    }


async def allowed(world: World, name: str, disruptions: int, expected: int) -> None:
    """Wait until the disruption controller has counted so."""

    async def counted() -> bool:
        found = await world.kube.get("policy/v1", "PodDisruptionBudget", name, "default")
        status = found.get("status") or {}
        return (status.get("disruptionsAllowed"), status.get("expectedPods")) == (disruptions, expected)

    await until(counted)


async def running(world: World, app: str) -> list[Json]:
    """The pods of an app that run and are not asked to stop."""
    found = await world.kube.list("v1", "Pod", "default", labels=f"app={app}")
    return [
        one for one in found if "deletionTimestamp" not in one["metadata"] and one["status"].get("phase") == "Running"
    ]


@contextlib.asynccontextmanager
async def kubelet(world: World) -> AsyncIterator[dict[str, int]]:
    """A kubelet for every node: bound pods run at once, stopping ones go at once, those labelled `slow` never.

    Yields the grace (s) with which each pod was asked to stop, by its name.
    """
    graces: dict[str, int] = {}

    async def play() -> None:
        async for change, found in world.kube.watch("v1", "Pod", "default", fields="spec.nodeName!="):
            if change not in ("ADDED", "MODIFIED"):
                continue
            meta = found["metadata"]
            try:
                if "deletionTimestamp" in meta:
                    graces.setdefault(meta["name"], meta["deletionGracePeriodSeconds"])
                    if "slow" not in meta["labels"]:
                        await world.kube.delete("v1", "Pod", meta["name"], "default", grace_seconds=0, uid=meta["uid"])
                elif found["status"].get("phase") == "Pending":
                    ready = {"type": "Ready", "status": "True"}
                    status = {"status": {"phase": "Running", "conditions": [ready]}}
                    await world.kube.merge("v1", "Pod", meta["name"], status, "default", subresource="status")
            except KubeError as error:
                if error.code not in (404, 409):
                    raise

    playing = asyncio.create_task(play())
    try:
        yield graces
    finally:
        playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await playing


async def placed(world: World, name: str) -> str:
    """The node the scheduler chose."""

    async def chosen() -> Any:
        return (await world.kube.get("v1", "Pod", name, "default"))["spec"].get("nodeName")

    return str(await until(chosen))


async def gone(world: World, *names: str) -> None:
    for name in names:
        await world.kube.delete("v1", "Pod", name, "default", grace_seconds=0)


async def events(world: World, reason: str, about: str) -> list[str]:
    found = await world.kube.list("v1", "Event", "default", fields=f"reason={reason},involvedObject.name={about}")
    return [event["message"] for event in found]


async def current_cluster(world: World) -> tuple[Json, Json]:
    read = await world.engine.read(MANAGED_CLUSTER, CLUSTER_ID, inputs(MANAGED_CLUSTER), {})
    return rpc.from_struct(read.properties), inputs(MANAGED_CLUSTER)


@contextlib.asynccontextmanager
async def budget(world: World, name: str) -> AsyncIterator[None]:
    """A pod, and a budget that allows none of its kind to be evicted."""
    await world.kube.create(pod(name, nodeSelector={"agentpool": "system"}))
    await placed(world, name)
    ready = {"type": "Ready", "status": "True"}
    status = {"status": {"phase": "Running", "conditions": [ready]}}
    await world.kube.merge("v1", "Pod", name, status, "default", subresource="status")
    meta = {"name": name, "namespace": "default"}
    # a bare pod has no controller to count by: the budget names an absolute number
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}}
    await world.kube.create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta, "spec": spec})

    async def counted() -> bool:
        found = await world.kube.get("policy/v1", "PodDisruptionBudget", name, "default")
        return bool((found.get("status") or {}).get("expectedPods"))

    await until(counted)
    try:
        yield
    finally:
        await world.kube.delete("policy/v1", "PodDisruptionBudget", name, "default")
        await gone(world, name)
