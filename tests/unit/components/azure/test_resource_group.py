"""The resource group's name is the configuration's, so that a hook can read the cluster without the state."""

from __future__ import annotations

from tests.unit.graph import Graph


def test_name_and_place_are_the_configurations(sandbox: Graph) -> None:
    group = sandbox.one("azure-native:resources:ResourceGroup")
    assert group.inputs == {"resourceGroupName": "speech-sandbox", "location": "westeurope"}
