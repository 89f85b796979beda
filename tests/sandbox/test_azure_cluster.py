"""Managed clusters and agent pools: nodes, changes in place, refusals, restarts.

One cluster for the whole module; every test makes and removes pools and objects of its own.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox import rpc, settings
from sandbox.azure import catalogue
from sandbox.azure.autoscaler import GPU
from sandbox.azure.quantity import parse
from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.plane.clusters import PlaneClusters
from sandbox.toolchain import Tools
from tests.sandbox.azure_cluster_world import (
    AGENT_POOL,
    KEY,
    MANAGED_CLUSTER,
    RETIRED,
    World,
    current_cluster,
    standing,
)
from tests.sandbox.azure_world import (
    CLUSTER,
    CLUSTER_ID,
    GROUP,
    GROUP_ID,
    SUBNET_ID,
    SYSTEM_POOL,
    RefusedError,
    base,
    inputs,
    serving,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with standing(tools, tmp_path_factory.mktemp("azure")) as found:
        yield found


async def test_the_system_pools_node(world: World) -> None:
    (node,) = await world.nodes("system")
    labels, spec, status = node["metadata"]["labels"], node["spec"], node["status"]
    assert labels["kubernetes.azure.com/mode"] == "system"
    assert labels["kubernetes.azure.com/cluster"] == "speech-nodes"
    assert labels["topology.kubernetes.io/zone"] == "0"
    assert [taint["key"] for taint in spec["taints"]] == ["CriticalAddonsOnly"]
    assert spec["providerID"].startswith(
        f"azure://{GROUP_ID.rsplit('/', 1)[0]}/speech-nodes/providers/Microsoft.Compute/"
    )
    assert spec["providerID"].endswith("-vmss/virtualMachines/0")
    assert status["nodeInfo"]["kubeletVersion"] == "v1.35.9"
    addresses = {address["type"]: address["address"] for address in status["addresses"]}
    assert addresses == {"InternalIP": "10.224.0.4", "Hostname": node["metadata"]["name"], "ExternalDNS": "localhost"}
    assert status["daemonEndpoints"]["kubeletEndpoint"]["Port"] > 0


async def test_a_gpu_pools_nodes(world: World) -> None:
    resource_id, _, state = await world.pool("nodes1", count=3)
    assert (state["count"], state["provisioningState"]) == (3, "Succeeded")
    nodes = await world.nodes("nodes1")
    zones = sorted(node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes)
    assert zones == ["westeurope-1", "westeurope-1", "westeurope-2"]
    for node in nodes:
        assert node["metadata"]["labels"]["accelerator"] == "nvidia"
        assert node["metadata"]["labels"]["sm-realtime/pool"] == "inference"
        assert node["metadata"]["annotations"]["sandbox.sm-realtime/gpus"] == "1"
        assert GPU not in node["status"]["allocatable"]
        assert parse(node["status"]["allocatable"]["cpu"]) * 1000 == 3860
    addresses = {node["status"]["addresses"][0]["address"] for node in nodes}
    assert len(addresses) == 3
    names = {node["metadata"]["name"] for node in nodes}
    assert {found["metadata"]["name"] for found in await world.kube.list("storage.k8s.io/v1", "CSINode")} >= names
    await world.drop(resource_id)
    assert await world.nodes("nodes1") == []


async def test_the_cluster_lists_all_its_pools(world: World) -> None:
    resource_id, _, _ = await world.pool("listed", count=1)
    read = await world.engine.read(MANAGED_CLUSTER, CLUSTER_ID, inputs(MANAGED_CLUSTER), {})
    profiles = rpc.from_struct(read.properties)["agentPoolProfiles"]
    assert [profile["name"] for profile in profiles] == ["system", "listed"]
    await world.drop(resource_id)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_the_credentials_work(world: World, name: str) -> None:
    """Whatever name the API server has in them."""
    settings.write(settings.Settings(server_name=name), world.home)
    answer = await world.engine.invoke(catalogue.USER_CREDENTIALS, resourceGroupName=GROUP, resourceName=CLUSTER)
    (found,) = answer["kubeconfigs"]
    assert found["name"] == "clusterUser"
    async with Kube(base64.b64decode(found["value"]).decode(), "user") as kube:
        assert kube.server.startswith(f"https://{name}:")
        assert len(await kube.list("v1", "Node")) >= 1


async def test_labels_and_taints_change_in_place(world: World) -> None:
    resource_id, given, _ = await world.pool("changed", nodeLabels={"a": "1", "b": "2"})
    (node,) = await world.nodes("changed")
    other = {"key": "someone", "value": "else", "effect": "NoSchedule"}
    await world.kube.merge(
        "v1", "Node", node["metadata"]["name"], {"spec": {"taints": [*node["spec"]["taints"], other]}}
    )
    news = given | {"nodeLabels": {"b": "3", "c": "4"}, "nodeTaints": ["new=taint:NoExecute"]}
    state = await world.engine.update(AGENT_POOL, resource_id, given, news)
    assert state["nodeLabels"] == {"b": "3", "c": "4"}
    (after,) = await world.nodes("changed")
    assert after["metadata"]["uid"] == node["metadata"]["uid"]
    labels = after["metadata"]["labels"]
    assert ("a" in labels, labels["b"], labels["c"], labels["agentpool"]) == (False, "3", "4", "changed")
    assert after["spec"]["taints"] == [other, {"key": "new", "value": "taint", "effect": "NoExecute"}]
    await world.drop(resource_id)


async def test_an_immutable_change_reaches_azure_and_is_refused(world: World) -> None:
    resource_id, given, _ = await world.pool("fixed")
    with pytest.raises(RefusedError) as refused:
        await world.engine.update(AGENT_POOL, resource_id, given, given | {"maxPods": 50})
    text = "Changing property 'properties.maxPods' is not allowed."
    assert str(refused.value) == f'Status=400 Code="PropertyChangeNotAllowed" Message="{text}"'
    await world.drop(resource_id)


async def test_a_put_with_an_older_count_takes_no_node(world: World) -> None:
    resource_id, given, _ = await world.pool("kept", count=2)
    state = await world.engine.update(AGENT_POOL, resource_id, given, given | {"count": 1, "tags": {"a": "b"}})
    assert state["count"] == 2
    state = await world.engine.update(AGENT_POOL, resource_id, given, given | {"minCount": 3})
    assert state["count"] == 3
    assert len(await world.nodes("kept")) == 3
    await world.drop(resource_id)


async def test_a_pool_without_autoscaling_grows_by_its_count_and_is_not_scaled_in(world: World) -> None:
    fixed = {"enableAutoScaling": False, "minCount": None, "maxCount": None}
    resource_id, given, _ = await world.pool("counted", count=1, **fixed)
    state = await world.engine.update(AGENT_POOL, resource_id, given, given | {"count": 2})
    assert state["count"] == len(await world.nodes("counted")) == 2
    with pytest.raises(RefusedError, match=r"does not play this: scaling a pool in \(2 to 1 nodes\)"):
        await world.engine.update(AGENT_POOL, resource_id, given, given | {"count": 1})
    await world.drop(resource_id)


async def test_a_version_that_is_offered_no_more_stays_until_another_is_asked_for(world: World) -> None:
    world.aged(CLUSTER_ID)
    resource_id, given, _ = await world.pool("old", orchestratorVersion=RETIRED)
    (node,) = await world.nodes("old")
    assert node["status"]["nodeInfo"]["kubeletVersion"] == f"v{RETIRED}"
    _, cluster = await current_cluster(world)
    await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, cluster, cluster | {"kubernetesVersion": "1.35.9"})
    for asked in ({"tags": {"a": "b"}}, {"orchestratorVersion": "1.35"}):
        same = await world.engine.update(AGENT_POOL, resource_id, given, given | asked)
        assert same["currentOrchestratorVersion"] == RETIRED
    (after,) = await world.nodes("old")
    assert after["metadata"]["uid"] == node["metadata"]["uid"]
    await world.drop(resource_id)


async def test_a_clusters_own_settings_change_in_place(world: World) -> None:
    resource_id, _, _ = await world.pool("beside")
    state, _ = await current_cluster(world)
    olds = inputs(MANAGED_CLUSTER, kubernetesVersion=state["kubernetesVersion"])
    read = await world.engine.read(MANAGED_CLUSTER, CLUSTER_ID, olds, state | {"agentPoolProfiles": [SYSTEM_POOL]})
    refreshed = rpc.from_struct(read.inputs)
    assert [profile["name"] for profile in refreshed["agentPoolProfiles"]] == ["system", "beside"]
    news = refreshed | {"autoScalerProfile": {"maxGracefulTerminationSec": "86400"}, "tags": {"a": "b"}}
    after = await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, refreshed, news)
    assert after["autoScalerProfile"] == {"maxGracefulTerminationSec": "86400"}
    assert after["tags"] == {"a": "b"}
    for same in ("oidcIssuerProfile", "identity", "identityProfile", "fqdn", "nodeResourceGroup"):
        assert after[same] == state[same]
    await world.drop(resource_id)
    with pytest.raises(RefusedError, match="A new agent pool was introduced"):
        await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, news, news | {"tags": {}})


async def test_a_new_pool_in_the_clusters_put_is_refused(world: World) -> None:
    given = inputs(MANAGED_CLUSTER, kubernetesVersion="1.35.9")
    news = given | {"agentPoolProfiles": [SYSTEM_POOL, SYSTEM_POOL | {"name": "second"}]}
    with pytest.raises(RefusedError, match="A new agent pool was introduced"):
        await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, given, news)


async def test_one_operation_at_a_time(world: World) -> None:
    names = ("first", "second", "third")
    answers = await asyncio.gather(*(world.pool(name, count=2) for name in names), return_exceptions=True)
    made = [name for name, answer in zip(names, answers, strict=True) if not isinstance(answer, BaseException)]
    assert len(made) == 1
    refusals = {str(answer) for answer in answers if isinstance(answer, RefusedError)}
    assert refusals == {
        'Status=409 Code="OperationNotAllowed" Message="Operation is not allowed: Another agentpool operation '
        f"({made[0]} - Creating) is in progress, please wait for it to finish before starting a new operation. "
        'See https://aka.ms/aks-pending-operation for more details"'
    }
    await world.drop(f"{CLUSTER_ID}/agentPools/{made[0]}")


async def test_the_last_system_pool_stays(world: World) -> None:
    with pytest.raises(RefusedError, match="at least one system agent pool"):
        await world.engine.delete(AGENT_POOL, f"{CLUSTER_ID}/agentPools/system")


async def test_a_lock_on_the_cluster_holds_its_pools(world: World) -> None:
    resource_id, _, _ = await world.pool("locked")
    lock_id, _ = await world.engine.create(catalogue.LOCK, inputs(catalogue.LOCK, scope=CLUSTER_ID))
    for kind, target in ((AGENT_POOL, resource_id), (MANAGED_CLUSTER, CLUSTER_ID)):
        with pytest.raises(RefusedError, match='Status=409 Code="ScopeLocked"'):
            await world.engine.delete(kind, target)
    await world.engine.delete(catalogue.LOCK, lock_id)
    await world.drop(resource_id)


async def test_a_subnet_in_use_stays(world: World) -> None:
    with pytest.raises(RefusedError, match='Status=400 Code="InUseSubnetCannotBeDeleted"'):
        await world.engine.delete(catalogue.SUBNET, SUBNET_ID)


async def test_a_restart_finds_cluster_and_nodes(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = Home(tmp_path_factory.mktemp("again"))
    for turn in range(2):
        clusters = PlaneClusters(home, tools, agents=False)
        try:
            async with serving(home, clusters) as (engine, _):
                if turn == 0:
                    await base(engine)
                    await engine.create(MANAGED_CLUSTER, inputs(MANAGED_CLUSTER))
                async with Kube(clusters.admin_kubeconfig(KEY), "test") as kube:
                    (node,) = await kube.list("v1", "Node")
                    assert node["metadata"]["name"].endswith("-vmss000000")
                    classes = {
                        found["metadata"]["name"] for found in await kube.list("storage.k8s.io/v1", "StorageClass")
                    }
                    assert classes >= {"default", "managed-csi-premium", "azurefile-csi"}
                if turn == 1:
                    await engine.delete(catalogue.RESOURCE_GROUP, GROUP_ID)
                    assert not (home.cluster(KEY)).exists()
                    assert home.cluster(f"{KEY}.left.json").exists()
        finally:
            await clusters.close()
