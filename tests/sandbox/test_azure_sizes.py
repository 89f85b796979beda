"""What AKS leaves of a machine for pods, against the table of its own documentation."""

from __future__ import annotations

import pytest

from sandbox.azure import nodes, sizes
from sandbox.azure.quantity import gib, parse, pod_requests


@pytest.mark.parametrize(
    ("name", "max_pods", "cpu", "memory_gib"),
    [
        ("Standard_NC4as_T4_v3", 30, 3860, 26.7),
        ("Standard_NC4as_T4_v3", 110, 3860, 25.1),
        ("Standard_NC4as_T4_v3", 250, 3860, 22.4),
        ("Standard_E16s_v5", 30, 15740, 124.8),
        ("Standard_E16s_v5", 110, 15740, 123.2),
        ("Standard_E16s_v5", 250, 15740, 120.5),
    ],
)
def test_allocatable_is_the_documented_one(name: str, max_pods: int, cpu: int, memory_gib: float) -> None:
    size = sizes.find(name)
    assert size is not None
    found = sizes.allocatable(size, max_pods, 128)
    assert parse(found["cpu"]) * 1000 == cpu
    assert round(float(parse(found["memory"])) / 2**30, 1) == memory_gib
    assert found["pods"] == str(max_pods)


@pytest.mark.parametrize(("cpus", "reserved"), [("D2s", 100), ("D4s", 140), ("D8s", 180), ("D16s", 260)])
def test_reserved_cpu_is_the_documented_one(cpus: str, reserved: int) -> None:
    size = sizes.find(f"Standard_{cpus}_v5")
    assert size is not None
    kept = parse(sizes.capacity(size, 110, 128)["cpu"]) - parse(sizes.allocatable(size, 110, 128)["cpu"])
    assert kept * 1000 == reserved


def test_at_most_a_quarter_of_the_memory_is_kept() -> None:
    size = sizes.Size("small", 2, 4 << 30)
    assert sizes.reserved_memory(size, 250) == (1 << 30) + (100 << 20)


def test_gpus_are_not_allocatable_without_a_plugin() -> None:
    size = sizes.find("standard_nc64as_t4_v3")
    assert size is not None
    assert size.gpus == 4
    assert not [name for name in sizes.allocatable(size, 30, 128) if "gpu" in name]


def test_node_names_count_in_base_36() -> None:
    cluster = nodes.Cluster("/subscriptions/s/c", "westeurope", "nodes", 1)
    found = [nodes.name(cluster, "gpu", index) for index in (0, 10, 35, 36)]
    assert [name.rsplit("-", 1)[1] for name in found] == ["vmss000000", "vmss00000a", "vmss00000z", "vmss000010"]
    assert len(cluster.digits) == 8


@pytest.mark.parametrize(
    ("text", "value"), [("1500m", 1.5), ("26Gi", 26 * 2**30), ("0.5", 0.5), ("1e3", 1000), ("2k", 2000), (3, 3)]
)
def test_quantities(text: str | int, value: float) -> None:
    assert parse(text) == value


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1KB", "1e"])
def test_no_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        parse(text)


@pytest.mark.parametrize(("text", "size"), [("1Gi", 1), ("1500Mi", 2), ("100M", 1), ("10Gi", 10)])
def test_disks_are_whole_gib(text: str, size: int) -> None:
    assert gib(text) == size


def test_a_pod_asks_for_the_most_it_ever_needs() -> None:
    def container(cpu: str, **more: object) -> dict[str, object]:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    spec = {
        "initContainers": [container("1"), container("500m", restartPolicy="Always"), container("3")],
        "containers": [container("2"), {"resources": {"limits": {"nvidia.com/gpu": "1"}}}],
        "overhead": {"cpu": "100m"},
    }
    asked = pod_requests({"spec": spec})
    assert {name: float(value) for name, value in asked.items()} == {"cpu": 3.6, "nvidia.com/gpu": 1, "pods": 1}
