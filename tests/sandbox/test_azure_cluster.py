"""Managed clusters on real control planes: nodes, scaling out, pool deletion, addresses, disks, restarts.

One cluster for the whole module; every test makes and removes pools and objects of its own. No kubelet runs: where
one is needed to let a stopping pod go, the test plays it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from sandbox import rpc, settings
from sandbox.azure import catalogue
from sandbox.azure.autoscaler import GPU
from sandbox.azure.quantity import parse
from sandbox.home import Home
from sandbox.kube import Kube
from sandbox.plane.clusters import PlaneClusters
from sandbox.settings import PoolDelete, Settings
from sandbox.toolchain import Tools
from tests.sandbox.azure_world import (
    ADDRESS_ID,
    CLUSTER,
    CLUSTER_ID,
    GROUP,
    GROUP_ID,
    SUBNET_ID,
    SYSTEM_POOL,
    Engine,
    Json,
    Refused,
    base,
    inputs,
    serving,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENT_POOL, MANAGED_CLUSTER, ROLE = catalogue.AGENT_POOL, catalogue.MANAGED_CLUSTER, catalogue.ROLE_ASSIGNMENT
KEY = f"{GROUP}_{CLUSTER}"
PIP = "service.beta.kubernetes.io/azure-pip-name"
PIP_GROUP = "service.beta.kubernetes.io/azure-load-balancer-resource-group"


@dataclass
class World:
    """A cluster that is up, the engine's way to it, and its API server's administrator."""

    home: Home
    engine: Engine
    kube: Kube
    principal: str

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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    home = Home(tmp_path_factory.mktemp("azure"))
    clusters = PlaneClusters(home, tools, agents=False)
    try:
        async with serving(home, clusters) as (engine, _):
            principal = await base(engine)
            await engine.create(MANAGED_CLUSTER, inputs(MANAGED_CLUSTER))
            async with Kube(clusters.admin_kubeconfig(KEY), "test") as kube:
                yield World(home, engine, kube, principal)
    finally:
        await clusters.close()


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """The condition's first true value. Fails when time is up."""
    async with asyncio.timeout(seconds):
        while True:
            found = await condition()
            if found:
                return found
            await asyncio.sleep(0.1)


def pod(name: str, *, cpu: str = "100m", **spec: Any) -> Json:
    container = {"name": "main", "image": "made-up", "resources": {"requests": {"cpu": cpu}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"containers": [container], "tolerations": [{"operator": "Exists"}]} | spec,
    }


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
    assert status["nodeInfo"]["kubeletVersion"] == "v1.35.4"
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


async def test_the_credentials_work(world: World) -> None:
    answer = await world.engine.invoke(catalogue.USER_CREDENTIALS, resourceGroupName=GROUP, resourceName=CLUSTER)
    (found,) = answer["kubeconfigs"]
    assert found["name"] == "clusterUser"
    async with Kube(base64.b64decode(found["value"]).decode(), "user") as kube:
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
    with pytest.raises(Refused) as refused:
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


async def test_an_upgrade_in_place_fails_on_a_budget_and_is_else_not_played(world: World) -> None:
    _, cluster = await current_cluster(world)
    await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, cluster, cluster | {"kubernetesVersion": "1.35.9"})
    resource_id, given, _ = await world.pool("old", orchestratorVersion="1.35.4")
    (node,) = await world.nodes("old")
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.35.4"
    news = given | {"orchestratorVersion": "1.35.9"}
    with pytest.raises(Refused, match="does not play this: an upgrade of a pool in place"):
        await world.engine.update(AGENT_POOL, resource_id, given, news)
    async with budget(world, "blocker"):
        with pytest.raises(Refused, match='Code="UnsatisfiablePDB"'):
            await world.engine.update(AGENT_POOL, resource_id, given, news)
    await world.drop(resource_id)


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
    with pytest.raises(Refused, match="A new agent pool was introduced"):
        await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, news, news | {"tags": {}})


async def test_a_new_pool_in_the_clusters_put_is_refused(world: World) -> None:
    given = inputs(MANAGED_CLUSTER, kubernetesVersion="1.35.9")
    news = given | {"agentPoolProfiles": [SYSTEM_POOL, SYSTEM_POOL | {"name": "second"}]}
    with pytest.raises(Refused, match="A new agent pool was introduced"):
        await world.engine.update(MANAGED_CLUSTER, CLUSTER_ID, given, news)


async def test_one_operation_at_a_time(world: World) -> None:
    names = ("first", "second", "third")
    answers = await asyncio.gather(*(world.pool(name, count=2) for name in names), return_exceptions=True)
    made = [name for name, answer in zip(names, answers, strict=True) if not isinstance(answer, BaseException)]
    assert len(made) == 1
    refusals = {str(answer) for answer in answers if isinstance(answer, Refused)}
    assert refusals == {
        'Status=409 Code="OperationNotAllowed" Message="Operation is not allowed: Another agentpool operation '
        f"({made[0]} - Creating) is in progress, please wait for it to finish before starting a new operation. "
        'See https://aka.ms/aks-pending-operation for more details"'
    }
    await world.drop(f"{CLUSTER_ID}/agentPools/{made[0]}")


async def test_the_last_system_pool_stays(world: World) -> None:
    with pytest.raises(Refused, match="at least one system agent pool"):
        await world.engine.delete(AGENT_POOL, f"{CLUSTER_ID}/agentPools/system")


async def test_scaling_out_for_pending_pods(world: World) -> None:
    resource_id, given, state = await world.pool(
        "scaled", vmSize="Standard_D4s_v5", gpuProfile=None, osDiskType="Managed"
    )
    selector = {"agentpool": "scaled"}
    for number in range(5):
        await world.kube.create(pod(f"wide-{number}", cpu="2", nodeSelector=selector))

    async def full() -> bool:
        return len(await world.nodes("scaled")) == 3

    async def spread() -> bool:
        pods = [
            found for found in await world.kube.list("v1", "Pod", "default") if "wide-" in found["metadata"]["name"]
        ]
        return len({found["spec"]["nodeName"] for found in pods if found["spec"].get("nodeName")}) == 3

    await until(full)
    await until(spread)

    async def told() -> list[str]:
        return [m for n in range(5) for m in await events(world, "NotTriggerScaleUp", f"wide-{n}")]

    assert "pod didn't trigger scale-up" in (await until(told))[0]
    up = [m for n in range(5) for m in await events(world, "TriggeredScaleUp", f"wide-{n}")]
    assert up
    assert all("(max: 3)" in message for message in up)
    read = await world.engine.read(AGENT_POOL, resource_id, given, state)
    assert rpc.from_struct(read.properties)["count"] == 3
    assert rpc.from_struct(read.inputs)["count"] == 3
    await gone(world, *(f"wide-{number}" for number in range(5)))
    await world.drop(resource_id)


async def test_a_gpu_pod_waits_for_the_plugin_and_asks_for_no_second_node(world: World) -> None:
    resource_id, _, _ = await world.pool("gpus", minCount=0, count=0)
    wanted = pod("gpu", nodeSelector={"agentpool": "gpus"})
    wanted["spec"]["containers"][0]["resources"] = {"limits": {GPU: "1"}}
    await world.kube.create(wanted)

    async def grown() -> list[Json]:
        return await world.nodes("gpus")

    (node,) = await until(grown)
    settled = await world.kube.create(pod("bystander", nodeSelector={"agentpool": "gpus"}))
    assert await placed(world, settled["metadata"]["name"]) == node["metadata"]["name"]
    assert len(await world.nodes("gpus")) == 1
    status = {"status": {"capacity": {GPU: "1"}, "allocatable": {GPU: "1"}}}
    await world.kube.merge("v1", "Node", node["metadata"]["name"], status, subresource="status")
    assert await placed(world, "gpu") == node["metadata"]["name"]
    assert len(await world.nodes("gpus")) == 1
    await gone(world, "gpu", "bystander")
    await world.drop(resource_id)


async def test_draining_a_pool_honours_budgets(world: World) -> None:
    resource_id, _, _ = await world.pool("drained")
    settings.write(Settings(pool_delete=PoolDelete.DRAIN, pool_drain_seconds=60, time_factor=30), world.home)
    async with budget(world, "session"):
        spec = {"nodeName": (await world.nodes("drained"))[0]["metadata"]["name"]}
        await gone(world, "session")
        busy = pod("session", **spec)
        await world.kube.create(busy)
        ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
        await world.kube.merge("v1", "Pod", "session", ready, "default", subresource="status")
        with pytest.raises(Refused) as refused:
            await world.engine.delete(AGENT_POOL, resource_id)
        assert str(refused.value) == (
            f'Status=200 Code="PodDrainFailure" Message="Node \'{spec["nodeName"]}\' failed to be drained with error: '
            "'Drain did not complete pods [session] within 1m0s'\""
        )
        (node,) = await world.nodes("drained")
        assert node["spec"]["unschedulable"] is True
        assert "deletionTimestamp" not in (await world.kube.get("v1", "Pod", "session", "default"))["metadata"]
        state = await world.engine.read(AGENT_POOL, resource_id, {"x": 1}, {})
        assert rpc.from_struct(state.properties)["provisioningState"] == "Failed"
    settings.write(Settings(pool_delete=PoolDelete.DRAIN, pool_drain_seconds=60), world.home)
    await world.engine.delete(AGENT_POOL, resource_id)
    assert await world.nodes("drained") == []


async def test_draining_waits_for_a_stopping_pod(world: World) -> None:
    resource_id, _, _ = await world.pool("emptied")
    settings.write(Settings(pool_delete=PoolDelete.DRAIN, pool_drain_seconds=60), world.home)
    node = (await world.nodes("emptied"))[0]["metadata"]["name"]
    await world.kube.create(pod("stopping", nodeName=node, terminationGracePeriodSeconds=3600))
    deletion = asyncio.create_task(world.engine.delete(AGENT_POOL, resource_id))

    async def stopping() -> bool:
        found = await world.kube.get("v1", "Pod", "stopping", "default")
        return "deletionTimestamp" in found["metadata"]

    await until(stopping)
    assert len(await world.nodes("emptied")) == 1
    assert not deletion.done()
    await gone(world, "stopping")
    await asyncio.wait_for(deletion, 30)
    assert await world.nodes("emptied") == []


async def test_an_abrupt_deletion_takes_the_pods(world: World) -> None:
    resource_id, _, _ = await world.pool("cut")
    node = (await world.nodes("cut"))[0]["metadata"]["name"]
    async with budget(world, "guarded"):
        await world.kube.create(pod("doomed", nodeName=node))
        await world.drop(resource_id)
        assert await world.nodes("cut") == []
        assert await world.kube.find("v1", "Pod", "doomed", "default") is None
        assert await world.kube.find("v1", "Pod", "guarded", "default") is not None


async def test_a_lock_on_the_cluster_holds_its_pools(world: World) -> None:
    resource_id, _, _ = await world.pool("locked")
    lock_id, _ = await world.engine.create(catalogue.LOCK, inputs(catalogue.LOCK, scope=CLUSTER_ID))
    for kind, target in ((AGENT_POOL, resource_id), (MANAGED_CLUSTER, CLUSTER_ID)):
        with pytest.raises(Refused, match='Status=409 Code="ScopeLocked"'):
            await world.engine.delete(kind, target)
    await world.engine.delete(catalogue.LOCK, lock_id)
    await world.drop(resource_id)


async def test_a_subnet_in_use_stays(world: World) -> None:
    with pytest.raises(Refused, match='Status=400 Code="InUseSubnetCannotBeDeleted"'):
        await world.engine.delete(catalogue.SUBNET, SUBNET_ID)


def balanced(name: str, **annotations: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {"type": "LoadBalancer", "selector": {"app": name}, "ports": [{"port": 443}]},
    }


async def address_of(world: World, name: str) -> Any:
    service = await world.kube.get("v1", "Service", name, "default")
    return (service["status"].get("loadBalancer") or {}).get("ingress")


async def test_an_address_needs_roles_on_address_and_subnet(world: World) -> None:
    await world.kube.create(balanced("front", **{PIP: "ingress", PIP_GROUP: GROUP}))

    async def refusal(about: str) -> Callable[[], Awaitable[bool]]:
        async def seen() -> bool:
            return any(about in message for message in await events(world, "SyncLoadBalancerFailed", "front"))

        return seen

    await until(await refusal("Microsoft.Network/virtualNetworks/subnets/read"))
    guid = "6f6c7e0a-64c5-4d2b-9d7a-0a8f53b4a00"
    subnet_role, _ = await world.engine.create(
        ROLE, inputs(ROLE, principalId=world.principal, scope=SUBNET_ID, roleAssignmentName=guid + "8")
    )
    await until(await refusal("Microsoft.Network/publicIPAddresses/read"))
    assert await address_of(world, "front") is None
    role, _ = await world.engine.create(ROLE, inputs(ROLE, principalId=world.principal, roleAssignmentName=guid + "9"))

    async def served() -> Any:
        return await address_of(world, "front")

    assert await until(served) == [{"ip": "203.0.113.1", "ipMode": "VIP"}]
    with pytest.raises(Refused, match='Status=400 Code="PublicIPAddressCannotBeDeleted"'):
        await world.engine.delete(catalogue.PUBLIC_IP, ADDRESS_ID)
    await world.kube.create(balanced("other", **{PIP: "ingress", PIP_GROUP: GROUP}))

    async def taken() -> bool:
        return any("already allocated" in m for m in await events(world, "SyncLoadBalancerFailed", "other"))

    await until(taken)
    for name in ("front", "other"):
        await world.kube.delete("v1", "Service", name, "default")

    async def released() -> bool:
        read = await world.engine.read(catalogue.PUBLIC_IP, ADDRESS_ID, inputs(catalogue.PUBLIC_IP), {})
        return "ipConfiguration" not in rpc.from_struct(read.properties)

    await until(released)
    assert await world.kube.find("v1", "Service", "front", "default") is None
    for one in (role, subnet_role):
        await world.engine.delete(ROLE, one)


def claim(name: str, size: str = "10Gi", **spec: Any) -> Json:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}} | spec
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": wanted}


async def phase(world: World, name: str) -> str:
    found = await world.kube.get("v1", "PersistentVolumeClaim", name, "default")
    return str(found["status"]["phase"])


async def test_a_disk_waits_for_its_pod_and_stays_in_its_zone(world: World) -> None:
    resource_id, _, _ = await world.pool("zonal", availabilityZones=["2"])
    await world.kube.create(claim("data", "1500Mi"))
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    await world.kube.create(pod("keeper", nodeSelector={"agentpool": "zonal"}, volumes=volumes))
    node = await placed(world, "keeper")

    async def bound() -> bool:
        return await phase(world, "data") == "Bound"

    await until(bound)
    found = await world.kube.get("v1", "PersistentVolumeClaim", "data", "default")
    assert found["spec"]["storageClassName"] == "default"
    volume = await world.kube.get("v1", "PersistentVolume", found["spec"]["volumeName"])
    assert volume["spec"]["capacity"]["storage"] == "2Gi"
    terms = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert [term["matchExpressions"][0]["values"] for term in terms] == [["westeurope-2"]]

    async def attached() -> bool:
        all_of_them = await world.kube.list("storage.k8s.io/v1", "VolumeAttachment")
        return any(one["spec"]["nodeName"] == node and (one.get("status") or {}).get("attached") for one in all_of_them)

    await until(attached)
    await gone(world, "keeper")
    await world.kube.delete("v1", "PersistentVolumeClaim", "data", "default")

    async def reclaimed() -> bool:
        return await world.kube.find("v1", "PersistentVolume", volume["metadata"]["name"]) is None

    await until(reclaimed)
    await world.drop(resource_id)


async def test_a_file_share_is_there_at_once(world: World) -> None:
    await world.kube.create(claim("shared", accessModes=["ReadWriteMany"], storageClassName="azurefile-csi"))

    async def bound() -> bool:
        return await phase(world, "shared") == "Bound"

    await until(bound)
    await world.kube.delete("v1", "PersistentVolumeClaim", "shared", "default")


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
