"""One generation of a pool: its name carries what is immutable, its nodes say whose they are."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.azure.node_pool import immutable, node_labels, pool_name
from stacks.schema.pools import PREFIX, Generation, InferenceGeneration, Pool, Role
from tests.unit.graph import Graph

POOL = "azure-native:containerservice:AgentPool"
SUBNET = "10.40.0.0/22"
BASE: dict[str, Any] = {"number": 1, "state": "active", "kubernetesVersion": "1.35.4"}


OWN = Pool(Role.INFERENCE, None, "pools.inference", ())


def generation(**over: Any) -> Generation:
    return InferenceGeneration.model_validate_json(json.dumps(BASE | over))


@pytest.mark.parametrize(
    "over",
    [
        {"vmSize": "Standard_NC8as_T4_v3"},
        {"osDiskType": "Managed"},
        {"osDiskSizeGB": 128},
        {"zones": ["1"]},
        {"maxPods": 31},
        {"gpuDriver": "None"},
        {"kubernetesVersion": "1.35.9"},
        {"number": 2},
    ],
)
def test_what_is_immutable_changes_the_name(over: dict[str, Any]) -> None:
    assert pool_name(OWN, generation(**over), SUBNET) != pool_name(OWN, generation(), SUBNET)


def test_another_subnet_changes_the_name() -> None:
    assert pool_name(OWN, generation(), "10.40.4.0/22") != pool_name(OWN, generation(), SUBNET)


@pytest.mark.parametrize("over", [{"state": "draining"}, {"minCount": 2}, {"maxCount": 9}, {"zones": ["3", "1", "2"]}])
def test_what_can_change_in_place_does_not(over: dict[str, Any]) -> None:
    assert pool_name(OWN, generation(**over), SUBNET) == pool_name(OWN, generation(), SUBNET)


@given(st.sampled_from(list(Role)), st.integers(1, 99), st.integers(10, 250))
def test_a_name_is_what_aks_takes(role: Role, number: int, max_pods: int) -> None:
    name = pool_name(Pool(role, None, "", ()), generation(number=number, maxPods=max_pods), SUBNET)
    assert re.fullmatch("[a-z][a-z0-9]{0,11}", name)
    assert name.startswith(f"{PREFIX[role]}{number:02d}")


def test_the_name_covers_every_field_that_is_not_about_now() -> None:
    """A new field of a generation is either in the name or known to be changeable."""
    changeable = {"number", "state", "min_count", "max_count"}
    covered = {"vm_size", "os_disk_type", "os_disk_size_gb", "zones", "max_pods", "gpu_driver", "kubernetes_version"}
    assert set(Generation.model_fields) == changeable | covered
    assert len(immutable(generation(), SUBNET)) == len(covered) + 1


def test_only_service_nodes_take_traffic_from_outside() -> None:
    excluded = "node.kubernetes.io/exclude-from-external-load-balancers"
    assert {role for role in Role if excluded not in node_labels(role, "p")} == {Role.SERVICES}


def test_an_upgrade_waits_as_long_as_aks_can_and_keeps_the_node_then(graph: Graph) -> None:
    for each in graph.of(POOL):
        assert each.inputs["upgradeSettings"] == {
            "maxSurge": "1",
            "maxUnavailable": "0",
            "drainTimeoutInMinutes": 1440,
            "nodeSoakDurationInMinutes": 0,
            "undrainableNodeBehavior": "Cordon",
        }


def test_a_pool_is_never_deleted_to_be_replaced_and_its_size_is_the_autoscalers(graph: Graph) -> None:
    for each in graph.of(POOL):
        assert each.delete_before_replace is False
        assert each.ignore_changes == ("count",)
        assert each.inputs["enableAutoScaling"] is True
        assert each.inputs["mode"] == "User"


def test_the_gpu_pool_has_its_driver_and_a_local_disk(graph: Graph) -> None:
    (gpu,) = [e.inputs for e in graph.of(POOL) if e.inputs["nodeLabels"]["sm-realtime/pool"] == "inference"]
    assert gpu["gpuProfile"] == {"driver": "Install"}
    assert (gpu["vmSize"], gpu["osDiskType"], gpu["maxPods"]) == ("Standard_NC4as_T4_v3", "Ephemeral", 30)
    assert gpu["nodeTaints"] == ["sku=gpu:NoSchedule"]
