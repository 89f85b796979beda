"""Redis beyond the contract: what keeps its data."""

from __future__ import annotations

from tests.unit.graph import Graph

STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"


def test_it_is_protected_because_a_replacement_would_delete_it_first(graph: Graph) -> None:
    assert graph.one(STATEFUL_SET).protect


def test_its_disk_is_named_whole(graph: Graph) -> None:
    (claim,) = graph.one(STATEFUL_SET).inputs["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "managed-csi"
    assert claim["spec"]["resources"]["requests"]["storage"] == "8Gi"


def test_loading_a_large_file_is_alive_but_not_ready(graph: Graph) -> None:
    (redis,) = graph.one(STATEFUL_SET).inputs["spec"]["template"]["spec"]["containers"]
    assert "LOADING" in redis["livenessProbe"]["exec"]["command"][-1]
    assert "LOADING" not in redis["readinessProbe"]["exec"]["command"][-1]


def test_it_is_not_evicted_by_the_autoscaler(graph: Graph) -> None:
    annotations = graph.one(STATEFUL_SET).inputs["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}


def test_its_service_is_awaited_after_its_pod(graph: Graph) -> None:
    service = graph.one("kubernetes:core/v1:Service", "realtime-redis-master")
    assert graph.one(STATEFUL_SET).urn in service.dependencies
