"""What an update is to the engine: in place or a replacement, and which comes first, as in azure-native."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto.provider_pb2 import PropertyDiff

from sandbox.azure import catalogue, differ
from sandbox.azure.catalogue import Kind
from tests.sandbox.azure_world import inputs

AGENT_POOL, CLUSTER = catalogue.AGENT_POOL, catalogue.MANAGED_CLUSTER

network = [
    "serviceCidr", "dnsServiceIP", "networkMode", "networkPlugin", "networkPluginMode", "podCidr", "networkDataplane",
    "networkPolicy", "outboundType",
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (AGENT_POOL, "vmSize"),
        (AGENT_POOL, "gpuInstanceProfile"),
        (AGENT_POOL, "agentPoolName"),
        (AGENT_POOL, "resourceName"),
        (AGENT_POOL, "resourceGroupName"),
        (CLUSTER, "dnsPrefix"),
        (CLUSTER, "nodeResourceGroup"),
        (CLUSTER, "diskEncryptionSetID"),
        (CLUSTER, "fqdnSubdomain"),
        (CLUSTER, "location"),
        *((CLUSTER, f"networkProfile.{name}") for name in network),
        (catalogue.PUBLIC_IP, "location"),
        (catalogue.PUBLIC_IP, "publicIPAddressVersion"),
        (catalogue.PUBLIC_IP, "sku.name"),
        (catalogue.RESOURCE_GROUP, "location"),
        (catalogue.ROLE_ASSIGNMENT, "principalId"),
        (catalogue.ROLE_ASSIGNMENT, "scope"),
    ],
)
def test_replaces_and_deletes_first(kind: Kind, path: str) -> None:
    old, new = at(path, "before"), at(path, "after")
    found = differ.difference(kind, old, new)
    assert found.replaces == [path]
    assert found.changes == {path: PropertyDiff.UPDATE_REPLACE}
    assert found.delete_before_replace


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (AGENT_POOL, "osDiskType"),
        (AGENT_POOL, "osDiskSizeGB"),
        (AGENT_POOL, "maxPods"),
        (AGENT_POOL, "gpuProfile.driver"),
        (AGENT_POOL, "vnetSubnetID"),
        (AGENT_POOL, "orchestratorVersion"),
        (AGENT_POOL, "nodeLabels.pool"),
        (AGENT_POOL, "count"),
        (CLUSTER, "kubernetesVersion"),
        (CLUSTER, "networkProfile.loadBalancerSku"),
        (CLUSTER, "agentPoolProfiles.vmSize"),
        (catalogue.PUBLIC_IP, "idleTimeoutInMinutes"),
        (catalogue.SUBNET, "addressPrefix"),
        (catalogue.VIRTUAL_NETWORK, "addressSpace.addressPrefixes"),
    ],
)
def test_goes_to_azure_in_place(kind: Kind, path: str) -> None:
    found = differ.difference(kind, at(path, "before"), at(path, "after"))
    assert found.changes == {path: PropertyDiff.UPDATE}
    assert found.replaces == []
    assert not found.delete_before_replace


def at(path: str, value: Any) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    return {head: at(rest, value)} if rest else {head: value}


def test_unchanged_inputs_have_no_difference() -> None:
    assert differ.difference(AGENT_POOL, inputs(AGENT_POOL), inputs(AGENT_POOL)).changes == {}


def test_only_a_randomly_named_resource_is_created_first() -> None:
    flag = {differ.CREATE_BEFORE_DELETE: True}
    old, new = {"location": "a", **flag}, {"location": "b", **flag}
    found = differ.difference(catalogue.RESOURCE_GROUP, old, new)
    assert found.replaces == ["location"]
    assert not found.delete_before_replace


def test_spelling_of_a_location_is_no_change() -> None:
    assert differ.difference(CLUSTER, {"location": "West Europe"}, {"location": "westeurope"}).changes == {}


def test_coming_and_going_items_have_their_kinds() -> None:
    old = {"nodeTaints": ["a", "b"], "nodeLabels": {"x.y/z": "1"}, "vmSize": "a"}
    new = {"nodeTaints": ["a"], "nodeLabels": {}, "maxPods": 30}
    assert differ.difference(AGENT_POOL, old, new).changes == {
        "nodeTaints[1]": PropertyDiff.DELETE,
        'nodeLabels["x.y/z"]': PropertyDiff.DELETE,
        "maxPods": PropertyDiff.ADD,
        "vmSize": PropertyDiff.DELETE_REPLACE,
    }


def test_true_is_not_one() -> None:
    assert differ.difference(AGENT_POOL, {"enableFIPS": True}, {"enableFIPS": 1}).changes != {}


def test_a_refresh_takes_over_only_what_changed_in_azure() -> None:
    given = {"count": 1, "nodeLabels": {"a": "1"}, "nodeTaints": ["x"]}
    before = {"count": 1, "nodeLabels": {"a": "1"}, "nodeTaints": ["x"], "osType": "Linux", "mode": "User"}
    now = {"count": 3, "nodeLabels": {"a": "1", "b": "2"}, "nodeTaints": ["x"], "osType": "Linux"}
    assert differ.fold_drift(given, before, now) == {
        "count": 3,
        "nodeLabels": {"a": "1", "b": "2"},
        "nodeTaints": ["x"],
    }


def test_a_refresh_adds_items_azure_added() -> None:
    folded = differ.fold_drift(
        {"l": [{"a": 1}]}, {"l": [{"a": 1, "d": 0}]}, {"l": [{"a": 1, "d": 0}, {"a": 2, "d": 0}]}
    )
    assert folded == {"l": [{"a": 1}, {"a": 2, "d": 0}]}


scalars = st.one_of(st.booleans(), st.integers(), st.sampled_from(["", "x", "y"]))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner)),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(["count", "vmSize", "nodeLabels", "upgradeSettings"]), values)

busy_machine = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@busy_machine
@given(objects, objects)
def test_a_difference_is_empty_exactly_when_nothing_differs(old: dict[str, Any], new: dict[str, Any]) -> None:
    def frozen(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: frozen(item) for name, item in value.items()}
        if isinstance(value, list):
            return [frozen(item) for item in value]
        return type(value).__name__, value

    assert bool(differ.difference(AGENT_POOL, old, new).changes) == (frozen(old) != frozen(new))


@busy_machine
@given(objects, objects)
def test_a_refresh_without_drift_keeps_the_inputs(given_inputs: dict[str, Any], state: dict[str, Any]) -> None:
    assert differ.fold_drift(given_inputs, state, state) == given_inputs
