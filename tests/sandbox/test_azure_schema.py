"""Inputs against the SDK's own types, and ids and names against ours."""

from __future__ import annotations

import enum
import importlib
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pulumi._types import is_input_type

from sandbox.azure import catalogue, ids, names, preview, schema
from sandbox.azure.catalogue import KINDS, Kind
from sandbox.azure.errors import ProviderError
from sandbox.home import CHECKOUT
from sandbox.rpc import UNKNOWN
from tests.sandbox.azure_world import INPUTS, inputs

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.label)


TWO_THREADS = """
import threading
from sandbox.azure.catalogue import KINDS

together = threading.Barrier(2)

def look(name):
    together.wait()
    for kind in KINDS.values():
        getattr(kind, name)

other = threading.Thread(target=look, args=("resource_type",))
other.start()
look("args_type")
other.join()
"""


def test_two_threads_may_look_at_the_sdk_for_the_first_time_at_once() -> None:
    """The plane looks ahead in a thread of its own while the first request comes in."""
    done = subprocess.run(
        [sys.executable, "-c", TWO_THREADS], cwd=CHECKOUT, stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@every_kind
def test_token_and_api_version_are_the_sdks(kind: Kind) -> None:
    assert kind.resource_type.__dict__["pulumi_type"] == kind.token
    year, month, day = kind.api_version.split("-")
    assert (len(year), len(month), len(day)) == (4, 2, 2)


@every_kind
def test_id_is_made_of_inputs_the_sdk_has(kind: Kind) -> None:
    assert set(kind.path_inputs) <= schema.properties(kind.args_type).keys()


@every_kind
def test_replacing_properties_are_inputs_the_sdk_has(kind: Kind) -> None:
    for path in kind.replaces:
        args: type[object] = kind.args_type
        for step in path.split("."):
            known = schema.properties(args)
            assert step in known, path
            nested = [choice for choice in schema.alternatives(known[step]) if isinstance(choice, type)]
            args = nested[0] if nested and is_input_type(nested[0]) else object


def nested_types(args_type: type[object], seen: set[type[object]]) -> Iterator[tuple[str, object]]:
    if args_type in seen:
        return
    seen.add(args_type)
    for name, type_ in schema.properties(args_type).items():
        for choice in schema.alternatives(type_):
            yield f"{args_type.__name__}.{name}", choice
            for inner in getattr(choice, "__args__", (choice,)):
                for nested in schema.alternatives(inner):
                    if isinstance(nested, type) and is_input_type(nested):
                        yield from nested_types(nested, seen)


@every_kind
def test_every_type_of_every_property_can_be_checked(kind: Kind) -> None:
    """No type of the SDK is unknown to the check: a wrong value is refused at every depth."""

    class Wrong:
        """A value of no JSON type."""

    for where, type_ in nested_types(kind.args_type, set()):
        assert schema._check_value(type_, Wrong(), where), f"{where} takes anything"


@every_kind
def test_good_inputs_have_no_problem(kind: Kind) -> None:
    given = inputs(kind) | ({"principalId": "p"} if kind is catalogue.ROLE_ASSIGNMENT else {})
    assert schema.check(kind.args_type, given) == []
    assert names.check(kind.label, given) == []


@every_kind
def test_required_properties_are_required(kind: Kind) -> None:
    for name in schema.required(kind.args_type):
        lacking = {key: value for key, value in INPUTS[kind.token].items() if key != name}
        assert (name, f"missing required property '{name}'") in schema.check(kind.args_type, lacking)


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"vmsize": "x"}, "vmsize", "AgentPool has no property 'vmsize'"),
        ({"count": "1"}, "count", "'count' should be of type 'integer' but got a string"),
        ({"count": 1.5}, "count", "'count' should be of type 'integer' but got a number"),
        ({"enableAutoScaling": "true"}, "enableAutoScaling", "type 'boolean' but got a string"),
        ({"osDiskType": "ephemeral"}, "osDiskType", "which is none of Managed, Ephemeral"),
        ({"nodeTaints": "a=b:NoSchedule"}, "nodeTaints", "type 'array' but got a string"),
        ({"nodeTaints": [1]}, "nodeTaints[0]", "type 'string' but got a number"),
        ({"nodeLabels": {"a": True}}, "nodeLabels.a", "type 'string' but got a boolean"),
        ({"upgradeSettings": {"maxSurge": 1}}, "upgradeSettings.maxSurge", "type 'string' but got a number"),
        ({"upgradeSettings": {"drainTimeout": 5}}, "upgradeSettings.drainTimeout", "has no property 'drainTimeout'"),
        ({"gpuProfile": {"driver": "install"}}, "gpuProfile.driver", "which is none of Install, None"),
    ],
)
def test_a_wrong_input_is_refused_with_its_path(changes: dict[str, object], path: str, reason: str) -> None:
    problems = schema.check(catalogue.AGENT_POOL.args_type, inputs(catalogue.AGENT_POOL, **changes))
    assert [where for where, _ in problems] == [path]
    assert reason in problems[0][1]


def test_nested_arrays_are_checked() -> None:
    pool = {"name": "system", "mode": "system", "count": 1}
    given = inputs(catalogue.MANAGED_CLUSTER, agentPoolProfiles=[pool, {"mode": "User"}])
    problems = dict(schema.check(catalogue.MANAGED_CLUSTER.args_type, given))
    assert set(problems) == {"agentPoolProfiles[0].mode", "agentPoolProfiles[1].name"}


def test_a_value_the_sdk_lacks_is_taken() -> None:
    assert schema.check(catalogue.AGENT_POOL.args_type, inputs(catalogue.AGENT_POOL, osSKU="Ubuntu2404")) == []
    skus: type[enum.Enum] = importlib.import_module("pulumi_azure_native.containerservice").OSSKU
    assert "Ubuntu2404" not in {sku.value for sku in skus}, "the SDK has it now: drop it from BEYOND_THE_ENUM"


def test_unknown_values_are_not_judged() -> None:
    given = inputs(catalogue.AGENT_POOL, count=UNKNOWN, vnetSubnetID=UNKNOWN, nodeTaints=[UNKNOWN])
    assert schema.check(catalogue.AGENT_POOL.args_type, given) == []


@pytest.mark.parametrize(
    ("label", "name", "good", "bad"),
    [
        ("AgentPool", "agentPoolName", ["a", "gpu01abcde12"], ["", "gpu01abcde123", "1gpu", "Gpu", "gpu-1"]),
        ("ManagedCluster", "resourceName", ["a", "speech_aks-1"], ["-a", "a-", "a.b", "x" * 64]),
        ("ManagedCluster", "dnsPrefix", ["a", "speech-1"], ["a_b", "-a", "x" * 55]),
        ("ResourceGroup", "resourceGroupName", ["a(b)-c.d_e"], ["a.", "a/b", "x" * 91]),
        ("UserAssignedIdentity", "resourceName", ["abc"], ["ab", "-abc", "x" * 129]),
        ("PublicIPAddress", "publicIpAddressName", ["a", "a.b-c_"], ["_a", "a-", "x" * 81]),
        ("VirtualNetwork", "virtualNetworkName", ["ab"], ["a", "x" * 65]),
        ("MaintenanceConfiguration", "configName", ["default"], ["mine"]),
        ("RoleAssignment", "roleAssignmentName", ["6f6c7e0a-64c5-4d2b-9d7a-0a8f53b4a001"], ["network"]),
        ("ManagementLockByScope", "lockName", ["keep the address"], ["a/b", "a.", "x" * 91]),
    ],
)
def test_name_rules(label: str, name: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if names.problem(label, name, value)] == []
    assert [value for value in bad if not names.problem(label, name, value)] == []


@every_kind
def test_every_kinds_own_name_has_a_rule(kind: Kind) -> None:
    assert (kind.label, kind.name_input) in names.RULES


def test_inline_names_are_judged_too() -> None:
    given = inputs(catalogue.MANAGED_CLUSTER, agentPoolProfiles=[{"name": "System-1"}])
    assert [path for path, _ in names.check("ManagedCluster", given)] == ["agentPoolProfiles[0].name"]


def test_ids_are_built_and_read_back() -> None:
    given = inputs(catalogue.AGENT_POOL)
    resource_id = catalogue.AGENT_POOL.build_id(given)
    assert resource_id.startswith(
        ids.SUBSCRIPTION_SCOPE + "/resourceGroups/speech/providers/Microsoft.ContainerService/"
    )
    assert catalogue.AGENT_POOL.parse_id(resource_id.replace("resourceGroups", "resourcegroups")) == {
        name: given[name] for name in catalogue.AGENT_POOL.path_inputs
    }
    with pytest.raises(ProviderError, match="is no id of a azure-native:containerservice:AgentPool"):
        catalogue.AGENT_POOL.parse_id(resource_id + "/more")


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(ProviderError, match="does not know the resource type azure-native:storage:StorageAccount"):
        catalogue.kind_of("urn:pulumi:s::p::azure-native:storage:StorageAccount::x")


def test_a_type_below_a_component_is_found() -> None:
    urn = "urn:pulumi:s::p::sm-realtime:azure:Network$azure-native:network:Subnet::nodes"
    assert catalogue.kind_of(urn) is catalogue.SUBNET


def test_preview_knows_what_was_given_and_nothing_else() -> None:
    planned = preview.outputs(catalogue.AGENT_POOL, inputs(catalogue.AGENT_POOL, gpuProfile={}))
    assert planned["vmSize"] == "Standard_NC4as_T4_v3"
    assert planned["nodeTaints"] == ["sku=gpu:NoSchedule"]
    assert planned["gpuProfile"]["driver"] == UNKNOWN
    assert planned["provisioningState"] == UNKNOWN
    assert "resourceGroupName" not in planned


def test_input_shape_drops_what_azure_only_answers() -> None:
    identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
    state = {
        "fqdn": "x",
        "provisioningState": "Succeeded",
        "dnsPrefix": "speech",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {"clientId": "c"}}},
        "agentPoolProfiles": [{"name": "system", "provisioningState": "Succeeded", "count": 2}],
    }
    assert schema.input_shape(catalogue.MANAGED_CLUSTER.args_type, state) == {
        "dnsPrefix": "speech",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity]},
        "agentPoolProfiles": [{"name": "system", "count": 2}],
    }
