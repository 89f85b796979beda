"""Further pools: typed by their role, named apart, chosen by the workloads that name them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from stacks.capacity import inference_gpus, nodes_needed, transcriber_requests
from stacks.rules.pools import placements
from stacks.schema.pools import GpuDriver, OsDiskType, Role
from tests.unit.graph import Change, Graph, Json
from tests.unit.stacks.test_capacity import base, settings

ONE: Json = {"number": 1, "state": "active", "kubernetesVersion": "1.35.4"}
POOL = "azure-native:containerservice:AgentPool"
GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"


def further(**pools: Json) -> Json:
    return {**base()["pools"], "further": pools}


def test_what_a_further_generation_does_not_say_is_its_roles() -> None:
    given = settings(
        pools=further(
            t4b={"role": "inference", "generations": [ONE]},
            e16={"role": "transcribers", "generations": [ONE | {"osDiskSizeGB": 64}]},
            a100={"role": "inference", "generations": [ONE | {"vmSize": "Standard_NC8as_T4_v3", "gpuDriver": "None"}]},
        )
    )
    gpu, speech, other = (given.pools.pool(role, name).active for role, name in (
        (Role.INFERENCE, "t4b"), (Role.TRANSCRIBERS, "e16"), (Role.INFERENCE, "a100"),
    ))  # fmt: skip
    assert (gpu.vm_size, gpu.os_disk_type, gpu.max_pods) == ("Standard_NC4as_T4_v3", OsDiskType.EPHEMERAL, 30)
    assert gpu.gpu_driver is GpuDriver.INSTALL
    assert (speech.vm_size, speech.os_disk_size_gb, speech.gpu_driver) == ("Standard_E16s_v5", 64, None)
    assert (other.vm_size, other.gpu_driver) == ("Standard_NC8as_T4_v3", GpuDriver.NONE)


def test_only_what_is_placed_in_a_pool_needs_room_there() -> None:
    given = settings(
        pools=further(
            t4b={"role": "inference", "generations": [ONE]}, e16={"role": "transcribers", "generations": [ONE]}
        ),
        transcribers={"transcriber": {"pool": "e16"}},
        inferenceServerEnhancedRecipe2={
            "enabled": True,
            "tritonServer": {"pool": "t4b", "resources": {"limits": {"nvidia.com/gpu": "2"}}},
        },
    )
    assert (inference_gpus(given), inference_gpus(given, "t4b")) == (2, 4)
    assert (len(transcriber_requests(given)), len(transcriber_requests(given, "e16"))) == (0, 2)
    needed = {(pool.role, pool.name): nodes_needed(given, pool, pool.active) for pool in given.pools.all}
    assert needed == {
        (Role.SERVICES, None): 1,
        (Role.INFERENCE, None): 2,
        (Role.TRANSCRIBERS, None): 0,
        (Role.INFERENCE, "t4b"): 4,
        (Role.TRANSCRIBERS, "e16"): 1,
    }


def test_what_a_server_asks_for_beside_its_gpu_counts_as_well() -> None:
    """An NC64as has 4 GPUs and gives 63.26 cores: two pods of 40.01 have GPUs on one, and room on two."""
    given = settings(
        inferenceServerEnhancedRecipe1={"tritonServer": {"resources": {"requests": {"cpu": "40"}}}},
        pools={**base()["pools"], "inference": [ONE | {"vmSize": "Standard_NC64as_T4_v3"}]},
    )
    pool = given.pools.pool(Role.INFERENCE)
    assert nodes_needed(given, pool, pool.active) == 2


def test_every_workload_with_a_place_is_found() -> None:
    found = dict(placements(settings()))
    assert found["transcribers.transcriber"].role is Role.TRANSCRIBERS
    assert found["ingress"].role is Role.SERVICES
    servers = [path for path, wanted in found.items() if wanted.role is Role.INFERENCE]
    assert len([path for path in servers if path.startswith("inferenceServer")]) == 6


def on_further_pools(config: Json) -> None:
    """A T4 pool for recipe 2, one of their own for transcribers, one for the ingress controller."""
    config["sm-realtime:pools"]["further"] = {
        "t4b": {"role": "inference", "generations": [ONE, ONE | {"number": 2, "state": "standby"}]},
        "e16b": {"role": "transcribers", "generations": [ONE | {"number": 3}]},
        "web": {"role": "services", "generations": [ONE]},
    }
    config["sm-realtime:inferenceServerEnhancedRecipe2"] = {"enabled": True, "tritonServer": {"pool": "t4b"}}
    config["sm-realtime:transcribers"] = {"transcriber": {"pool": "e16b"}}
    config["sm-realtime:ingress"] = {"pool": "web", "tolerations": [{"key": "x", "operator": "Exists"}]}
    config["sm-realtime:gpuPlugin"] = {"nodeSelector": {"accelerator": "nvidia"}, "tolerations": [{"key": "y"}]}


def test_further_pools_are_made_as_the_others_are(sandbox: Graph, changed: Callable[[Change | None], Graph]) -> None:
    made = {each.name: each for each in changed(on_further_pools).of(POOL)}
    own = {each.name for each in sandbox.of(POOL)}
    assert own < made.keys()
    new = {name: each.inputs for name, each in made.items() if name not in own}
    names = sorted(each["agentPoolName"][:-5] for each in new.values())
    assert names == ["e16b03", "t4b01", "t4b02", "web01"]
    assert all(made[name].protect and made[name].delete_before_replace is False for name in new)
    (gpu,) = (each for each in new.values() if each["agentPoolName"].startswith("t4b01"))
    assert gpu["nodeLabels"]["sm-realtime/pool"] == "inference"
    assert gpu["nodeLabels"]["sm-realtime/generation"] == gpu["agentPoolName"]
    assert (gpu["nodeTaints"], gpu["vmSize"]) == (["sku=gpu:NoSchedule"], "Standard_NC4as_T4_v3")


def test_workloads_choose_the_active_generation_of_the_pool_they_name(
    changed: Callable[[Change | None], Graph],
) -> None:
    graph = changed(on_further_pools)
    pools = {each.inputs["agentPoolName"][:-5]: each.inputs["agentPoolName"] for each in graph.of(POOL)}

    def generation(spec: Json) -> str:
        chosen: str = spec["template"]["spec"]["nodeSelector"]["sm-realtime/generation"]
        return chosen

    for name, pool in (
        ("inference-server-enhanced-recipe1", "infer01"),
        ("inference-server-enhanced-recipe2", "t4b01"),
        ("rt-transcriber-en", "e16b03"),
    ):
        assert generation(graph.one(GROUP, name).inputs["spec"]) == pools[pool], name
    ingress = graph.one("kubernetes:apps/v1:Deployment", "nginx-ingress").inputs["spec"]
    assert generation(ingress) == pools["web01"]
    assert {"key": "x", "operator": "Exists"} in ingress["template"]["spec"]["tolerations"]
    plugin = graph.one("kubernetes:apps/v1:DaemonSet").inputs["spec"]["template"]["spec"]
    assert plugin["nodeSelector"] == {"accelerator": "nvidia", "sm-realtime/pool": "inference"}
    assert {"key": "y"} in plugin["tolerations"]


@pytest.mark.parametrize("role", list(Role))
def test_no_two_pools_have_names_with_one_beginning(role: Role) -> None:
    given = settings(pools=further(**{name: {"role": role.value, "generations": [ONE]} for name in ("a", "a0", "a01")}))
    prefixes = [pool.prefix for pool in given.pools.all]
    assert len(set(prefixes)) == len(prefixes)
    assert all(len(prefix) + 7 <= 12 for prefix in prefixes), json.dumps(prefixes)
