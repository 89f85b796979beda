"""The resource manager beyond the contract: order, time and surge."""

from __future__ import annotations

from tests.unit.graph import Graph, Json, run_program

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def test_up_waits_longer_than_the_pod_may_take(graph: Graph) -> None:
    """15 s × 50 attempts are 750 s; the provider's own patience is 600 s."""
    for each in (
        graph.one(DEPLOYMENT, "resource-manager"),
        graph.one("kubernetes:core/v1:Service", "resource-manager"),
    ):
        assert each.timeouts == {"create": "900s", "update": "900s"}


def test_its_patience_follows_the_probe() -> None:
    def slower(config: Json) -> None:
        probe = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 20, "failureThreshold": 60}
        config["sm-realtime:resourceManager"] = {"startupProbe": probe}

    assert run_program("sandbox", slower).one(DEPLOYMENT, "resource-manager").timeouts["create"] == "1350s"


def test_new_before_old(graph: Graph) -> None:
    strategy = graph.one(DEPLOYMENT, "resource-manager").inputs["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_redis_and_rights_come_first(graph: Graph) -> None:
    deployment = graph.one(DEPLOYMENT, "resource-manager")
    needed = {graph.one("kubernetes:apps/v1:StatefulSet").urn}
    bindings = ("resource-manager-kube-access", "resource-manager-sessiongroups-access")
    needed |= {graph.one("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", each).urn for each in bindings}
    assert needed <= deployment.dependencies


def test_its_budget_is_protected_and_selects_its_pods() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {"replicas": 2, "pdb": {"enabled": True}}

    graph = run_program("sandbox", change)
    budget = graph.one("kubernetes:policy/v1:PodDisruptionBudget", "resource-manager")
    assert budget.protect
    template = graph.one(DEPLOYMENT, "resource-manager").inputs["spec"]["template"]
    assert budget.inputs["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert budget.inputs["spec"]["minAvailable"] < graph.one(DEPLOYMENT, "resource-manager").inputs["spec"]["replicas"]
