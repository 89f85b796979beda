"""Reconciliation beyond the contract: exactly one, what it looks after, order."""

from __future__ import annotations

import json

from tests.unit.graph import Graph, Json, run_program

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NAME = "resource-manager-reconciliation"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1"


def changed(settings: Json) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {"reconciliation": settings}

    return run_program("sandbox", change)


def variables(graph: Graph) -> dict[str, Json]:
    (container,) = graph.one(DEPLOYMENT, NAME).inputs["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each for each in container["env"]}


def test_there_is_never_more_than_one(graph: Graph) -> None:
    spec = graph.one(DEPLOYMENT, NAME).inputs["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


def test_rights_come_first(graph: Graph) -> None:
    deployment = graph.one(DEPLOYMENT, NAME)
    assert graph.one(f"{RBAC}:RoleBinding", "resource-manager-metrics-permissions").urn in deployment.dependencies
    assert deployment.timeouts == {"create": "600s", "update": "600s"}


def test_the_map_it_reads_names_what_is_deployed(sandbox: Graph) -> None:
    reference = variables(sandbox)["SM_POD_SELECTOR_LIST"]["valueFrom"]["configMapKeyRef"]
    data = sandbox.one("kubernetes:core/v1:ConfigMap", reference["name"]).inputs["data"]
    stems = data[reference["key"]].split(",")
    groups = [each.object_name for each in sandbox.of("kubernetes:speechmatics.com/v1:SessionGroup")]
    assert all(any(group.startswith(stem) for stem in stems) for group in groups)
    assert all(any(group.startswith(stem) for group in groups) for stem in stems)
    reference = variables(sandbox)["SM_CLUSTER_NAME"]["valueFrom"]["configMapKeyRef"]
    data = sandbox.one("kubernetes:core/v1:ConfigMap", reference["name"]).inputs["data"]
    assert data[reference["key"]] == "test"


def test_the_node_monitor_watches_the_nodes_that_hold_sessions() -> None:
    graph = changed({"nodeMonitor": {"enabled": True}})
    labels = json.loads(variables(graph)["SM_NODE_MONITOR_NODE_LABELS"]["value"])
    pairs = {tuple(each.split("=")) for each in labels}
    for group in graph.of("kubernetes:speechmatics.com/v1:SessionGroup"):
        assert pairs & group.inputs["spec"]["template"]["spec"]["nodeSelector"].items(), group.urn
    assert not pairs & graph.one(DEPLOYMENT, NAME).inputs["spec"]["template"]["spec"]["nodeSelector"].items()
    binding = graph.one(f"{RBAC}:ClusterRoleBinding", "realtime-reconciliation-node-monitor")
    assert binding.urn in graph.one(DEPLOYMENT, NAME).dependencies


def test_the_node_monitor_watches_what_is_configured() -> None:
    found = variables(changed({"nodeMonitor": {"enabled": True, "filterLabels": ["a=b", "c=d"]}}))
    assert found["SM_NODE_MONITOR_NODE_LABELS"]["value"] == '["a=b","c=d"]'


def test_without_the_node_monitor_it_has_no_right_in_the_whole_cluster(graph: Graph) -> None:
    bindings = graph.of(f"{RBAC}:ClusterRoleBinding")
    subjects = {subject["name"] for each in bindings for subject in each.inputs["subjects"]}
    assert "resource-manager-metrics" not in subjects


def test_it_can_be_left_out(sandbox: Graph) -> None:
    graph = changed({"enabled": False})
    gone = {each.urn for each in sandbox.resources} - {each.urn for each in graph.resources}
    assert sorted(urn.rpartition("::")[2] for urn in gone) == [NAME, f"{NAME}-deployment"]
