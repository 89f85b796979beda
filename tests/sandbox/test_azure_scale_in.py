"""The cluster autoscaler's scale-in: which nodes go, what keeps them, how their pods are stopped.

The rules alone first; then one cluster for the rest of the module, its time scaled, every pool and object a test's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import pytest
import pytest_asyncio

from sandbox import settings
from sandbox.azure.drainability import GPU, underused, veto
from sandbox.azure.scaler_profile import Profile, profile
from sandbox.settings import Settings
from sandbox.toolchain import Tools
from tests.sandbox.azure_cluster_world import (
    World,
    allowed,
    disruption_budget,
    events,
    kubelet,
    replica_set,
    running,
    standing,
    until,
)
from tests.sandbox.azure_world import CLUSTER_ID, Json

NODE_SIZE = {"vmSize": "Standard_D4s_v5", "gpuProfile": None, "osDiskType": "Managed", "nodeTaints": None}
FACTOR = 300
"""Ten minutes are two seconds."""


def a_pod(*, namespace: str = "default", controller: str | None = "ReplicaSet", cpu: str = "1", **changes: Any) -> Json:
    owners = [{"kind": controller, "name": "x", "controller": True}] if controller else []
    meta = {"name": "p", "namespace": namespace, "labels": {"app": "p"}, "ownerReferences": owners}
    resources = {"requests": {"cpu": cpu} | changes.pop("requests", {})}
    meta |= {"annotations": changes.pop("annotations", {})}
    return {"metadata": meta, "spec": {"containers": [{"name": "c", "resources": resources}]} | changes, "status": {}}


def a_budget(allowed_now: int, namespace: str = "default", **selector: Any) -> Json:
    spec = {"selector": selector or {"matchLabels": {"app": "p"}}}
    return {
        "metadata": {"name": "b", "namespace": namespace},
        "spec": spec,
        "status": {"disruptionsAllowed": allowed_now},
    }


EMPTY_DIR: Json = {"volumes": [{"name": "v", "emptyDir": {}}]}
IN_MEMORY: Json = {"volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}]}
LOCAL = {"skipNodesWithLocalStorage": "true"}
PREFIX = "cluster-autoscaler.kubernetes.io/"
UNSAFE, SAFE = {f"{PREFIX}safe-to-evict": "false"}, {f"{PREFIX}safe-to-evict": "true"}
SYSTEM = {"namespace": "kube-system"}


@pytest.mark.parametrize(
    ("one", "budgets", "given", "says"),
    [
        (a_pod(), [], {}, None),
        (a_pod(annotations=UNSAFE), [], {}, "not safe to evict"),
        (a_pod(annotations=UNSAFE, controller="DaemonSet"), [], {}, None),
        (a_pod(controller=None), [], {}, "not replicated"),
        (a_pod(controller=None, annotations=SAFE), [], {}, None),
        (a_pod(controller="SessionGroup"), [], {}, None),
        (a_pod(), [a_budget(0)], {}, "not enough pod disruption budget"),
        (a_pod(), [a_budget(1)], {}, None),
        (a_pod(), [a_budget(0, matchLabels={"app": "other"})], {}, None),
        (a_pod(), [a_budget(0, namespace="other")], {}, None),
        (a_pod(**SYSTEM), [], {}, "kube-system pod present"),
        (a_pod(**SYSTEM), [], {"skipNodesWithSystemPods": "false"}, None),
        (a_pod(**SYSTEM), [a_budget(1, namespace="kube-system")], {}, None),
        (a_pod(**EMPTY_DIR), [], {}, None),
        (a_pod(**EMPTY_DIR), [], LOCAL, "local storage"),
        (a_pod(**IN_MEMORY), [], LOCAL, None),
        (a_pod(annotations={f"{PREFIX}safe-to-evict-local-volumes": "v"}, **EMPTY_DIR), [], LOCAL, None),
        (a_pod(volumes=[{"name": "h", "hostPath": {"path": "/"}}]), [], LOCAL, "local storage"),
    ],
)
def test_what_keeps_a_node(one: Json, budgets: list[Json], given: Json, says: str | None) -> None:
    found = veto(one, profile({"autoScalerProfile": given}), budgets)
    assert (found is None) if says is None else (found is not None and says in found)


def test_the_defaults_are_those_of_aks() -> None:
    assert profile({}) == Profile(
        scan_interval=10,
        delay_after_add=600,
        delay_after_delete=10,
        delay_after_failure=180,
        unneeded=600,
        unready=1200,
        utilization_threshold=Fraction(1, 2),
        max_graceful_termination=600,
        max_empty_bulk_delete=10,
        skip_local_storage=False,
        skip_system_pods=True,
        ignore_daemonsets=False,
        evict_daemonsets_empty=False,
        evict_daemonsets_occupied=True,
    )


def a_node(**labels: str) -> Json:
    room = {"cpu": "4", "memory": "8Gi", GPU: "4"}
    return {"metadata": {"labels": labels}, "status": {"allocatable": room}}


@pytest.mark.parametrize(
    ("node", "pods", "given", "low"),
    [
        (a_node(), [a_pod(cpu="1900m")], {}, True),
        (a_node(), [a_pod(cpu="2")], {}, False),
        (a_node(), [a_pod(cpu="1", requests={"memory": "5Gi"})], {}, False),
        (a_node(), [a_pod(cpu="2")], {"scaleDownUtilizationThreshold": "0.6"}, True),
        (a_node(), [a_pod(cpu="1"), a_pod(cpu="2", controller="DaemonSet")], {}, False),
        (
            a_node(),
            [a_pod(cpu="900m"), a_pod(cpu="2", controller="DaemonSet")],
            {"ignoreDaemonsetsUtilization": True},
            True,
        ),
        (a_node(accelerator="nvidia"), [a_pod(cpu="4", requests={GPU: "1"})], {}, True),
        (a_node(accelerator="nvidia"), [a_pod(cpu="1", requests={GPU: "2"})], {}, False),
        (a_node(accelerator="nvidia"), [a_pod(requests={GPU: "2"})], {"scaleDownUtilizationThreshold": "0.9"}, False),
    ],
)
def test_how_much_of_a_node_is_used(node: Json, pods: list[Json], given: Json, low: bool) -> None:
    assert underused(node, pods, profile({"autoScalerProfile": given})) == low


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with standing(tools, tmp_path_factory.mktemp("azure")) as found:
        settings.write(Settings(time_factor=FACTOR), found.home)
        yield found


def scaler(world: World, **given: str) -> None:
    """The cluster's profile from here on; the pool's own count is the test's, so no delay after additions counts."""
    record = world.store.find(CLUSTER_ID)
    assert record is not None
    record.state["autoScalerProfile"] = given
    settings.write(Settings(time_factor=FACTOR), world.home)


async def filled(world: World, name: str, annotations: Json | None = None, **spec: Any) -> str:
    """A pool of two machines, one pod of a ReplicaSet in it. The pool's id."""
    # until the pod runs nothing is unneeded for long enough
    scaler(world, scaleDownUnneededTime="1000m")
    resource_id, _, _ = await world.pool(name, count=2, minCount=1, maxCount=2, **NODE_SIZE)
    made = replica_set(f"on-{name}", annotations=annotations, nodeSelector={"agentpool": name}, **spec)
    await world.kube.create(made)

    async def started() -> bool:
        return len(await running(world, f"on-{name}")) == 1

    await until(started)
    return resource_id


async def count(world: World, name: str) -> int:
    return len(await world.nodes(name))


async def shrunk(world: World, resource_id: str) -> None:
    """One machine is left. A machine's Node and pods go before the pool counts it out, so the pool is asked too."""
    name = resource_id.rpartition("/")[2]

    async def one() -> bool:
        record = world.store.find(resource_id)
        assert record is not None
        return (await count(world, name), record.state["count"]) == (1, 1)

    await until(one)


@pytest.mark.asyncio(loop_scope="module")
async def test_an_empty_node_goes_after_its_time_and_the_least_number_stays(world: World) -> None:
    async with kubelet(world):
        resource_id = await filled(world, "empty")
        (pod,) = await running(world, "on-empty")
        scaler(world)
        await shrunk(world, resource_id)
        (left,) = await world.nodes("empty")
        assert left["metadata"]["name"] == pod["spec"]["nodeName"], "the empty one goes"
        await asyncio.sleep(3 * 600 / FACTOR)  # three times the unneeded time: nothing may happen in it
        assert await count(world, "empty") == 1
        await world.kube.delete("apps/v1", "ReplicaSet", "on-empty", "default")
    await world.drop(resource_id)


async def occupied(world: World, name: str, annotations: Json | None = None, **spec: Any) -> tuple[str, str]:
    """A pool of two machines with a pod on each; the pool's id and the app's name."""
    scaler(world, scaleDownUnneededTime="1000m")
    resource_id, _, _ = await world.pool(name, count=2, minCount=1, maxCount=2, **NODE_SIZE)
    app = f"on-{name}"
    made = replica_set(app, 2, cpu="500m", annotations=annotations, nodeSelector={"agentpool": name}, **spec)
    made["spec"]["template"]["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": app}},
        }
    ]
    await world.kube.create(made)

    async def spread() -> bool:
        return len({pod["spec"]["nodeName"] for pod in await running(world, app)}) == 2

    await until(spread)
    return resource_id, app


@pytest.mark.asyncio(loop_scope="module")
async def test_a_node_in_use_is_drained_with_graces_cut_to_the_profiles(world: World) -> None:
    async with kubelet(world) as graces:
        resource_id, app = await occupied(world, "drained", terminationGracePeriodSeconds=86400)
        scaler(world, maxGracefulTerminationSec="77")
        await shrunk(world, resource_id)
        assert list(graces.values()) == [77]
        (stopped,) = graces
        assert "deleting pod for node scale down" in await events(world, "ScaleDown", stopped)
        await world.kube.delete("apps/v1", "ReplicaSet", app, "default")
    await world.drop(resource_id)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("guard", ["annotation", "budget"])
async def test_a_guarded_pod_keeps_its_node_until_the_guard_is_gone(world: World, guard: str) -> None:
    async with kubelet(world) as graces:
        resource_id, app = await occupied(world, guard[:6], UNSAFE if guard == "annotation" else None)
        if guard == "budget":
            await world.kube.create(disruption_budget(app, maxUnavailable=0))
            await allowed(world, app, 0, 2)
        scaler(world)
        await asyncio.sleep(3 * 600 / FACTOR)  # three times the unneeded time
        assert (await count(world, guard[:6]), graces) == (2, {})
        if guard == "budget":
            await world.kube.delete("policy/v1", "PodDisruptionBudget", app, "default")
        else:
            for pod in await running(world, app):
                change = {"metadata": {"annotations": {f"{PREFIX}safe-to-evict": None}}}
                await world.kube.merge("v1", "Pod", pod["metadata"]["name"], change, "default")
        await shrunk(world, resource_id)
        await world.kube.delete("apps/v1", "ReplicaSet", app, "default")
    await world.drop(resource_id)


@pytest.mark.asyncio(loop_scope="module")
async def test_after_machines_were_added_nothing_goes_for_a_while(world: World) -> None:
    async with kubelet(world):
        scaler(world, scaleDownDelayAfterAdd="1000m")
        resource_id, _, _ = await world.pool("grown", count=1, minCount=1, maxCount=2, **NODE_SIZE)
        await world.kube.create(replica_set("wide", 2, cpu="3", nodeSelector={"agentpool": "grown"}))

        async def grown() -> bool:
            return len(await running(world, "wide")) == 2

        await until(grown)
        await world.kube.delete("apps/v1", "ReplicaSet", "wide", "default")
        await asyncio.sleep(3 * 600 / FACTOR)  # three times the unneeded time
        assert await count(world, "grown") == 2
        scaler(world, scaleDownDelayAfterAdd="0m")
        await shrunk(world, resource_id)
    await world.drop(resource_id)
