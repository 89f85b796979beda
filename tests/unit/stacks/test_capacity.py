"""What fits on a node, against the numbers Azure's documents give."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from components.speech.session_group import most
from stacks.capacity import (
    GIB,
    SIZES,
    Size,
    allocatable,
    bfloat16,
    flow_on_gpus,
    inference_pods,
    nodes_needed,
    transcriber_requests,
)
from stacks.load import read
from stacks.quantities import Pod, quantity, requested, together
from stacks.schema import Settings
from stacks.schema.pools import Role
from stacks.services import workloads
from tests.unit.graph import CHECKOUT, Change, Graph, Json, run_program, stack_config
from tests.yaml_file import read_yaml


@pytest.mark.parametrize(
    ("text", "value"), [("500m", 0.5), ("2", 2), ("5Gi", 5 * 2**30), ("15Mi", 15 * 2**20), ("3.5Gi", 3.5 * 2**30)]
)
def test_quantity(text: str, value: float) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize(
    ("resources", "pod"),
    [
        ({"requests": {"cpu": "30m", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "2Gi"}}, (0.03, GIB)),
        ({"requests": {"cpu": "30m"}, "limits": {"memory": "2Gi"}}, (0.03, 2 * GIB)),
        ({"limits": {"cpu": "1"}}, (1.0, 0.0)),
        ({"requests": None, "limits": None}, (0.0, 0.0)),
        ({}, (0.0, 0.0)),
    ],
)
def test_a_container_requests_its_limit_where_it_has_no_request(resources: Json, pod: Pod) -> None:
    assert requested(resources) == pytest.approx(pod)
    assert together(resources, resources) == pytest.approx((2 * pod[0], 2 * pod[1]))


@pytest.mark.parametrize(
    ("own", "everywhere", "pods"),
    [({}, False, 2), ({}, True, 7), ({"enabled": True}, False, 7), ({"enabled": False}, True, 7)],
)
def test_a_group_wants_at_most_what_its_scaling_allows(own: Json, everywhere: bool, pods: int) -> None:
    """Its own switch turns scaling on, never off."""
    given = settings(
        inferenceServerEnhancedRecipe1={"sessionGroups": {"replicas": 2, "scaling": {"maxReplicas": 7, **own}}}
    )
    groups = given.inference_servers["inferenceServerEnhancedRecipe1"].session_groups
    assert most(groups, everywhere) == pods


@pytest.mark.parametrize(
    ("size", "max_pods", "cpu", "memory_gib"),
    [
        ("Standard_NC4as_T4_v3", 30, 3.86, 26.7),
        ("Standard_NC4as_T4_v3", 110, 3.86, 25.1),
        ("Standard_E16s_v5", 110, 15.74, 123.2),
        ("Standard_E16s_v5", 250, 15.74, 120.5),
    ],
)
def test_allocatable(size: str, max_pods: int, cpu: float, memory_gib: float) -> None:
    """The table of AKS's node resource reservations, 2026-06-11."""
    found = allocatable(SIZES[size], max_pods)
    assert found[0] == pytest.approx(cpu)
    assert found[1] / GIB == pytest.approx(memory_gib, abs=0.11)


def base() -> Json:
    found: Json = read_yaml(CHECKOUT / "tests" / "cases" / "base.yaml")
    return found


def settings(**sections: Json) -> Settings:
    return Settings.model_validate_json(json.dumps(base() | sections))


def pools(role: Role, **more: Any) -> Json:
    """The base's pools, with one of them changed."""
    found: Json = base()["pools"]
    found[role.value][0] |= more
    return found


def needed(given: Settings, role: Role) -> int | None:
    return nodes_needed(given, given.pools.pool(role), given.pools.active(role))


RECIPES: Json = {f"inferenceServerEnhancedRecipe{number}": {"enabled": True} for number in (2, 3, 4)}
SCALED: Json = {"sessionGroups": {"scaling": {"enabled": True}}}


def test_every_server_surges_at_the_same_time() -> None:
    assert inference_pods(settings()) == 2
    assert inference_pods(settings(**RECIPES)) == 4 * 2
    assert needed(settings(**RECIPES), Role.INFERENCE) == 8
    more: Json = {
        **RECIPES,
        "inferenceServerStandardAll": {"enabled": True, "sessionGroups": {"replicas": 3, "allowedSurge": 2}},
    }
    assert inference_pods(settings(**more)) == 8 + 5


def test_scaled_groups_may_all_be_at_their_most() -> None:
    assert inference_pods(settings(**{"global": SCALED}, **RECIPES)) == 4 * (4 + 1)
    assert len(transcriber_requests(settings(**{"global": SCALED}))) == 4 + 1


PLAIN: Json = {"sessionGroups": {"enabled": False, "scaling": {"enabled": True}}}


@pytest.mark.parametrize(
    ("server", "pods"),
    [
        ({}, 1 + 1),
        ({"replicas": 3}, 3 + 1),
        ({"replicas": 3, "useRecreateStrategy": True}, 3),
        ({"replicas": 0}, 0),
    ],
    ids=str,
)
def test_a_plain_server_has_its_own_number_and_one_more_unless_it_recreates(server: Json, pods: int) -> None:
    """Scaling, which is on, is that of session groups."""
    found = settings(**{"global": PLAIN, "inferenceServerEnhancedRecipe1": {"tritonServer": server}})
    assert inference_pods(found) == pods


def test_plain_transcribers_have_their_own_number_and_one_more() -> None:
    languages: Json = {**PLAIN, "transcriber": {"languages": ["en", "cy"]}}
    assert len(transcriber_requests(settings(**{"global": languages}))) == 2 * (2 + 1)
    own = {"cy": {}, "en": {"minReplicas": 0}}
    more = {"autoscaling": {"replicas": {"minReplicas": 5}}, "languages": {"overrides": {"autoscaling": own}}}
    found = settings(**{"global": languages, "transcribers": {"transcriber": more}})
    assert len(transcriber_requests(found)) == 5 + 1


def test_plain_parts_of_flow_have_their_own_number() -> None:
    wanted: Json = {"enabled": True, "replicas": 3, "tts": {"replicas": 4}, "vllm": {"enabled": False}}
    found = settings(**{"global": PLAIN, "flow": wanted, "inferenceServerEnhancedRecipe1": {"enabled": False}})
    (service,) = [each for each in workloads(found) if each.name == "flow-service"]
    assert (service.pods, service.surge) == (3, 1)
    assert [each.pods for each in flow_on_gpus(found)] == [4 + 1]
    recreated = settings(**{"global": PLAIN, "flow": {**wanted, "useRecreateStrategy": True}})
    assert [each.surge for each in workloads(recreated) if each.name == "flow-service"] == [0]


def test_several_gpus_in_a_node_hold_several_servers() -> None:
    given = settings(**RECIPES, pools=pools(Role.INFERENCE, vmSize="Standard_NC64as_T4_v3"))
    assert needed(given, Role.INFERENCE) == 2


def test_every_language_surges_at_the_same_time() -> None:
    """`cy` requests 300m and 2Gi, `en` 600m and 5Gi; the sidecars 20m and 30Mi more (contract: transcription 4, 6)."""
    found = transcriber_requests(settings(**{"global": {"transcriber": {"languages": ["cy", "en"]}}}))
    small, large = (0.32, 2 * GIB + 30 * 2**20), (0.62, 5 * GIB + 30 * 2**20)
    assert found == [pytest.approx(small)] * 2 + [pytest.approx(large)] * 2


def test_transcribers_that_are_off_need_no_node() -> None:
    off = settings(transcribers={"enabled": False}, inferenceServerEnhancedRecipe1={"enabled": False})
    assert needed(off, Role.TRANSCRIBERS) == 0
    assert needed(off, Role.INFERENCE) == 0


def test_pods_also_need_a_place_each() -> None:
    """60 pods of 320m are 19.2 cores, two nodes by CPU, but six by the ten pods a node takes."""
    sections: Json = {
        "global": {"transcriber": {"languages": ["cy"]}},
        "transcribers": {"sessionGroups": {"replicas": 59}},
    }
    assert needed(settings(**sections), Role.TRANSCRIBERS) == 2
    assert needed(settings(**sections, pools=pools(Role.TRANSCRIBERS, maxPods=10)), Role.TRANSCRIBERS) == 6


def test_the_services_pool_holds_what_runs_there() -> None:
    """By the contract's requests the defaults fit one D4s_v5; 401 managers of 20m are 8.02 cores, and it gives 3.86."""
    assert needed(settings(), Role.SERVICES) == 1
    many = settings(resourceManager={"replicas": 400}, pools=pools(Role.SERVICES, maxPods=250))
    assert needed(many, Role.SERVICES) == 3


def compare_requests(graph: Graph, given: Settings) -> None:
    """Every Deployment and StatefulSet of the recorded objects stands in the list with its own requests and pods."""
    listed = {each.name: each for each in workloads(given)}
    found = [e for e in graph.kubernetes if e.type.endswith((":Deployment", ":StatefulSet"))]
    assert found
    for each in found:
        spec = each.inputs["spec"]
        asked = together(*(c.get("resources", {}) for c in spec["template"]["spec"]["containers"]))
        entry = listed[each.object_name]
        assert entry.pods == spec.get("replicas", 1), each.object_name
        assert entry.requests == pytest.approx(asked), each.object_name
    # the side of the proxy's switch that is not deployed needs its room as well
    more = listed.keys() - {each.object_name for each in found}
    assert len(more) <= 1
    assert all(name.endswith(("-a", "-b")) for name in more)


@pytest.mark.parametrize("stack", ["sandbox", "production"])
def test_the_list_of_services_is_what_the_program_puts_on_that_pool(stack: str, graphs: dict[str, Graph]) -> None:
    loaded, _ = read(*stack_config(stack))
    assert loaded is not None
    compare_requests(graphs[stack], loaded)


def other_requests(config: Json) -> None:
    """Requests, limits without a request, and parts switched off: all by the configuration."""
    config["sm-realtime:resourceManager"] = {
        "replicas": 2,
        "resources": {"requests": {"cpu": "30m", "memory": "50Mi"}},
        "metrics": {"enabled": False},
        "reconciliation": {"resources": {"requests": {"cpu": None, "memory": "90Mi"}, "limits": {"cpu": "300m"}}},
        "sessionGroups": {"resources": {"requests": {"cpu": "15m"}}},
    }
    config["sm-realtime:proxy"] = config.get("sm-realtime:proxy", {}) | {
        "replicas": 2,
        "proxy": {
            "resources": {"requests": {"cpu": "250m"}},
            "deployments": {"b": {"resources": {"requests": {"memory": "3Gi"}}}},
        },
    }
    config["sm-realtime:ingress"] = {"resources": {"cpu": "120m", "memory": "140Mi"}, "replicas": 3}


def with_changes(change: Change) -> Settings:
    """The sandbox stack's settings after a change, whose objects ask for what is listed."""
    config, flagged = stack_config("sandbox")
    parsed = {key: value if key in flagged else json.loads(value) for key, value in config.items()}
    change(parsed)
    given, problems = read(
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in parsed.items()}, flagged
    )
    assert given is not None, problems
    compare_requests(run_program("sandbox", change), given)
    return given


def test_the_list_of_services_follows_the_settings() -> None:
    given = with_changes(other_requests)
    by_name = {each.name: each.requests for each in workloads(given)}
    assert by_name["resource-manager"] == pytest.approx((0.03, 50 * 2**20))
    assert by_name["resource-manager-reconciliation"] == pytest.approx((0.3, 90 * 2**20))
    assert by_name["proxy-a"] == pytest.approx((0.25, 2 * GIB))
    assert by_name["proxy-b"] == pytest.approx((0.25, 3 * GIB))
    assert "resource-manager-metrics" not in by_name


def redis(config: Json, **more: Any) -> None:
    """Redis with requests of its own in every container."""
    own = {name: {"resources": {"requests": {"cpu": "70m", "memory": "90Mi"}}} for name in ("master", "replica")}
    config["sm-realtime:resourceManager"] = {"redis": {"fullnameOverride": "sessions", **own, **more}}


def test_the_list_of_services_follows_the_mode_of_redis() -> None:
    sentinel = {"enabled": True, "resources": {"requests": {"cpu": "30m", "memory": "10Mi"}}}
    nodes = with_changes(functools.partial(redis, sentinel=sentinel))
    (entry,) = [each for each in workloads(nodes) if each.name.startswith("sessions")]
    assert (entry.name, entry.pods) == ("sessions-node", 3)
    assert entry.requests == pytest.approx((0.1, 100 * 2**20))
    several = with_changes(functools.partial(redis, replicas={"replicaCount": 2}))
    found = {
        each.name: (each.pods, each.requests[0]) for each in workloads(several) if each.name.startswith("sessions")
    }
    assert found == {"sessions-master": (1, 0.07), "sessions-replicas": (2, 0.07)}


def test_bfloat16_is_asked_of_the_generation_where_pods_land(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "Standard_NV36ads_A10_v5", Size(36, 431.2, 1, True, bfloat16=True))
    newer: Json = {"number": 1, "state": "active", "kubernetesVersion": "1.35.4", "vmSize": "Standard_NV36ads_A10_v5"}
    waiting: Json = {"number": 2, "state": "standby", "kubernetesVersion": "1.35.4"}
    base_pools: Json = base()["pools"]
    further: Json = {"llm": {"role": "inference", "generations": [newer, waiting]}}
    given = settings(pools=base_pools | {"further": further})
    assert bfloat16(given, "llm")
    assert not bfloat16(given, None)
    assert not any(size.bfloat16 for name, size in SIZES.items() if "T4" in name)
