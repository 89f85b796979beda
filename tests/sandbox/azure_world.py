"""What the tests of the Azure stand-in share: a provider over gRPC, and inputs that Azure takes."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox import rpc
from sandbox.azure import Clusters, catalogue, ids
from sandbox.azure.catalogue import Kind
from sandbox.azure.provider import AzureProvider
from sandbox.home import Home

Json = dict[str, Any]

GROUP, CLUSTER, LOCATION = "speech", "speech-aks", "westeurope"
GROUP_ID = f"/subscriptions/{ids.SUBSCRIPTION_ID}/resourceGroups/{GROUP}"
VNET_ID = f"{GROUP_ID}/providers/Microsoft.Network/virtualNetworks/vnet"
SUBNET_ID = f"{VNET_ID}/subnets/nodes"
ADDRESS_ID = f"{GROUP_ID}/providers/Microsoft.Network/publicIPAddresses/ingress"
IDENTITY_ID = f"{GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/cluster"
CLUSTER_ID = f"{GROUP_ID}/providers/Microsoft.ContainerService/managedClusters/{CLUSTER}"
NETWORK_CONTRIBUTOR = (
    f"/subscriptions/{ids.SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/"
    "4d97b98b-1d4f-4787-a291-c67834d212e7"
)

SYSTEM_POOL: Json = {
    "name": "system",
    "mode": "System",
    "vmSize": "Standard_D4s_v5",
    "osDiskType": "Managed",
    "count": 1,
    "maxPods": 110,
    "nodeTaints": ["CriticalAddonsOnly=true:NoSchedule"],
    "vnetSubnetID": SUBNET_ID,
}

INPUTS: dict[str, Json] = {
    catalogue.RESOURCE_GROUP.token: {"resourceGroupName": GROUP, "location": LOCATION},
    catalogue.VIRTUAL_NETWORK.token: {
        "resourceGroupName": GROUP,
        "virtualNetworkName": "vnet",
        "location": LOCATION,
        "addressSpace": {"addressPrefixes": ["10.224.0.0/12"]},
    },
    catalogue.SUBNET.token: {
        "resourceGroupName": GROUP,
        "virtualNetworkName": "vnet",
        "subnetName": "nodes",
        "addressPrefix": "10.224.0.0/16",
    },
    catalogue.PUBLIC_IP.token: {
        "resourceGroupName": GROUP,
        "publicIpAddressName": "ingress",
        "location": LOCATION,
        "publicIPAllocationMethod": "Static",
        "sku": {"name": "Standard", "tier": "Regional"},
    },
    catalogue.IDENTITY.token: {"resourceGroupName": GROUP, "resourceName": "cluster", "location": LOCATION},
    catalogue.ROLE_ASSIGNMENT.token: {
        "scope": ADDRESS_ID,
        "roleAssignmentName": "6f6c7e0a-64c5-4d2b-9d7a-0a8f53b4a001",
        "principalType": "ServicePrincipal",
        "roleDefinitionId": NETWORK_CONTRIBUTOR,
    },
    catalogue.LOCK.token: {"scope": ADDRESS_ID, "lockName": "keep", "level": "CanNotDelete"},
    catalogue.MANAGED_CLUSTER.token: {
        "resourceGroupName": GROUP,
        "resourceName": CLUSTER,
        "location": LOCATION,
        "dnsPrefix": "speech",
        "kubernetesVersion": "1.35.9",
        "nodeResourceGroup": "speech-nodes",
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [IDENTITY_ID]},
        "agentPoolProfiles": [SYSTEM_POOL],
        "networkProfile": {
            "networkPlugin": "azure",
            "networkPluginMode": "overlay",
            "networkDataplane": "cilium",
            "networkPolicy": "cilium",
            "podCidr": "10.244.0.0/16",
            "serviceCidr": "10.0.0.0/16",
            "dnsServiceIP": "10.0.0.10",
            "outboundType": "loadBalancer",
        },
    },
    catalogue.AGENT_POOL.token: {
        "resourceGroupName": GROUP,
        "resourceName": CLUSTER,
        "agentPoolName": "gpu01abcde",
        "mode": "User",
        "vmSize": "Standard_NC4as_T4_v3",
        "osDiskType": "Ephemeral",
        "maxPods": 30,
        "count": 1,
        "enableAutoScaling": True,
        "minCount": 1,
        "maxCount": 3,
        "availabilityZones": ["1", "2"],
        "nodeTaints": ["sku=gpu:NoSchedule"],
        "nodeLabels": {"sm-realtime/pool": "inference"},
        "vnetSubnetID": SUBNET_ID,
        "gpuProfile": {"driver": "Install"},
    },
    catalogue.MAINTENANCE.token: {
        "resourceGroupName": GROUP,
        "resourceName": CLUSTER,
        "configName": "default",
        "maintenanceWindow": {
            "durationHours": 4,
            "startTime": "02:00",
            "schedule": {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 1}},
        },
    },
}
"""Inputs of one resource of every kind; a role assignment still lacks its `principalId`."""


def inputs(kind: Kind, **changes: Any) -> Json:
    """A copy of the kind's inputs with changes; a value of None takes the property out."""
    merged = copy.deepcopy(INPUTS[kind.token]) | changes
    return {name: value for name, value in merged.items() if value is not None}


class RefusedError(Exception):
    """The provider's refusal of a call."""


@dataclass
class Engine:
    """The engine's side of the protocol."""

    stub: provider_pb2_grpc.ResourceProviderStub

    @staticmethod
    def urn(kind: Kind, name: str = "thing") -> str:
        return f"urn:pulumi:test::sm-realtime::{kind.token}::{name}"

    async def call(self, method: str, request: Any) -> Any:
        try:
            return await getattr(self.stub, method)(request, timeout=120)
        except grpc.aio.AioRpcError as error:
            raise RefusedError(error.details()) from error

    async def configure(self, **args: Any) -> None:
        await self.call("Configure", provider_pb2.ConfigureRequest(args=rpc.to_struct(args)))

    async def check(
        self, kind: Kind, news: Json, olds: Json | None = None, name: str = "thing"
    ) -> tuple[Json, list[str]]:
        request = provider_pb2.CheckRequest(
            urn=self.urn(kind, name), news=rpc.to_struct(news), olds=rpc.to_struct(olds or {}), randomSeed=b"seed" * 8
        )
        answer = await self.call("Check", request)
        return rpc.from_struct(answer.inputs), [failure.reason for failure in answer.failures]

    async def create(self, kind: Kind, news: Json, *, preview: bool = False) -> tuple[str, Json]:
        """Check and create; the id and the state."""
        checked, failures = await self.check(kind, news)
        if failures:
            raise RefusedError("; ".join(failures))
        request = provider_pb2.CreateRequest(urn=self.urn(kind), properties=rpc.to_struct(checked), preview=preview)
        answer = await self.call("Create", request)
        return answer.id, rpc.from_struct(answer.properties)

    async def update(self, kind: Kind, resource_id: str, olds: Json, news: Json) -> Json:
        checked, failures = await self.check(kind, news, olds)
        if failures:
            raise RefusedError("; ".join(failures))
        request = provider_pb2.UpdateRequest(
            id=resource_id, urn=self.urn(kind), news=rpc.to_struct(checked), old_inputs=rpc.to_struct(olds)
        )
        return rpc.from_struct((await self.call("Update", request)).properties)

    async def diff(self, kind: Kind, olds: Json, news: Json) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(urn=self.urn(kind), old_inputs=rpc.to_struct(olds), news=rpc.to_struct(news))
        answer: provider_pb2.DiffResponse = await self.call("Diff", request)
        return answer

    async def delete(self, kind: Kind, resource_id: str) -> None:
        await self.call("Delete", provider_pb2.DeleteRequest(id=resource_id, urn=self.urn(kind)))

    async def read(self, kind: Kind, resource_id: str, olds: Json, state: Json) -> provider_pb2.ReadResponse:
        request = provider_pb2.ReadRequest(
            id=resource_id, urn=self.urn(kind), inputs=rpc.to_struct(olds), properties=rpc.to_struct(state)
        )
        answer: provider_pb2.ReadResponse = await self.call("Read", request)
        return answer

    async def invoke(self, token: str, **args: Any) -> Json:
        answer = await self.call("Invoke", provider_pb2.InvokeRequest(tok=token, args=rpc.to_struct(args)))
        if answer.failures:
            raise RefusedError("; ".join(failure.reason for failure in answer.failures))
        return rpc.from_struct(getattr(answer, "return"))


@asynccontextmanager
async def serving(home: Home, clusters: Clusters) -> AsyncIterator[tuple[Engine, AzureProvider]]:
    """A provider that serves on loopback, and the engine's end of it."""
    provider = AzureProvider(home, clusters)
    await provider.recover()
    server, port = await rpc.serve(provider)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=rpc.GRPC_OPTIONS) as channel:
            engine = Engine(provider_pb2_grpc.ResourceProviderStub(channel))
            await engine.configure(location=LOCATION)
            yield engine, provider
    finally:
        await server.stop(None)
        await provider.close()


async def base(engine: Engine) -> str:
    """Everything a cluster stands on; the principal of the cluster's identity."""
    for kind in (catalogue.RESOURCE_GROUP, catalogue.VIRTUAL_NETWORK, catalogue.SUBNET, catalogue.PUBLIC_IP):
        await engine.create(kind, inputs(kind))
    _, identity = await engine.create(catalogue.IDENTITY, inputs(catalogue.IDENTITY))
    return str(identity["principalId"])


class NoClusters:
    """A plane on which no cluster can be started: for tests that need none."""

    async def start(self, key: str, version: str, service_cidr: str) -> None:
        raise AssertionError(f"{key} must not be started")

    async def delete(self, key: str) -> None:
        raise AssertionError(f"{key} was never started")

    async def discard(self, key: str) -> None:
        raise AssertionError(f"{key} was never started")

    def admin_kubeconfig(self, key: str) -> str:
        raise AssertionError(f"{key} was never started")

    def user_kubeconfig(self, key: str) -> str:
        raise AssertionError(f"{key} was never started")

    def kubelet_port(self, key: str) -> int:
        raise AssertionError(f"{key} was never started")
