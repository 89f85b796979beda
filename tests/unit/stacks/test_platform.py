"""What is true of every stack's graph."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from components.guard.names import Kind, Step, hook_name
from tests.unit.graph import Graph, Json, Resource, run_program, stack_config

CLUSTER_SCOPED = {
    "Namespace",
    "CustomResourceDefinition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "IngressClass",
}
POD_OWNERS = {"Deployment", "StatefulSet", "SessionGroup"}
NODE_POOL = "azure-native:containerservice:AgentPool"
ADMISSION = "kubernetes:admissionregistration.k8s.io/v1"
SESSION_GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"

ROLE_OF = {"Deployment": "services", "StatefulSet": "services"}
"""Which pool each kind of workload runs on; SessionGroups are told apart by name."""


def kind(resource: Resource) -> str:
    return resource.type.rpartition(":")[2]


def workloads(graph: Graph) -> list[Resource]:
    return [each for each in graph.kubernetes if kind(each) in POD_OWNERS]


def pods(graph: Graph) -> list[tuple[Resource, Json]]:
    return [(each, each.inputs["spec"]["template"]["spec"]) for each in workloads(graph)]


def role(resource: Resource) -> str:
    if kind(resource) == "SessionGroup":
        return "inference" if resource.object_name.startswith("inference-") else "transcribers"
    return ROLE_OF[kind(resource)]


def test_every_resource_has_an_explicit_provider(graph: Graph) -> None:
    for each in graph.resources:
        if each.custom and not each.type.startswith("pulumi:providers:"):
            package = each.type.partition(":")[0]
            assert f"pulumi:providers:{package}::" in each.provider, each.urn


def test_every_namespaced_object_names_its_namespace(graph: Graph) -> None:
    for each in graph.kubernetes:
        if kind(each) not in CLUSTER_SCOPED:
            wanted = "kube-system" if kind(each) == "DaemonSet" else "speechmatics"
            if each.name.startswith("ingress-") and "-watched-" not in each.name:
                wanted = "nginx-ingress"
            assert each.inputs["metadata"]["namespace"] == wanted, each.urn


def test_no_two_resources_have_one_name(graph: Graph) -> None:
    objects = Counter((kind(e), e.inputs["metadata"].get("namespace"), e.object_name) for e in graph.kubernetes)
    assert [name for name, count in objects.items() if count > 1] == []
    assert [urn for urn, count in Counter(e.urn for e in graph.resources).items() if count > 1] == []


def test_exactly_these_are_protected(graph: Graph) -> None:
    protected = Counter(each.type for each in graph.resources if each.protect)
    assert protected == {
        "pulumi:providers:azure-native": 1,
        "pulumi:providers:kubernetes": 1,
        "azure-native:resources:ResourceGroup": 1,
        "azure-native:network:PublicIPAddress": 1,
        "azure-native:containerservice:ManagedCluster": 1,
        NODE_POOL: 3,
        "kubernetes:core/v1:Namespace": 2,
        "kubernetes:core/v1:Service": 1,
        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": 1,
        "kubernetes:policy/v1:PodDisruptionBudget": 3,
        "kubernetes:apps/v1:StatefulSet": 1,
    }


def test_protection_can_be_taken_off_as_a_whole() -> None:
    def off(config: Json) -> None:
        config["sm-realtime:protection"] = {"enabled": False}

    assert [each.urn for each in run_program("sandbox", off).resources if each.protect] == []


def test_every_deletable_resource_carries_the_hook_of_its_kind(graph: Graph) -> None:
    expected = {
        SESSION_GROUP: Kind.SESSION_GROUP,
        NODE_POOL: Kind.NODE_POOL,
        "kubernetes:core/v1:Namespace": Kind.CLUSTER_OBJECT,
        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": Kind.CLUSTER_OBJECT,
        "kubernetes:policy/v1:PodDisruptionBudget": Kind.CLUSTER_OBJECT,
        f"{ADMISSION}:ValidatingAdmissionPolicy": Kind.CLUSTER_OBJECT,
        f"{ADMISSION}:ValidatingAdmissionPolicyBinding": Kind.CLUSTER_OBJECT,
    }
    for each in graph.resources:
        if each.custom and not each.type.startswith("pulumi:providers:"):
            default = Kind.WORKLOAD if each.kubernetes else Kind.AZURE
            assert each.before_delete == (hook_name(expected.get(each.type, default), Step.DELETE),), each.urn
            update = (hook_name(Kind.SESSION_GROUP, Step.UPDATE),) if each.type == SESSION_GROUP else ()
            assert each.before_update == update, each.urn


def test_every_hook_there_is_is_registered_under_its_name(graph: Graph) -> None:
    assert sorted(graph.hooks) == sorted(
        [*(hook_name(each, Step.DELETE) for each in Kind), hook_name(Kind.SESSION_GROUP, Step.UPDATE)]
    )


def test_the_gate_depends_on_everything_and_has_no_child(graph: Graph) -> None:
    gate = graph.one("sm-realtime:guard:Gate")
    real = {e.urn for e in graph.resources if e.custom and not e.type.startswith("pulumi:providers:")}
    assert gate.dependencies == real
    assert gate.before_delete == (hook_name(Kind.GATE, Step.DELETE),)
    assert [each.urn for each in graph.resources if each.parent == gate.urn] == []
    assert graph.resources[-1] is gate


def test_every_workload_runs_on_the_active_generation_of_its_pool(graph: Graph) -> None:
    pools = {each.inputs["nodeLabels"]["sm-realtime/pool"]: each.inputs for each in graph.of(NODE_POOL)}
    for owner, pod in pods(graph):
        pool = pools[role(owner)]
        selected = {"sm-realtime/pool": role(owner), "sm-realtime/generation": pool["agentPoolName"]}
        assert pod["nodeSelector"] == selected, owner.urn
        (taint,) = pool["nodeTaints"]
        tolerated = {f"{t['key']}={t.get('value')}:{t['effect']}" for t in pod["tolerations"]}
        assert taint in tolerated, owner.urn


def test_nothing_of_ours_tolerates_the_system_pool(graph: Graph) -> None:
    for owner, pod in pods(graph):
        assert not [t for t in pod["tolerations"] if t["key"] == "CriticalAddonsOnly" or not t.get("key")], owner.urn


def test_a_pool_tolerates_only_its_own_work(graph: Graph) -> None:
    taints = {taint for each in graph.of(NODE_POOL) for taint in each.inputs["nodeTaints"]}
    assert len(taints) == 3
    for owner, pod in pods(graph):
        tolerated = {f"{t['key']}={t.get('value')}:{t['effect']}" for t in pod["tolerations"]}
        assert len(taints & tolerated) == 1, owner.urn


def test_a_session_pod_may_live_as_long_as_the_longest_session(graph: Graph) -> None:
    groups = graph.of(SESSION_GROUP)
    assert groups
    for each in groups:
        template = each.inputs["spec"]["template"]
        assert template["spec"]["terminationGracePeriodSeconds"] >= 86400
        assert template["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
        assert template["metadata"]["labels"]["speechmatics.io/safe-to-evict"] == "false"


def test_a_group_whose_scaling_is_off_says_so(graph: Graph) -> None:
    for each in graph.of(SESSION_GROUP):
        assert each.inputs["spec"]["scaling"]["enabled"] is False


def test_a_service_selects_the_pods_of_one_workload(graph: Graph) -> None:
    labels = [each.inputs["spec"]["template"]["metadata"]["labels"] for each in workloads(graph)]
    for service in graph.of("kubernetes:core/v1:Service"):
        selector = service.inputs["spec"]["selector"]
        assert len([pod for pod in labels if selector.items() <= pod.items()]) == 1, service.urn


def test_every_port_a_service_names_exists_on_its_pods(graph: Graph) -> None:
    for service in graph.of("kubernetes:core/v1:Service"):
        selector = service.inputs["spec"]["selector"]
        (pod,) = [
            each.inputs["spec"]["template"]
            for each in workloads(graph)
            if selector.items() <= each.inputs["spec"]["template"]["metadata"]["labels"].items()
        ]
        names = {p.get("name") for c in pod["spec"]["containers"] for p in c.get("ports", [])}
        wanted = {p["targetPort"] for p in service.inputs["spec"]["ports"] if isinstance(p["targetPort"], str)}
        assert wanted <= names, service.urn


def references(value: Any, found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """ConfigMaps and Secrets a pod spec names."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("configMapKeyRef", "configMap"):
                found.add(("ConfigMap", each["name"]))
            elif key == "secret":
                found.add(("Secret", each["secretName"]))
            elif key == "imagePullSecrets":
                found |= {("Secret", secret["name"]) for secret in each}
            else:
                references(each, found)
    elif isinstance(value, list):
        for each in value:
            references(each, found)
    return found


def test_every_map_a_pod_reads_is_made_here_and_every_secret_too_where_it_is_to_be(sandbox: Graph) -> None:
    made = {(kind(each), each.object_name) for each in sandbox.kubernetes}
    wanted = {reference for _, pod in pods(sandbox) for reference in references(pod, set())}
    assert ("ConfigMap", "realtime") in wanted
    assert ("Secret", "speechmatics-license") in wanted
    assert wanted <= made


def test_every_service_account_of_a_pod_is_made_here(graph: Graph) -> None:
    made = {each.object_name for each in graph.of("kubernetes:core/v1:ServiceAccount")}
    assert {pod["serviceAccountName"] for _, pod in pods(graph) if "serviceAccountName" in pod} <= made


def test_a_secret_that_exists_already_is_not_made(graphs: dict[str, Graph]) -> None:
    made = [each.object_name for each in graphs["production"].of("kubernetes:core/v1:Secret")]
    assert made == ["nginx-default-tls"]


def test_nothing_on_the_nodes_outlives_them(graph: Graph) -> None:
    """On the way down the namespaces, with every pod in them, go before any pool."""
    for namespace in graph.of("kubernetes:core/v1:Namespace"):
        assert {each.urn for each in graph.of(NODE_POOL)} <= namespace.dependencies


def test_secrets_arrive_as_secrets(sandbox: Graph) -> None:
    for each in sandbox.of("kubernetes:core/v1:Secret"):
        assert "data" in each.secret_paths, each.urn
    assert "kubeconfig" in sandbox.one("pulumi:providers:kubernetes").secret_paths


def test_exports(graph: Graph) -> None:
    assert set(graph.exports) == {
        "cluster", "resourceGroup", "namespace", "address", "endpoint", "languages", "sessionGroups", "capacity",
        "kubeconfig",
    }  # fmt: skip


def test_the_exported_languages_are_those_with_transcribers(graphs: dict[str, Graph]) -> None:
    def more(config: Json) -> None:
        config["sm-realtime:global"]["transcriber"] = {"languages": ["en", "cy", "ga"]}
        config["sm-realtime:transcribers"] = {"transcriber": {"languages": {"cpuLanguages": ["ga"]}}}

    several = stack_config("production")[0]["sm-realtime:global"]
    assert graphs["sandbox"].exports["languages"] == ["en"]
    assert graphs["production"].exports["languages"] == json.loads(several)["transcriber"]["languages"]
    assert run_program("sandbox", more).exports["languages"] == ["ga", "en", "cy"]


def test_the_exported_capacity_is_in_sessions(sandbox: Graph) -> None:
    """Two sessions of the one transcriber; 480 of capacity at 24 for a session in English."""
    by_group = {"rt-transcriber-en": 2, "inference-server-enhanced-recipe1": 20}
    assert sandbox.exports["capacity"] == {"sessions": 2, "byGroup": by_group}
    assert sandbox.exports["endpoint"] == "wss://speechmatics.example.com/v2"


@pytest.mark.parametrize("state", ["standby", "draining", "retiring"])
def test_a_generation_beside_the_active_one(state: str) -> None:
    def add(config: Json) -> None:
        pool = config["sm-realtime:pools"]["inference"]
        pool.append({**pool[0], "number": 2, "state": state, "vmSize": "Standard_NC8as_T4_v3"})

    graph = run_program("sandbox", add)
    first, second = (p for p in graph.of(NODE_POOL) if p.inputs["nodeLabels"]["sm-realtime/pool"] == "inference")
    assert first.inputs["agentPoolName"] != second.inputs["agentPoolName"]
    assert first.protect
    assert second.protect is (state != "retiring")
    for owner, pod in pods(graph):
        assert pod["nodeSelector"]["sm-realtime/generation"] != second.inputs["agentPoolName"], owner.urn


def test_every_pool_waits_for_every_earlier_one() -> None:
    """One operation at a time is all that AKS does; what stands between two pools orders their deletion too."""

    def add(config: Json) -> None:
        for role in ("services", "inference", "transcribers"):
            pool = config["sm-realtime:pools"][role]
            pool.append({**pool[0], "number": 2, "state": "standby", "osDiskSizeGB": 300})

    pools = run_program("sandbox", add).of(NODE_POOL)
    assert len(pools) == 6
    for index, pool in enumerate(pools):
        assert {each.urn for each in pools[:index]} <= pool.dependencies


def looked_at(resource: Resource) -> Json:
    """The inputs in which the engine looks for changes."""
    return {key: value for key, value in resource.inputs.items() if key not in resource.ignore_changes}


def test_a_changed_image_tag_changes_only_what_carries_it(sandbox: Graph) -> None:
    def change(config: Json) -> None:
        config["sm-realtime:global"]["transcriber"] = {"image": {"tag": "13.5.1"}}

    before = {each.urn: looked_at(each) for each in sandbox.resources}
    after = run_program("sandbox", change).resources
    changed = {each.urn.rpartition("::")[2] for each in after if before[each.urn] != looked_at(each)}
    assert changed == {
        "transcribers-en", "transcribers-account", "inference-recipe1-group", "inference-recipe1-service",
    }  # fmt: skip
