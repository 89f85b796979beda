"""The Kubernetes provider's settings: each keeps an object from being replaced or forgotten."""

from __future__ import annotations

from tests.unit.graph import Graph
from tests.unit.secrets_api import kubeconfig


def test_provider_settings(sandbox: Graph) -> None:
    provider = sandbox.one("pulumi:providers:kubernetes").inputs
    assert provider["kubeconfig"] == kubeconfig()
    assert provider["clusterIdentifier"] == (
        "/subscriptions/5a6d2d72-6561-4c74-896d-650000000001/resourceGroups/speech-sandbox"
        "/providers/Microsoft.ContainerService/managedClusters/speech-sandbox"
    )
    assert provider["enableConfigMapMutable"] == "true"
    assert provider["enableSecretMutable"] == "true"
    assert provider["enableServerSideApply"] == "true"
    assert provider["upsertExistingObjects"] == "false"
    assert provider["deleteUnreachable"] == "false"
    assert "renderYamlToDirectory" not in provider


def test_the_identifier_is_no_function_of_anything_azure_answers(graph: Graph) -> None:
    """It must be the same while the cluster does not exist yet."""
    cluster = graph.one("azure-native:containerservice:ManagedCluster").inputs
    identifier = graph.one("pulumi:providers:kubernetes").inputs["clusterIdentifier"]
    assert identifier.endswith(f"/managedClusters/{cluster['resourceName']}")
