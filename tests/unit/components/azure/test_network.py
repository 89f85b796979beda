"""Network and subnet."""

from __future__ import annotations

from tests.unit.graph import Graph


def test_network_and_subnet(sandbox: Graph) -> None:
    network = sandbox.one("azure-native:network:VirtualNetwork")
    subnet = sandbox.one("azure-native:network:Subnet")
    assert network.inputs["addressSpace"] == {"addressPrefixes": ["10.40.0.0/16"]}
    assert subnet.inputs["virtualNetworkName"] == network.inputs["virtualNetworkName"] == "speech-sandbox-vnet"
    assert subnet.inputs["addressPrefix"] == "10.40.0.0/22"


def test_the_subnet_in_azures_list_is_no_difference(graph: Graph) -> None:
    assert graph.one("azure-native:network:VirtualNetwork").ignore_changes == ("subnets",)


def test_the_cluster_waits_for_its_role_on_the_subnet(graph: Graph) -> None:
    cluster = graph.one("azure-native:containerservice:ManagedCluster")
    roles = {each.urn for each in graph.of("azure-native:authorization:RoleAssignment")}
    assert roles <= cluster.dependencies
