"""The controller beyond the contract."""

from __future__ import annotations

from tests.unit.graph import Graph, Json, run_program

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NAME = "sessiongroups-controller"


def test_groups_are_made_after_their_controller(graph: Graph) -> None:
    controller = graph.one(DEPLOYMENT, "sessiongroups-controller").urn
    for each in graph.of("kubernetes:speechmatics.com/v1:SessionGroup"):
        assert controller in each.dependencies


def test_it_starts_with_redis_rights_and_the_kind(graph: Graph) -> None:
    controller = graph.one(DEPLOYMENT, "sessiongroups-controller")
    assert {
        graph.one("kubernetes:apps/v1:StatefulSet").urn,
        graph.one(
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "realtime-sessiongroups-controller"
        ).urn,
        graph.one("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition").urn,
    } <= controller.dependencies


def test_the_budget_lets_no_session_pod_be_evicted(graph: Graph) -> None:
    budget = graph.one("kubernetes:policy/v1:PodDisruptionBudget", "resource-manager-safe-to-evict")
    assert budget.protect
    labels = budget.inputs["spec"]["selector"]["matchLabels"]
    for each in graph.of("kubernetes:speechmatics.com/v1:SessionGroup"):
        assert labels.items() <= each.inputs["spec"]["template"]["metadata"]["labels"].items()


def test_up_waits_longer_than_a_slow_start() -> None:
    def slower(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {"sessionGroups": {"startupProbe": {"failureThreshold": 60}}}

    graph = run_program("sandbox", slower)
    for each in (graph.one(DEPLOYMENT, NAME), graph.one("kubernetes:core/v1:Service", NAME)):
        assert each.timeouts == {"create": "1050s", "update": "1050s"}
