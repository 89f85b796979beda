"""The provider over its protocol, and the resource manager behind it, without any cluster."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox import rpc
from sandbox.azure import catalogue, differ, ids
from sandbox.azure.store import Record, Store
from sandbox.home import Home
from tests.sandbox.azure_world import (
    ADDRESS_ID,
    CLUSTER_ID,
    GROUP,
    GROUP_ID,
    IDENTITY_ID,
    SUBNET_ID,
    VNET_ID,
    Engine,
    NoClusters,
    RefusedError,
    base,
    inputs,
    serving,
)

LOCK, PUBLIC_IP, ROLE = catalogue.LOCK, catalogue.PUBLIC_IP, catalogue.ROLE_ASSIGNMENT
SUBNET, VNET, GROUP_KIND = catalogue.SUBNET, catalogue.VIRTUAL_NETWORK, catalogue.RESOURCE_GROUP


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
async def engine(home: Home) -> AsyncIterator[Engine]:
    async with serving(home, NoClusters()) as (found, _):
        yield found


async def test_create_refuses_what_exists(engine: Engine) -> None:
    resource_id, _ = await engine.create(GROUP_KIND, inputs(GROUP_KIND))
    with pytest.raises(RefusedError) as refused:
        await engine.create(GROUP_KIND, inputs(GROUP_KIND, resourceGroupName=GROUP.upper()))
    shouted = resource_id.replace("/speech", "/SPEECH")
    assert str(refused.value) == f"cannot create already existing resource '{shouted}'"


async def test_a_region_must_exist(engine: Engine) -> None:
    with pytest.raises(
        RefusedError, match=r"'westeuropa' is not available for resource type 'Microsoft\.Resources/resourceGroups'"
    ):
        await engine.create(GROUP_KIND, inputs(GROUP_KIND, location="West Europa"))
    _, state = await engine.create(GROUP_KIND, inputs(GROUP_KIND, location="West Europe"))
    assert state["location"] == "westeurope"


async def test_outputs_are_named_as_the_sdk_names_them(engine: Engine) -> None:
    principal = await base(engine)
    _, address = await engine.create(PUBLIC_IP, inputs(PUBLIC_IP, publicIpAddressName="second"))
    known = rpc.from_struct((await engine.read(PUBLIC_IP, ADDRESS_ID, inputs(PUBLIC_IP), {})).properties)
    assert address["ipAddress"] != known["ipAddress"]
    assert known["provisioningState"] == "Succeeded"
    assert known["azureApiVersion"] == PUBLIC_IP.api_version
    _, role = await engine.create(ROLE, inputs(ROLE, principalId=principal))
    assert role["scope"] == ADDRESS_ID


async def test_a_group_must_exist(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        await engine.create(PUBLIC_IP, inputs(PUBLIC_IP))
    text = "Resource group 'speech' could not be found."
    assert str(refused.value) == f'Status=404 Code="ResourceGroupNotFound" Message="{text}"'


async def test_a_parent_must_exist(engine: Engine) -> None:
    await engine.create(GROUP_KIND, inputs(GROUP_KIND))
    with pytest.raises(RefusedError, match=r'^Status=404 Code="ParentResourceNotFound"') as refused:
        await engine.create(catalogue.AGENT_POOL, inputs(catalogue.AGENT_POOL))
    assert f"type 'managedClusters/agentPools', because the parent resource '{CLUSTER_ID}'" in str(refused.value)
    with pytest.raises(RefusedError, match="ParentResourceNotFound"):
        await engine.create(SUBNET, inputs(SUBNET))


async def test_credentials_of_no_cluster_are_a_404(engine: Engine) -> None:
    for code in ("ResourceGroupNotFound", "ResourceNotFound"):
        with pytest.raises(RefusedError) as refused:
            await engine.invoke(catalogue.USER_CREDENTIALS, resourceGroupName=GROUP, resourceName="none")
        path = f"{GROUP_ID}/providers/Microsoft.ContainerService/managedClusters/none/listClusterUserCredential"
        assert str(refused.value).startswith(f'request failed {path}: Status=404 Code="{code}" Message="')
        if code == "ResourceGroupNotFound":
            await engine.create(GROUP_KIND, inputs(GROUP_KIND))


async def test_unknown_functions_and_arguments_are_refused(engine: Engine) -> None:
    with pytest.raises(RefusedError, match="does not know the function azure-native:authorization:getClientConfig"):
        await engine.invoke("azure-native:authorization:getClientConfig")
    with pytest.raises(RefusedError) as refused:
        await engine.invoke(catalogue.USER_CREDENTIALS, resourceGroupName=GROUP, name="x")
    assert str(refused.value) == "unknown argument 'name'; missing required property 'resourceName'"


async def test_check_names_every_problem(engine: Engine) -> None:
    _, failures = await engine.check(SUBNET, inputs(SUBNET, addresPrefix="x", virtualNetworkName=None))
    assert failures == [
        "missing required property 'virtualNetworkName'",
        "unknown property 'addresPrefix': Subnet has no property 'addresPrefix'",
    ]


async def test_check_fills_in_name_location_and_version(engine: Engine) -> None:
    checked, failures = await engine.check(GROUP_KIND, {}, name="speech")
    assert failures == []
    assert checked["location"] == "westeurope"
    assert checked["azureApiVersion"] == "2024-03-01"
    assert checked["resourceGroupName"].startswith("speech")
    assert len(checked["resourceGroupName"]) == len("speech") + 8
    assert checked[differ.CREATE_BEFORE_DELETE] is True
    again, _ = await engine.check(GROUP_KIND, {}, olds=checked, name="speech")
    assert again == checked


async def test_a_child_is_named_as_its_resource(engine: Engine) -> None:
    checked, _ = await engine.check(SUBNET, inputs(SUBNET, subnetName=None), name="nodes")
    assert checked["subnetName"] == "nodes"
    assert differ.CREATE_BEFORE_DELETE not in checked


async def test_an_explicit_provider_has_its_own_location_only(engine: Engine) -> None:
    await engine.configure()
    _, failures = await engine.check(GROUP_KIND, {"resourceGroupName": GROUP})
    assert len(failures) == 1
    assert failures[0].startswith("missing required property 'location'")


async def test_a_resource_takes_its_groups_location(engine: Engine) -> None:
    await engine.create(GROUP_KIND, inputs(GROUP_KIND, location="northeurope"))
    await engine.configure()
    checked, failures = await engine.check(PUBLIC_IP, inputs(PUBLIC_IP, location=None))
    assert failures == []
    assert checked["location"] == "northeurope"


async def test_a_resource_keeps_its_location_when_the_providers_changes(engine: Engine) -> None:
    olds = inputs(GROUP_KIND, location="northeurope")
    checked, _ = await engine.check(GROUP_KIND, inputs(GROUP_KIND, location=None), olds=olds)
    assert checked["location"] == "northeurope"


async def test_another_subscription_does_not_exist(engine: Engine) -> None:
    await engine.configure(subscriptionId=ids.SUBSCRIPTION_ID)
    with pytest.raises(RefusedError, match=r'^Status=404 Code="SubscriptionNotFound"'):
        await engine.configure(subscriptionId="00000000-0000-0000-0000-000000000000")


async def test_a_preview_makes_nothing(engine: Engine, home: Home) -> None:
    resource_id, state = await engine.create(PUBLIC_IP, inputs(PUBLIC_IP), preview=True)
    assert resource_id == ""
    assert state["ipAddress"] == rpc.UNKNOWN
    assert state["sku"] == {"name": "Standard", "tier": "Regional"}
    assert not home.azure.exists()


async def test_an_update_changes_and_a_gone_resource_is_gone(engine: Engine) -> None:
    await base(engine)
    olds = inputs(PUBLIC_IP)
    state = await engine.update(PUBLIC_IP, ADDRESS_ID, olds, olds | {"idleTimeoutInMinutes": 30})
    assert (state["idleTimeoutInMinutes"], state["ipAddress"]) == (30, "203.0.113.1")
    await engine.delete(PUBLIC_IP, ADDRESS_ID)
    await engine.delete(PUBLIC_IP, ADDRESS_ID)
    assert (await engine.read(PUBLIC_IP, ADDRESS_ID, olds, state)).id == ""


async def test_a_network_keeps_subnets_it_does_not_name(engine: Engine) -> None:
    await base(engine)
    state = await engine.update(VNET, VNET_ID, inputs(VNET), inputs(VNET, tags={"a": "b"}))
    assert [subnet["name"] for subnet in state["subnets"]] == ["nodes"]
    read = await engine.read(VNET, VNET_ID, inputs(VNET), state)
    assert "subnets" not in rpc.from_struct(read.inputs)
    with pytest.raises(RefusedError, match="outside the IP address range"):
        await engine.update(
            VNET, VNET_ID, inputs(VNET), inputs(VNET, addressSpace={"addressPrefixes": ["10.0.0.0/16"]})
        )


async def test_inline_subnets_come_and_go(engine: Engine) -> None:
    await engine.create(GROUP_KIND, inputs(GROUP_KIND))
    one, two = {"name": "one", "addressPrefix": "10.224.0.0/24"}, {"name": "two", "addressPrefix": "10.224.1.0/24"}
    await engine.create(VNET, inputs(VNET, subnets=[one, two]))
    state = await engine.update(VNET, VNET_ID, inputs(VNET), inputs(VNET, subnets=[two]))
    assert [subnet["name"] for subnet in state["subnets"]] == ["two"]
    with pytest.raises(RefusedError, match="cannot create already existing"):
        await engine.create(SUBNET, inputs(SUBNET, subnetName="two"))


async def test_a_lock_holds_the_resource_and_what_lies_on_it(engine: Engine) -> None:
    principal = await base(engine)
    role_id, _ = await engine.create(ROLE, inputs(ROLE, principalId=principal))
    lock_id, _ = await engine.create(LOCK, inputs(LOCK))
    for kind, resource_id in ((PUBLIC_IP, ADDRESS_ID), (ROLE, role_id), (GROUP_KIND, GROUP_ID)):
        with pytest.raises(RefusedError) as refused:
            await engine.delete(kind, resource_id)
        message = (
            f"The scope '{resource_id}' cannot perform delete operation because following scope(s) are locked: "
            f"'{ADDRESS_ID}'. Please remove the lock and try again."
        )
        assert str(refused.value) == f'Status=409 Code="ScopeLocked" Message="{message}"'
    await engine.update(PUBLIC_IP, ADDRESS_ID, inputs(PUBLIC_IP), inputs(PUBLIC_IP, tags={"a": "b"}))
    await engine.delete(LOCK, lock_id)
    await engine.delete(ROLE, role_id)
    await engine.delete(PUBLIC_IP, ADDRESS_ID)


async def test_a_read_only_lock_on_the_group_forbids_changes_in_it(engine: Engine) -> None:
    await base(engine)
    await engine.create(LOCK, inputs(LOCK, scope=GROUP_ID, level="ReadOnly"))
    with pytest.raises(RefusedError, match="cannot perform write operation"):
        await engine.update(PUBLIC_IP, ADDRESS_ID, inputs(PUBLIC_IP), inputs(PUBLIC_IP, tags={"a": "b"}))
    with pytest.raises(RefusedError, match="cannot perform delete operation"):
        await engine.delete(SUBNET, SUBNET_ID)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"principalId": "11111111-1111-4111-8111-111111111111"}, "PrincipalNotFound"),
        ({"principalType": "User"}, "UnmatchedPrincipalType"),
        ({"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/x"}, "RoleDefinitionDoesNotExist"),
        ({"roleDefinitionId": "4d97b98b-1d4f-4787-a291-c67834d212e7"}, "InvalidRoleDefinitionId"),
        ({"scope": ADDRESS_ID + "x"}, "ResourceNotFound"),
        ({"scope": "/subscriptions/another/resourceGroups/x"}, "SubscriptionNotFound"),
    ],
)
async def test_refused_roles(engine: Engine, changes: dict[str, str], code: str) -> None:
    principal = await base(engine)
    with pytest.raises(RefusedError, match=f'Code="{code}"'):
        await engine.create(ROLE, inputs(ROLE, **({"principalId": principal} | changes)))


async def test_the_same_role_is_assigned_once(engine: Engine) -> None:
    principal = await base(engine)
    await engine.create(ROLE, inputs(ROLE, principalId=principal))
    other = inputs(ROLE, principalId=principal, roleAssignmentName="6f6c7e0a-64c5-4d2b-9d7a-0a8f53b4a002")
    with pytest.raises(RefusedError, match='Status=409 Code="RoleAssignmentExists"'):
        await engine.create(ROLE, other)


async def test_a_group_takes_everything_with_it(engine: Engine, home: Home) -> None:
    principal = await base(engine)
    await engine.create(ROLE, inputs(ROLE, principalId=principal))
    await engine.delete(GROUP_KIND, GROUP_ID)
    assert json.loads(home.azure.read_text()) == {"resources": []}


async def test_everything_survives_a_restart(home: Home) -> None:
    async with serving(home, NoClusters()) as (engine, _):
        await base(engine)
        await engine.create(LOCK, inputs(LOCK))
        before = await engine.read(PUBLIC_IP, ADDRESS_ID, inputs(PUBLIC_IP), {})
    async with serving(home, NoClusters()) as (engine, _):
        after = await engine.read(PUBLIC_IP, ADDRESS_ID, inputs(PUBLIC_IP), {})
        assert rpc.from_struct(after.properties) == rpc.from_struct(before.properties)
        with pytest.raises(RefusedError, match="ScopeLocked"):
            await engine.delete(PUBLIC_IP, ADDRESS_ID)
        with pytest.raises(RefusedError, match="already existing"):
            await engine.create(PUBLIC_IP, inputs(PUBLIC_IP))


async def test_an_import_finds_the_inputs(engine: Engine) -> None:
    await base(engine)
    read = await engine.read(PUBLIC_IP, ADDRESS_ID, {}, {})
    found = rpc.from_struct(read.inputs)
    assert found["publicIpAddressName"] == "ingress"
    assert found["resourceGroupName"] == GROUP
    assert found["sku"] == {"name": "Standard", "tier": "Regional"}
    assert not {"id", "name", "provisioningState"} & found.keys()


async def test_a_role_and_identity_outlive_each_other_as_in_azure(engine: Engine) -> None:
    principal = await base(engine)
    role_id, state = await engine.create(ROLE, inputs(ROLE, principalId=principal))
    await engine.delete(catalogue.IDENTITY, IDENTITY_ID)
    assert (await engine.read(ROLE, role_id, inputs(ROLE), state)).id == role_id
    _, again = await engine.create(catalogue.IDENTITY, inputs(catalogue.IDENTITY))
    assert again["principalId"] != principal


async def test_unknown_provider_settings_are_refused(engine: Engine) -> None:
    request = provider_pb2.CheckRequest(news=rpc.to_struct({"location": "x", "locaton": "y"}))
    answer = await engine.call("CheckConfig", request)
    assert [failure.property for failure in answer.failures] == ["locaton"]


def test_what_could_not_be_written_has_not_happened(tmp_path: Path) -> None:
    store, folder = Store(tmp_path / "state" / "azure.json"), tmp_path / "state"
    first, second = Record("/a", "token", {}), Record("/b", "token", {})
    store.put(first)
    shutil.rmtree(folder)
    folder.write_text("in the way of the folder")
    with pytest.raises(OSError, match="state"):
        store.put(second)
    assert store.find("/b") is None
    with pytest.raises(OSError, match="state"):
        store.remove("/a")
    assert store.find("/a") is first
