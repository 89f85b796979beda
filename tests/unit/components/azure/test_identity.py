"""The identity and the names of its roles."""

from __future__ import annotations

from uuid import UUID

from components.azure.identity import NETWORK_CONTRIBUTOR, role_assignment_name, role_definition_id
from tests.unit.graph import Graph

ROLE = "azure-native:authorization:RoleAssignment"


def test_a_role_assignments_name_is_a_uuid_of_its_own() -> None:
    first, second = role_assignment_name("/cluster", "subnet"), role_assignment_name("/cluster", "address")
    assert UUID(first) != UUID(second)
    assert role_assignment_name("/cluster", "subnet") == first
    assert role_assignment_name("/other", "subnet") != first


def test_a_role_definition_is_named_as_azure_names_it() -> None:
    assert role_definition_id("sub", NETWORK_CONTRIBUTOR) == (
        "/subscriptions/sub/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
    )


def test_the_cluster_is_network_contributor_on_subnet_and_address_and_nothing_else(graph: Graph) -> None:
    roles = graph.of(ROLE)
    assert {each.inputs["scope"] for each in roles} == {"network-nodes-id", "address-ip-id"}
    for each in roles:
        assert each.inputs["roleDefinitionId"].endswith(NETWORK_CONTRIBUTOR)
        assert each.inputs["principalType"] == "ServicePrincipal"
        assert each.inputs["principalId"] == "11111111-2222-3333-4444-555555555555"
