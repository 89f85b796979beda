"""The metrics beyond the contract: what it watches, when it is there, order and time."""

from __future__ import annotations

import pytest

from tests.unit.graph import Graph, Json, run_program

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NAME = "resource-manager-metrics"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1"


def changed(settings: Json, **others: Json) -> Graph:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = settings
        for key, value in others.items():
            config[f"sm-realtime:{key}"] = value

    return run_program("sandbox", change)


def variables(graph: Graph) -> dict[str, str]:
    (container,) = graph.one(DEPLOYMENT, NAME).inputs["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", "") for each in container["env"]}


def test_new_before_old(graph: Graph) -> None:
    strategy = graph.one(DEPLOYMENT, NAME).inputs["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_rights_come_first_and_the_service_last(graph: Graph) -> None:
    deployment = graph.one(DEPLOYMENT, NAME)
    assert graph.one(f"{RBAC}:RoleBinding", "resource-manager-metrics-permissions").urn in deployment.dependencies
    service = graph.one("kubernetes:core/v1:Service", NAME)
    assert deployment.urn in service.dependencies
    assert service.timeouts == deployment.timeouts == {"create": "600s", "update": "600s"}


@pytest.mark.parametrize("mode", ["rt", "batch"])
def test_the_worker_monitor_watches_the_transcribers_there_are(mode: str) -> None:
    transcribers = {"fullnameOverride": "asr", "transcriber": {"mode": mode}}
    graph = changed({"metrics": {"workerMonitor": {"enabled": True}}}, transcribers=transcribers)
    found = variables(graph)
    prefix, nodes = found["SM_WORKER_MONITOR_POD_NAME_PREFIX"], found["SM_WORKER_MONITOR_NODE_LABEL_SELECTOR"]
    (group,) = [
        each for each in graph.of("kubernetes:speechmatics.com/v1:SessionGroup") if each.object_name.startswith(prefix)
    ]
    template = group.inputs["spec"]["template"]["spec"]
    key, _, value = nodes.partition("=")
    assert template["nodeSelector"][key] == value
    assert found["SM_WORKER_MONITOR_CONTAINER_NAME"] in [each["name"] for each in template["containers"]]
    deployment = graph.one(DEPLOYMENT, NAME)
    binding = graph.one(f"{RBAC}:ClusterRoleBinding", "resource-manager-metrics-cadvisor-access")
    assert binding.urn in deployment.dependencies


def test_the_worker_monitor_watches_what_is_configured() -> None:
    monitor = {
        "enabled": True,
        "containerName": "main",
        "podNamePrefix": "asr-c",
        "nodeSelector": "pool in (a,b)",
        "conditionMetrics": "container_cpu_usage_millicores,container_memory_usage_megabytes",
    }
    found = variables(changed({"metrics": {"workerMonitor": monitor}}))
    assert found["SM_WORKER_MONITOR_CONTAINER_NAME"] == "main"
    assert found["SM_WORKER_MONITOR_POD_NAME_PREFIX"] == "asr-c"
    assert found["SM_WORKER_MONITOR_NODE_LABEL_SELECTOR"] == "pool in (a,b)"
    assert found["SM_WORKER_MONITOR_CONDITION_METRICS"] == monitor["conditionMetrics"]


def test_the_kubelets_are_read_only_by_the_worker_monitor(graph: Graph) -> None:
    assert [each.object_name for each in graph.of(f"{RBAC}:ClusterRole") if "cadvisor" in each.object_name] == []


def test_without_metrics_reconciliation_keeps_the_account_and_its_rights() -> None:
    graph = changed({"metrics": {"enabled": False}})
    names = [each.object_name for each in graph.kubernetes if each.object_name.startswith(NAME)]
    assert sorted(names) == [NAME, "resource-manager-metrics-permissions"]
    assert NAME in [each.object_name for each in graph.of("kubernetes:core/v1:ServiceAccount")]
    deployment = graph.one(DEPLOYMENT, "resource-manager-reconciliation")
    assert deployment.inputs["spec"]["template"]["spec"]["serviceAccountName"] == NAME


def test_without_both_nothing_is_left_of_them() -> None:
    graph = changed({"metrics": {"enabled": False}, "reconciliation": {"enabled": False}})
    parts = ("metrics", "reconciliation", "list-workloads")
    assert [each.urn for each in graph.kubernetes if any(part in each.object_name for part in parts)] == []


def test_its_names_follow_the_resource_managers() -> None:
    graph = changed({"fullnameOverride": "manager", "replicas": 2})
    deployment = graph.one(DEPLOYMENT, "manager-metrics")
    assert deployment.inputs["spec"]["template"]["spec"]["serviceAccountName"] == "manager-metrics"
    assert deployment.inputs["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] == "manager"
    assert "manager-list-workloads" in [each.object_name for each in graph.of(f"{RBAC}:Role")]
    assert "manager-reconciliation" in [each.object_name for each in graph.of(DEPLOYMENT)]
