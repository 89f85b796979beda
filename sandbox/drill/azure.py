"""Calls to the made-up Azure outside the program: an operator's, and the week's node image."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox import rpc
from sandbox.azure.catalogue import AGENT_POOL, MANAGED_CLUSTER
from sandbox.azure.node_image import ask, outcomes
from sandbox.azure.store import Record, Store
from sandbox.drill.wait import until
from sandbox.files import read_json
from sandbox.home import Home
from sandbox.plane.errors import PlaneError
from sandbox.standing import POOL

Json = dict[str, Any]

PACKAGE = "azure-native"


def oldest(home: Home, role: str) -> Record:
    """The oldest generation of a role's pool. Raises `PlaneError` when there is none."""
    pools = [
        each for each in Store(home.azure).of(AGENT_POOL) if (each.state.get("nodeLabels") or {}).get(POOL) == role
    ]
    if not pools:
        raise PlaneError(f"there is no pool of the role {role}")
    return min(pools, key=lambda each: each.id)


async def delete_pool(home: Home, role: str) -> None:
    """Delete the oldest generation of a role's pool, and wait for it. Raises `PlaneError` with Azure's refusal."""
    await delete(home, AGENT_POOL.token, oldest(home, role).id)


async def upgrade_system_pool(home: Home, state: Json, version: str) -> None:
    """Upgrade the inline pool in place, as `az aks upgrade` does after the control plane; `state` is the engine's.

    Raises `PlaneError` with Azure's refusal.
    """
    resources = state["deployment"]["resources"]
    (inputs,) = (each["inputs"] for each in resources if each["type"] == MANAGED_CLUSTER.token)
    profiles = [
        {**each, "orchestratorVersion": version} if each["mode"] == "System" else each
        for each in inputs["agentPoolProfiles"]
    ]
    await put(home, MANAGED_CLUSTER.token, {**inputs, "agentPoolProfiles": profiles})


async def delete_cluster(home: Home, resource_group: str, name: str) -> None:
    """Delete a cluster and all that is in it, and wait for it. Raises `PlaneError` with Azure's refusal."""
    names = {"resourceGroupName": resource_group, "resourceName": name}
    await delete(home, MANAGED_CLUSTER.token, MANAGED_CLUSTER.build_id(names))


async def delete(home: Home, token: str, resource_id: str) -> None:
    """Delete a resource. Raises `PlaneError` with Azure's refusal."""
    request = provider_pb2.DeleteRequest(id=resource_id, urn=_urn(token))
    await _call(home, "Delete", request, empty_pb2.Empty, f"Azure does not delete {resource_id}")


async def put(home: Home, token: str, inputs: Json) -> None:
    """Have a resource be as these inputs say, by the SDK's names. Raises `PlaneError` with Azure's refusal."""
    request = provider_pb2.UpdateRequest(urn=_urn(token), news=rpc.to_struct(inputs))
    said = f"Azure does not take the {token.rpartition(':')[2]}"
    await _call(home, "Update", request, provider_pb2.UpdateResponse, said)


def _urn(token: str) -> str:
    return f"urn:pulumi:sandbox::sm-realtime::{token}::outside"


async def _call(home: Home, method: str, request: Any, response: Any, said: str) -> None:
    ports = read_json(home.root / "ports.json", "The plane has not been started.")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{ports[PACKAGE]}", options=rpc.GRPC_OPTIONS) as channel:
        call = channel.unary_unary(
            f"/pulumirpc.ResourceProvider/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=response.FromString,
        )
        try:
            await call(request)
        except grpc.aio.AioRpcError as refusal:
            raise PlaneError(f"{said}: {refusal.details()}") from refusal


async def node_image(home: Home, within: float) -> None:
    """Let the week's node image come, and wait until it has come to every pool, or was refused.

    Raises `PlaneError` when it is still coming after `within` seconds.
    """
    asked = ask(home)
    if not await until(lambda: outcomes(Store(home.azure), asked) is not None, within):
        raise PlaneError(f"the node image was still coming after {within:.0f} s")
