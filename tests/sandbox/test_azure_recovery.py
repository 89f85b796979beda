"""What an Azure stand-in that starts again makes of an operation that its own end cut off."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox.azure.drain import cordon
from sandbox.azure.provider import AzureProvider
from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.plane.clusters import PlaneClusters
from sandbox.toolchain import Tools
from tests.sandbox.azure_cluster_world import AGENT_POOL, KEY, MANAGED_CLUSTER, RETIRED, until
from tests.sandbox.azure_world import CLUSTER_ID, Engine, base, inputs, serving

POOL_ID = f"{CLUSTER_ID}/agentPools/cut"
GROUPS = {"resources:ResourceGroup", "network:VirtualNetwork", "network:Subnet", "network:PublicIPAddress",
          "managedidentity:UserAssignedIdentity"}  # fmt: skip


@asynccontextmanager
async def running(home: Home, tools: Tools) -> AsyncIterator[tuple[Engine, AzureProvider, PlaneClusters]]:
    clusters = PlaneClusters(home, tools, agents=False)
    try:
        async with serving(home, clusters) as (engine, provider):
            yield engine, provider, clusters
    finally:
        await clusters.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stopped(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a cluster with a pool `cut`; nothing runs. Made once: every test works on a copy."""
    folder = tmp_path_factory.mktemp("stopped")
    async with running(Home(folder), tools) as (engine, *_):
        await base(engine)
        await engine.create(MANAGED_CLUSTER, inputs(MANAGED_CLUSTER))
        await engine.create(AGENT_POOL, inputs(AGENT_POOL, agentPoolName="cut"))
    return folder


@pytest.fixture
def home(stopped: Path, tmp_path: Path) -> Home:
    """A copy of that state."""
    return Home(shutil.copytree(stopped, tmp_path / "home"))


def cut_off(home: Home, resource_id: str, state: str) -> None:
    """As if the stand-in had been killed in that state of the resource."""
    document: dict[str, Any] = json.loads(home.azure.read_text())
    (found,) = [each for each in document["resources"] if each["id"] == resource_id]
    found["state"]["provisioningState"] = state
    home.azure.write_text(json.dumps(document))


async def pools(clusters: PlaneClusters) -> set[str]:
    async with Kube(clusters.admin_kubeconfig(KEY), "test") as kube:
        nodes = await kube.list("v1", "Node")
    return {node["metadata"]["labels"]["agentpool"] for node in nodes}


async def test_a_creation_is_undone_and_can_be_asked_for_again(home: Home, tools: Tools) -> None:
    cut_off(home, POOL_ID, "Creating")
    async with running(home, tools) as (engine, provider, clusters):
        assert provider.arm.store.find(POOL_ID) is None
        assert await pools(clusters) == {"system"}
        await engine.create(AGENT_POOL, inputs(AGENT_POOL, agentPoolName="cut"))
        assert await pools(clusters) == {"system", "cut"}

    cut_off(home, CLUSTER_ID, "Creating")
    async with running(home, tools) as (engine, provider, clusters):
        kinds = {record.token.removeprefix("azure-native:") for record in provider.arm.store.all()}
        assert kinds == GROUPS
        assert not home.cluster(KEY).exists()
        await engine.create(MANAGED_CLUSTER, inputs(MANAGED_CLUSTER))
        assert await pools(clusters) == {"system"}


async def test_any_other_operation_on_a_pool_has_failed(home: Home, tools: Tools) -> None:
    cut_off(home, POOL_ID, "Deleting")
    async with running(home, tools) as (engine, provider, clusters):
        record = provider.arm.store.find(POOL_ID)
        assert record is not None
        assert record.state["provisioningState"] == "Failed"
        await engine.delete(AGENT_POOL, POOL_ID)
        assert await pools(clusters) == {"system"}


async def test_an_upgrade_has_failed_and_the_next_put_ends_it(home: Home, tools: Tools) -> None:
    """Cut off between surge and drain: a machine too many, the old one cordoned and of the older version."""
    async with running(home, tools) as (_, provider, clusters):
        record = provider.arm.store.find(POOL_ID)
        cluster = provider.arm.store.find(CLUSTER_ID)
        assert record is not None
        assert cluster is not None
        pools = provider.arm.live.pools(cluster)
        await pools.grow(record, 1, surge=True)
        pools.members(record)[0]["version"] = RETIRED
        provider.arm.store.save()
        async with Kube(clusters.admin_kubeconfig(KEY), "test") as kube:
            await cordon(kube, pools.name(record, 0))
    for one in (POOL_ID, CLUSTER_ID):
        cut_off(home, one, "Upgrading")
    async with running(home, tools) as (engine, provider, clusters):
        assert states(provider) == ["Failed", "Failed"]
        async with Kube(clusters.admin_kubeconfig(KEY), "test") as kube:
            before = await kube.list("v1", "Node", labels="agentpool=cut")
            assert [one["status"]["nodeInfo"]["kubeletVersion"] for one in before] == [f"v{RETIRED}", "v1.35.9"]
            given = inputs(AGENT_POOL, agentPoolName="cut")
            await engine.update(AGENT_POOL, POOL_ID, given, given | {"tags": {"again": "yes"}})
            (after,) = await kube.list("v1", "Node", labels="agentpool=cut")
        assert after["metadata"]["name"] == before[0]["metadata"]["name"]
        assert after["status"]["nodeInfo"]["kubeletVersion"] == "v1.35.9"
        assert "unschedulable" not in after["spec"]
        assert states(provider) == ["Succeeded", "Succeeded"]


def states(provider: AzureProvider) -> list[str]:
    found = [provider.arm.store.find(one) for one in (POOL_ID, CLUSTER_ID)]
    return [str(one.state["provisioningState"]) for one in found if one is not None]


async def test_a_clusters_deletion_goes_on(home: Home, tools: Tools) -> None:
    cut_off(home, CLUSTER_ID, "Deleting")
    async with running(home, tools) as (_, provider, clusters):
        assert provider.arm.store.find(CLUSTER_ID) is None
        assert clusters.left_path(KEY).read_text().strip() == "[]"
        assert not home.cluster(KEY).exists()


async def test_an_operation_outlives_the_engine_that_asked_for_it(home: Home, tools: Tools) -> None:
    async with running(home, tools) as (engine, provider, clusters):
        given = inputs(AGENT_POOL, agentPoolName="late")
        asking = asyncio.create_task(engine.create(AGENT_POOL, given))
        late = f"{CLUSTER_ID}/agentPools/late"

        async def state() -> str:
            record = provider.arm.store.find(late)
            return "" if record is None else str(record.state["provisioningState"])

        assert await until(state, every=0) == "Creating"
        asking.cancel()  # the call is taken back, as when its process dies
        with pytest.raises(asyncio.CancelledError):
            await asking

        async def settled() -> bool:
            return await state() != "Creating"

        await until(settled)
        assert await state() == "Succeeded"
        assert await pools(clusters) == {"system", "cut", "late"}
