"""What the cloud does in a cluster: scaling out, emptying pools, addresses, disks.

One cluster for the whole module; every test makes and removes pools and objects of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from sandbox import rpc, settings
from sandbox.azure import catalogue
from sandbox.azure.autoscaler import GPU
from sandbox.settings import PoolDelete, Settings
from sandbox.toolchain import Tools
from tests.sandbox.azure_cluster_world import (
    AGENT_POOL,
    World,
    budget,
    events,
    gone,
    placed,
    pod,
    standing,
    until,
)
from tests.sandbox.azure_world import (
    ADDRESS_ID,
    GROUP,
    SUBNET_ID,
    Json,
    RefusedError,
    inputs,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLE = catalogue.ROLE_ASSIGNMENT
PIP = "service.beta.kubernetes.io/azure-pip-name"
PIP_GROUP = "service.beta.kubernetes.io/azure-load-balancer-resource-group"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with standing(tools, tmp_path_factory.mktemp("azure")) as found:
        yield found


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
    await world.kube.create(pod("hopeless", cpu="1000"))

    async def looked_again() -> list[str]:
        return await events(world, "NotTriggerScaleUp", "hopeless")

    await until(looked_again)
    assert len(await world.nodes("gpus")) == 1
    status = {"status": {"capacity": {GPU: "1"}, "allocatable": {GPU: "1"}}}
    await world.kube.merge("v1", "Node", node["metadata"]["name"], status, subresource="status")
    assert await placed(world, "gpu") == node["metadata"]["name"]
    assert len(await world.nodes("gpus")) == 1
    await gone(world, "gpu", "bystander", "hopeless")
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
        with pytest.raises(RefusedError) as refused:
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
    await asyncio.wait_for(deletion, 60)
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
    with pytest.raises(RefusedError, match='Status=400 Code="PublicIPAddressCannotBeDeleted"'):
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

    async def gone() -> bool:
        return await world.kube.find("v1", "Service", "front", "default") is None

    await until(gone)  # its finalizer goes after the address is free
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
