"""The device plugin runs on every generation of the GPU pool, not only on the active one."""

from __future__ import annotations

from tests.unit.graph import Graph


def test_it_runs_on_gpu_nodes_of_every_generation(graph: Graph) -> None:
    pod = graph.one("kubernetes:apps/v1:DaemonSet").inputs["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"sm-realtime/pool": "inference"}
    assert {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"} in pod["tolerations"]
    assert pod["priorityClassName"] == "system-node-critical"


def test_it_needs_no_privilege(graph: Graph) -> None:
    (plugin,) = graph.one("kubernetes:apps/v1:DaemonSet").inputs["spec"]["template"]["spec"]["containers"]
    assert plugin["image"] == "nvcr.io/nvidia/k8s-device-plugin:v0.20.0"
    assert plugin["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert plugin["volumeMounts"] == [{"name": "device-plugin", "mountPath": "/var/lib/kubelet/device-plugins"}]
