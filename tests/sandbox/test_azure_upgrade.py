"""Upgrades in place: the check before, surge, drain, undrainable machines, the control plane's own step.

One cluster for the whole module; every test makes and removes pools and objects of its own.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sandbox import settings
from sandbox.azure.errors import ArmError
from sandbox.azure.rules.upgrade import check_control_plane, check_pool, forced
from sandbox.settings import Settings
from sandbox.toolchain import Tools
from tests.sandbox.azure_cluster_world import (
    AGENT_POOL,
    MANAGED_CLUSTER,
    RETIRED,
    World,
    allowed,
    budget,
    disruption_budget,
    gone,
    kubelet,
    pod,
    replica_set,
    running,
    standing,
    until,
)
from tests.sandbox.azure_world import CLUSTER_ID, SYSTEM_POOL, Json, RefusedError, inputs

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEWER = "1.35.9"
SYSTEM_ID = f"{CLUSTER_ID}/agentPools/system"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with standing(tools, tmp_path_factory.mktemp("azure")) as found:
        settings.write(Settings(time_factor=300), found.home)
        yield found


async def aged_pool(world: World, name: str, count: int, **upgrade: Any) -> tuple[str, Json, Json]:
    """A pool one patch behind its control plane: its id, its inputs, and the inputs that ask for the upgrade."""
    world.aged(CLUSTER_ID)
    asked = {"count": count, "minCount": count, "orchestratorVersion": RETIRED, "upgradeSettings": upgrade or None}
    resource_id, given, _ = await world.pool(name, **asked)
    record(world, CLUSTER_ID).state |= {"kubernetesVersion": NEWER, "currentKubernetesVersion": NEWER}
    world.store.save()
    return resource_id, given, given | {"orchestratorVersion": NEWER}


def record(world: World, resource_id: str) -> Any:
    found = world.store.find(resource_id)
    assert found is not None
    return found


async def versions(world: World, pool: str) -> dict[str, str]:
    return {
        node["metadata"]["name"][-1]: node["status"]["nodeInfo"]["kubeletVersion"].removeprefix("v")
        for node in await world.nodes(pool)
    }


async def reports(world: World, reason: str) -> list[str]:
    return [event["message"] for event in await world.kube.list("v1", "Event", fields=f"reason={reason}")]


async def pair(world: World, name: str, pool: str) -> None:
    """Two pods on a pool's first node, without a controller, of which one has to stay.

    The first eviction passes, the second never does.
    """
    node = (await world.nodes(pool))[0]["metadata"]["name"]
    for number in (1, 2):
        one = pod(f"{name}-{number}", nodeName=node)
        one["metadata"]["labels"]["app"] = name
        await world.kube.create(one)
    await world.kube.create(disruption_budget(name, minAvailable=1))
    await allowed(world, name, 1, 2)


async def test_machines_are_replaced_one_after_another_behind_a_surge(world: World) -> None:
    resource_id, given, news = await aged_pool(world, "rolled", 2, maxSurge="1")
    before = await world.nodes("rolled")
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, len(await world.nodes("rolled")))
            await asyncio.sleep(0.1)

    async with kubelet(world):
        await world.kube.create(replica_set("moved", 2, nodeSelector={"agentpool": "rolled"}))

        async def started() -> bool:
            return len(await running(world, "moved")) == 2

        await until(started)
        watching = asyncio.create_task(watch())
        state = await world.engine.update(AGENT_POOL, resource_id, given, news)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await until(started)
    assert (state["currentOrchestratorVersion"], state["provisioningState"], state["count"]) == (NEWER, "Succeeded", 2)
    assert await versions(world, "rolled") == {"0": NEWER, "1": NEWER}
    assert most == 3
    after = await world.nodes("rolled")
    names = [node["metadata"]["name"] for node in before]
    assert [node["metadata"]["name"] for node in after] == names, "machines are reimaged, what was added is gone"
    assert not {node["metadata"]["uid"] for node in before} & {node["metadata"]["uid"] for node in after}
    surge = f"{names[0][:-1]}2"
    assert f"Created a surge node [{surge} rolled] for agentpool rolled" in await reports(world, "Surge")
    assert {f"Draining node: [{name}]" for name in [*names, surge]} <= set(await reports(world, "Drain"))
    await world.kube.delete("apps/v1", "ReplicaSet", "moved", "default")
    await world.drop(resource_id)


async def test_any_budget_that_allows_nothing_refuses_the_upgrade_of_every_pool(world: World) -> None:
    settings.write(Settings(time_factor=300), world.home)
    resource_id, given, news = await aged_pool(world, "empty", 1)
    async with budget(world, "elsewhere"):
        with pytest.raises(RefusedError) as refused:
            await world.engine.update(AGENT_POOL, resource_id, given, news)
        assert str(refused.value).startswith('Status=400 Code="UnsatisfiablePDB" Message="Upgrade is blocked')
        assert "PDB default/elsewhere has minAvailable(1) >= expectedPods(1)  can't proceed with put" in str(
            refused.value
        )
        assert await versions(world, "empty") == {"0": RETIRED}
        assert record(world, resource_id).state["provisioningState"] == "Succeeded"
        (node,) = await world.nodes("empty")
        assert "unschedulable" not in node["spec"]
        force(world, until="2999-01-01T00:00:00Z")
        await world.engine.update(AGENT_POOL, resource_id, given, news)
        assert await versions(world, "empty") == {"0": NEWER}
    force(world, until=None)
    await world.drop(resource_id)


def force(world: World, until: str | None) -> None:
    cluster = record(world, CLUSTER_ID)
    override = {"forceUpgrade": True, "until": until} if until else {}
    cluster.state["upgradeSettings"] = {"overrideSettings": override}


async def test_force_evicts_whatever_a_budget_says(world: World) -> None:
    settings.write(Settings(time_factor=300), world.home)
    resource_id, given, news = await aged_pool(world, "forced", 1, drainTimeoutInMinutes=1440)
    async with kubelet(world) as graces:
        await pair(world, "guarded", "forced")
        force(world, until="2999-01-01T00:00:00Z")
        await world.engine.update(AGENT_POOL, resource_id, given, news)
        assert set(graces) == {"guarded-1", "guarded-2"}
    force(world, until=None)
    await world.kube.delete("policy/v1", "PodDisruptionBudget", "guarded", "default")
    await world.drop(resource_id)


async def test_a_drain_that_takes_too_long_stops_the_upgrade_and_a_put_resumes_it(world: World) -> None:
    settings.write(Settings(time_factor=300), world.home)
    resource_id, given, news = await aged_pool(world, "stopped", 1, drainTimeoutInMinutes=15)
    async with kubelet(world):
        await pair(world, "busy", "stopped")
        began = time.monotonic()
        with pytest.raises(RefusedError) as refused:
            await world.engine.update(AGENT_POOL, resource_id, given, news)
        assert time.monotonic() - began >= 15 * 60 / 300, "the drain has its whole time"
        assert str(refused.value).startswith('Status=200 Code="UpgradeFailed" Message="Drain node aks-stopped-')
        assert "Cannot evict pod as it would violate the pod's disruption budget." in str(refused.value)
        (node,) = await world.nodes("stopped")
        assert "unschedulable" not in node["spec"], "Schedule, the default, lets pods in again"
        assert await versions(world, "stopped") == {"0": RETIRED}
        states = [record(world, one).state["provisioningState"] for one in (resource_id, CLUSTER_ID)]
        assert states == ["Failed", "Failed"]
        assert len(await running(world, "busy")) == 1
        await world.kube.delete("policy/v1", "PodDisruptionBudget", "busy", "default")
        state = await world.engine.update(AGENT_POOL, resource_id, news, news | {"tags": {"again": "yes"}})
        assert state["provisioningState"] == "Succeeded"
        assert await versions(world, "stopped") == {"0": NEWER}
        assert record(world, CLUSTER_ID).state["provisioningState"] == "Succeeded"
    await world.drop(resource_id)


async def test_cordon_keeps_the_machine_and_a_surge_machine_for_it(world: World) -> None:
    settings.write(Settings(time_factor=300), world.home)
    upgrade = {"drainTimeoutInMinutes": 5, "undrainableNodeBehavior": "Cordon", "maxSurge": "1"}
    resource_id, given, news = await aged_pool(world, "kept", 1, **upgrade)
    async with kubelet(world):
        await pair(world, "live", "kept")
        with pytest.raises(RefusedError, match='Code="UpgradeFailed" Message="Drain node'):
            await world.engine.update(AGENT_POOL, resource_id, given, news)
        assert await versions(world, "kept") == {"0": RETIRED, "1": NEWER}
        old, _ = await world.nodes("kept")
        assert old["spec"]["unschedulable"] is True
        assert old["metadata"]["labels"]["kubernetes.azure.com/upgrade-status"] == "Quarantined"
        state = record(world, resource_id).state
        assert (state["provisioningState"], state["count"]) == ("Failed", 1)
        assert len(await running(world, "live")) == 1, "what could not be evicted lives on"
        await world.kube.delete("policy/v1", "PodDisruptionBudget", "live", "default")
        await world.engine.update(AGENT_POOL, resource_id, news, news | {"tags": {"again": "yes"}})
        assert await versions(world, "kept") == {"1": NEWER}
    await world.drop(resource_id)


async def test_cordon_cancels_when_no_surge_machine_is_left(world: World) -> None:
    settings.write(Settings(time_factor=300), world.home)
    upgrade = {"drainTimeoutInMinutes": 5, "undrainableNodeBehavior": "Cordon", "maxSurge": "1"}
    resource_id, given, news = await aged_pool(world, "used", 2, **upgrade)
    first, _ = [node["metadata"]["name"] for node in await world.nodes("used")]
    async with kubelet(world):
        await pair(world, "here", "used")
        with pytest.raises(RefusedError, match="Cordoned nodes have used all surge nodes"):
            await world.engine.update(AGENT_POOL, resource_id, given, news)
        assert await versions(world, "used") == {"0": RETIRED, "1": RETIRED, "2": NEWER}
        assert record(world, resource_id).state["provisioningState"] == "Canceled"
        quarantined = await world.kube.list("v1", "Node", labels="kubernetes.azure.com/upgrade-status=Quarantined")
        assert [node["metadata"]["name"] for node in quarantined] == [first]
        await gone(world, "here-1", "here-2")
        await world.kube.delete("policy/v1", "PodDisruptionBudget", "here", "default")
    await world.drop(resource_id)


async def test_the_soak_time_passes_before_a_drained_machine_is_reimaged(world: World) -> None:
    settings.write(Settings(time_factor=300), world.home)
    resource_id, given, news = await aged_pool(world, "soaked", 1, nodeSoakDurationInMinutes=30)
    began = time.monotonic()
    await world.engine.update(AGENT_POOL, resource_id, given, news)
    assert time.monotonic() - began >= 30 * 60 / 300
    (name,) = [node["metadata"]["name"] for node in await world.nodes("soaked")]
    assert f"Soak duration 30m0s after draining node: {name}" in await reports(world, "Upgrade")
    await world.drop(resource_id)


async def test_control_plane_and_system_pool(world: World) -> None:
    """The control plane first and alone, then the inline pool; a budget refuses either."""
    settings.write(Settings(time_factor=300), world.home)
    for one in (CLUSTER_ID, SYSTEM_ID):
        world.aged(one)
    for machine in record(world, SYSTEM_ID).hidden["nodes"].values():
        machine["version"] = RETIRED
    olds = inputs(MANAGED_CLUSTER, kubernetesVersion=RETIRED)
    news = inputs(MANAGED_CLUSTER)
    both = news | {"agentPoolProfiles": [SYSTEM_POOL | {"orchestratorVersion": NEWER}]}
    with pytest.raises(RefusedError, match='Code="NodePoolMcVersionIncompatible"'):
        await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, olds, both | {"kubernetesVersion": RETIRED})
    async with budget(world, "cluster-wide"):
        with pytest.raises(RefusedError, match='Code="UnsatisfiablePDB"'):
            await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, olds, news)
        assert record(world, CLUSTER_ID).state["currentKubernetesVersion"] == RETIRED
    state = await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, olds, news)
    assert (state["currentKubernetesVersion"], state["provisioningState"]) == (NEWER, "Succeeded")
    assert record(world, SYSTEM_ID).state["currentOrchestratorVersion"] == RETIRED
    async with budget(world, "cluster-wide"):
        with pytest.raises(RefusedError, match='Code="UnsatisfiablePDB"'):
            await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, news, both)
    await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, news, both)
    assert await versions(world, "system") == {"0": NEWER}


@pytest.mark.parametrize(
    ("wanted", "running_now", "pools", "refusal"),
    [
        ("1.36.5", "1.35.9", ["1.35.9", "1.34.12"], None),
        ("1.37.1", "1.36.5", ["1.34.12"], "at most two minor versions older"),
        ("1.37.1", "1.35.9", ["1.35.9"], "cannot be skipped"),
        ("1.35.4", "1.35.9", [], "Downgrading"),
        ("1.35.9", "1.35.4", ["1.36.5"], "never newer"),
    ],
)
async def test_which_control_plane_upgrades_are_allowed(
    wanted: str, running_now: str, pools: list[str], refusal: str | None
) -> None:
    if refusal is None:
        check_control_plane(wanted, running_now, pools)
        return
    with pytest.raises(ArmError, match=refusal):
        check_control_plane(wanted, running_now, pools)


async def test_a_pool_is_not_downgraded_and_may_skip_minors_up_to_its_control_plane() -> None:
    check_pool("1.36.5", "1.34.12", "1.36.5")
    with pytest.raises(ArmError, match="Downgrading"):
        check_pool("1.34.12", "1.35.9", "1.35.9")


async def test_an_override_counts_until_its_time_and_not_without_one() -> None:
    now = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)

    def override(**given: Any) -> Json:
        return {"upgradeSettings": {"overrideSettings": given}}

    assert forced(override(forceUpgrade=True, until="2026-11-25T00:00:00Z"), now)
    assert not forced(override(forceUpgrade=True, until="2026-11-23T00:00:00Z"), now)
    assert not forced(override(forceUpgrade=True), now)
    assert not forced(override(forceUpgrade=False, until="2026-11-25T00:00:00Z"), now)
