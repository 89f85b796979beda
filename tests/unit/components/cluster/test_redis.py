"""Redis beyond the contract: what keeps its data."""

from __future__ import annotations

import json

import pytest

from stacks.schema.redis import Redis
from tests.unit.graph import Graph, Json, run_program

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"


def test_it_is_protected_because_a_replacement_would_delete_it_first(graph: Graph) -> None:
    assert graph.one(STATEFUL_SET).protect


def test_its_disk_is_named_whole(graph: Graph) -> None:
    (claim,) = graph.one(STATEFUL_SET).inputs["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "managed-csi"
    assert claim["spec"]["resources"]["requests"]["storage"] == "8Gi"


def test_loading_a_large_file_is_alive_but_not_ready(graph: Graph) -> None:
    (redis,) = graph.one(STATEFUL_SET).inputs["spec"]["template"]["spec"]["containers"]
    assert "LOADING" in redis["livenessProbe"]["exec"]["command"][-1]
    assert "LOADING" not in redis["readinessProbe"]["exec"]["command"][-1]


def test_it_is_not_evicted_by_the_autoscaler(graph: Graph) -> None:
    annotations = graph.one(STATEFUL_SET).inputs["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}


def test_its_service_is_awaited_after_its_pod(graph: Graph) -> None:
    service = graph.one("kubernetes:core/v1:Service", "realtime-redis-master")
    assert graph.one(STATEFUL_SET).urn in service.dependencies


def changed(**redis: object) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {"redis": redis}

    return run_program("sandbox", change)


@pytest.mark.parametrize(("wanted", "there"), [(None, 3), (0, 3), (2, 3), (4, 4)])
def test_there_are_never_fewer_than_three_sentinels(wanted: int | None, there: int) -> None:
    settings = Redis.model_validate_json(
        json.dumps({"sentinel": {"enabled": True}, "replicas": {"replicaCount": wanted}})
    )
    assert settings.nodes == there


@pytest.fixture(scope="module")
def nodes() -> Graph:
    return changed(sentinel={"enabled": True})


def test_nodes_are_apart_protected_and_leave_one_at_a_time(nodes: Graph) -> None:
    made = nodes.one(STATEFUL_SET, "realtime-redis-node")
    assert made.protect
    assert made.inputs["spec"]["replicas"] == 3
    pod = made.inputs["spec"]["template"]
    (term,) = pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert term["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert pod["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    budget = nodes.one("kubernetes:policy/v1:PodDisruptionBudget", "realtime-redis-node")
    assert budget.inputs["spec"]["maxUnavailable"] == 1
    assert budget.inputs["spec"]["selector"] == made.inputs["spec"]["selector"]
    assert budget.protect


def test_a_node_has_time_to_hand_over_within_its_grace(nodes: Graph) -> None:
    pod = nodes.one(STATEFUL_SET).inputs["spec"]["template"]["spec"]
    for container in pod["containers"]:
        (seconds,) = (int(v["value"]) for v in container["env"] if v["name"] == "REDIS_STOP_SECONDS")
        assert seconds <= pod["terminationGracePeriodSeconds"] - 10


def test_a_change_of_what_is_read_at_the_start_replaces_the_nodes(nodes: Graph) -> None:
    other = changed(sentinel={"enabled": True, "downAfterMilliseconds": 5000})
    one, another = (
        graph.one(STATEFUL_SET).inputs["spec"]["template"]["metadata"]["annotations"] for graph in (nodes, other)
    )
    assert one != another


def test_the_mode_changes_no_logical_name_that_both_have(sandbox: Graph, nodes: Graph) -> None:
    """A renamed object would be made before the old one of the same name is deleted, and refused."""
    both = [
        {(each.type, each.object_name): each.urn for each in graph.kubernetes if "redis" in each.object_name}
        for graph in (sandbox, nodes)
    ]
    common = both[0].keys() & both[1].keys()
    assert len(common) == 3
    assert all(both[0][each] == both[1][each] for each in common)


def test_another_name_reaches_the_address() -> None:
    graph = changed(fullnameOverride="sessions", image={"registry": "registry.example", "tag": "7.4.10"})
    config = graph.one("kubernetes:core/v1:ConfigMap", "resource-manager-config").inputs["data"]
    assert config["redis_url"] == "sessions-master:6379"
    pod = graph.one(STATEFUL_SET, "sessions-master").inputs["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "registry.example/library/redis:7.4.10"
    graph.one("kubernetes:core/v1:Service", "sessions-master")


def test_an_authority_of_ones_own_is_seen_by_all_four() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {
            "externalRedis": {"enabled": True, "caSecretName": "redis-ca"},
            "redis": {"enabled": False},
        }

    graph = run_program("sandbox", change)
    services = [d for d in graph.of("kubernetes:apps/v1:Deployment") if "resource-manager" in d.object_name]
    for deployment in [*services, graph.one("kubernetes:apps/v1:Deployment", "sessiongroups-controller")]:
        pod = deployment.inputs["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        (mount,) = (each for each in container["volumeMounts"] if each["name"] == "redis-ca")
        assert {"name": "SSL_CERT_DIR", "value": mount["mountPath"]} in container["env"]
        assert [v["secret"]["secretName"] for v in pod["volumes"] if v["name"] == "redis-ca"] == ["redis-ca"]
