"""The cluster: all that would replace it later, and what keeps AKS from touching nodes on its own."""

from __future__ import annotations

from tests.unit.graph import Graph, Json, run_program

CLUSTER = "azure-native:containerservice:ManagedCluster"


def test_what_replaces_the_cluster_is_decided(graph: Graph) -> None:
    cluster = graph.one(CLUSTER).inputs
    for given in ("dnsPrefix", "location", "nodeResourceGroup", "resourceGroupName", "resourceName"):
        assert cluster[given], given
    network = cluster["networkProfile"]
    assert {key: network[key] for key in network if key != "loadBalancerProfile"} == {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "networkDataplane": "cilium",
        "networkPolicy": "cilium",
        "podCidr": "10.244.0.0/16",
        "serviceCidr": "10.41.0.0/16",
        "dnsServiceIP": "10.41.0.10",
        "outboundType": "loadBalancer",
        "loadBalancerSku": "standard",
    }
    assert cluster["identity"] == {"type": "UserAssigned", "userAssignedIdentities": ["identity-identity-id"]}
    assert cluster["oidcIssuerProfile"] == {"enabled": True}
    assert cluster["securityProfile"] == {"workloadIdentity": {"enabled": True}}
    assert cluster["nodeResourceGroupProfile"] == {"restrictionLevel": "ReadOnly"}


def test_azure_upgrades_nothing_on_its_own(graph: Graph) -> None:
    profile = graph.one(CLUSTER).inputs["autoUpgradeProfile"]
    assert profile == {"upgradeChannel": "none", "nodeOSUpgradeChannel": "None"}


def test_budgets_are_never_overridden(graph: Graph) -> None:
    assert "upgradeSettings" not in graph.one(CLUSTER).inputs


def test_the_autoscaler_lets_a_session_end() -> None:
    """The ingress controller's pods have 30 s more than the longest session."""

    def hour(config: Json) -> None:
        config["sm-realtime:sessions"] = {"maxDurationSeconds": 3600}

    profile = run_program("sandbox", hour).one(CLUSTER).inputs["autoScalerProfile"]
    assert profile["maxGracefulTerminationSec"] == "3630"
    assert profile["skipNodesWithLocalStorage"] == "true"
    assert profile["daemonsetEvictionForOccupiedNodes"] is False


def test_only_the_system_pool_is_inline_and_it_takes_nothing_of_ours(graph: Graph) -> None:
    cluster = graph.one(CLUSTER)
    (pool,) = cluster.inputs["agentPoolProfiles"]
    assert (pool["name"], pool["mode"]) == ("system", "System")
    assert pool["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
    assert pool["minCount"] >= 2
    assert cluster.ignore_changes == ("agentPoolProfiles",)


def test_everyone_may_reach_the_api_server_only_where_nobody_is_named(sandbox: Graph) -> None:
    assert "apiServerAccessProfile" not in sandbox.one(CLUSTER).inputs

    def named(config: Json) -> None:
        config["sm-realtime:azure"]["authorizedIpRanges"] = ["203.0.113.0/24"]

    profile = run_program("sandbox", named).one(CLUSTER).inputs["apiServerAccessProfile"]
    assert profile == {"authorizedIPRanges": ["203.0.113.0/24"]}


def test_a_request_of_the_cluster_names_the_version_of_no_pool(graph: Graph) -> None:
    """Of some it may not, or no newer version of the control plane is taken; the other pools are no part of it."""
    cluster = graph.one(CLUSTER).inputs
    assert cluster["kubernetesVersion"] == "1.35.9"
    assert all("orchestratorVersion" not in pool for pool in cluster["agentPoolProfiles"])
