"""The proxy beyond the contract: sessions survive, the switch turns, images and resources are laid over each other."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from components.speech.proxy_pod import OWN_VARIABLES, affinity, image_of, resources_of
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.proxy import ProxySettings
from tests.unit.graph import Graph, Json, Resource, run_program

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
MAP = "kubernetes:core/v1:ConfigMap"


def with_proxy(**proxy: Any) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:proxy"] = proxy

    return run_program("sandbox", change)


@pytest.fixture(scope="module")
def switched() -> Graph:
    """The seed's switch: b gets new sessions, a drains."""
    return with_proxy(proxy={"deployments": {"a": {"active": False, "image": {"tag": "1.2.3"}}, "b": {"active": True}}})


def pod(resource: Resource) -> Json:
    found: Json = resource.inputs["spec"]["template"]
    return found


def test_a_pod_may_live_as_long_as_the_longest_session() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:sessions"] = {"maxDurationSeconds": 7200}

    assert (
        pod(run_program("sandbox", change).one(DEPLOYMENT, "proxy-a"))["spec"]["terminationGracePeriodSeconds"] == 7200
    )


def test_nothing_takes_a_pod_away_on_purpose(switched: Graph) -> None:
    for name in ("proxy-a", "proxy-b"):
        deployment = switched.one(DEPLOYMENT, name)
        labels = pod(deployment)["metadata"]["labels"]
        assert pod(deployment)["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
        assert deployment.inputs["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        budget = switched.one(BUDGET, name)
        assert budget.inputs["spec"] == {"maxUnavailable": 0, "selector": {"matchLabels": labels}}
        assert budget.urn in deployment.dependencies


def test_the_active_ones_budget_is_protected_and_a_drained_one_can_go(switched: Graph) -> None:
    assert switched.one(BUDGET, "proxy-b").protect
    assert not switched.one(BUDGET, "proxy-a").protect


def test_the_switch_is_the_selector_and_turns_when_all_are_ready(sandbox: Graph, switched: Graph) -> None:
    before, after = sandbox.one(SERVICE, "proxy"), switched.one(SERVICE, "proxy")
    assert before.inputs["spec"]["selector"]["speechmatics.io/deployment"] == "a"
    assert after.inputs["spec"]["selector"]["speechmatics.io/deployment"] == "b"
    assert after.inputs["spec"]["selector"] == pod(switched.one(DEPLOYMENT, "proxy-b"))["metadata"]["labels"]
    assert {switched.one(DEPLOYMENT, name).urn for name in ("proxy-a", "proxy-b")} <= after.dependencies


def test_a_second_deployment_changes_nothing_of_the_first(sandbox: Graph) -> None:
    both = with_proxy(proxy={"deployments": {"a": {"active": True}, "b": {"image": {"tag": "2.9.0"}}}})
    before = {each.urn: each.inputs for each in sandbox.resources}
    changed = {each.name for each in both.resources if each.custom and before.get(each.urn) != each.inputs}
    assert changed == {"proxy-b", "proxy-b-budget"}


def test_it_starts_with_its_maps_and_rights(graph: Graph) -> None:
    deployment = graph.one(DEPLOYMENT, "proxy-a")
    needed = {graph.one(MAP, name).urn for name in ("proxy-config", "discovery-api-features", "realtime")}
    needed |= {graph.one("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", "proxy-cm-access").urn}
    assert needed <= deployment.dependencies


def test_without_the_map_the_resource_manager_is_this_installations() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:proxy"] = {"resourceManager": {"configMap": {"enabled": False}}}
        config["sm-realtime:resourceManager"] = {"fullnameOverride": "manager", "service": {"port": 8090}}

    env = pod(run_program("sandbox", change).one(DEPLOYMENT, "proxy-a"))["spec"]["containers"][0]["env"]
    assert {"name": "SM_TOKEN_STORE_URL", "value": "http://manager:8090"} in env


@pytest.mark.parametrize(
    ("agents", "others"),
    [
        ({}, {"SM_AGENT_API_URL", "SM_AGENT_API_SECRET"}),
        ({"useLocal": False, "useRemote": True, "remoteURL": "https://agents.example"}, {"SM_AGENT_LOAD_FROM_DISK"}),
    ],
)
def test_every_variable_the_program_sets_is_known_to_the_rules(agents: Json, others: set[str]) -> None:
    graph = with_proxy(
        env="west",
        agentAPI=agents,
        events={"enabled": True},
        storage={"enabled": True},
        livekit={"enabled": True},
        proxyCache={"enabled": True},
        proxy={
            "asrRequestBasePath": "/v2",
            "dns": {"defaultSrvRecords": [{"port": 8080, "priority": 1, "target": "resource-manager", "weight": 1}]},
        },
    )
    env = pod(graph.one(DEPLOYMENT, "proxy-a"))["spec"]["containers"][0]["env"]
    assert [each["name"] for each in env] == [name for name in OWN_VARIABLES if name not in others]


def test_mounts_have_their_volumes_once() -> None:
    graph = with_proxy(proxy={"dns": {"enabled": True, "name": "example.org", "service": "rm"}})
    spec = pod(graph.one(DEPLOYMENT, "proxy-a"))["spec"]
    mounted = [each["name"] for each in spec["containers"][0]["volumeMounts"]]
    assert mounted == [each["name"] for each in spec["volumes"]] == ["dns-srv-volume", "agent-config"]


@pytest.mark.parametrize(
    ("entry", "all_", "image"),
    [
        ({}, {}, "speechmaticspublic.azurecr.io/proxy-service:2.8.8-1307675"),
        ({}, {"tag": "2", "registry": "all.example"}, "all.example/proxy-service:2"),
        ({"tag": "1"}, {"tag": "2", "repository": "all"}, "speechmaticspublic.azurecr.io/all:1"),
        (
            {"registry": "own.example", "repository": "own"},
            {"registry": "all.example"},
            "own.example/own:2.8.8-1307675",
        ),
    ],
)
def test_an_image_is_chosen_part_by_part(entry: Json, all_: Json, image: str) -> None:
    given = {"proxy": {"image": all_, "deployments": {"a": {"active": True, "image": entry}}}}
    assert image_of(ProxySettings.model_validate_json(json.dumps(given)), "a", GlobalSettings()) == image


def test_resources_are_laid_over_each_other() -> None:
    given = {"requests": {"memory": "3Gi"}, "limits": {"memory": "4Gi"}}
    entry = {"active": True, "resources": {"requests": {"cpu": "1"}}}
    service = ProxySettings.model_validate({"proxy": {"resources": given, "deployments": {"a": entry}}}).proxy
    assert resources_of(service.resources, service.deployments["a"].resources) == {
        "requests": {"cpu": "1", "memory": "3Gi"},
        "limits": {"memory": "4Gi"},
    }


def test_pods_of_one_deployment_are_kept_apart_and_may_be_beside_the_other() -> None:
    required_on = ProxySettings.model_validate({"requiredDuringSchedulingStrategy": True})
    apart = (affinity(each, "b")["podAntiAffinity"] for each in (ProxySettings(), required_on))
    (preferred,), (required,) = (next(iter(each.values())) for each in apart)
    assert preferred == {"weight": 100, "podAffinityTerm": required}
    assert required["labelSelector"]["matchExpressions"][0]["values"] == ["b"]


def test_the_pull_secret_knows_every_registry_of_the_proxy() -> None:
    entry = {"active": True, "image": {"registry": "own.example"}}
    graph = with_proxy(proxy={"deployments": {"a": entry, "b": {}}})
    text = graph.one("kubernetes:core/v1:Secret", "speechmatics-registry").inputs["data"][".dockerconfigjson"]
    config = json.loads(base64.b64decode(text))
    assert set(config["auths"]) == {"own.example", "speechmaticspublic.azurecr.io"}


def test_without_the_proxy_there_is_nothing_of_it() -> None:
    graph = with_proxy(enabled=False)
    assert [each.name for each in graph.resources if each.name.startswith("proxy")] == []
    assert [each for each in graph.of(MAP) if each.object_name == "discovery-api-features"] == []
