"""Calls an operator makes to the made-up Azure, outside the program."""

from __future__ import annotations

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox import rpc
from sandbox.azure.catalogue import AGENT_POOL
from sandbox.azure.store import Record, Store
from sandbox.files import read_json
from sandbox.home import Home
from sandbox.plane.errors import PlaneError
from sandbox.standing import POOL

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
    pool = oldest(home, role)
    ports = read_json(home.root / "ports.json", "The plane has not been started.")
    urn = f"urn:pulumi:sandbox::sm-realtime::{AGENT_POOL.token}::outside"
    async with grpc.aio.insecure_channel(f"127.0.0.1:{ports[PACKAGE]}", options=rpc.GRPC_OPTIONS) as channel:
        delete = channel.unary_unary(
            "/pulumirpc.ResourceProvider/Delete",
            request_serializer=provider_pb2.DeleteRequest.SerializeToString,
            response_deserializer=empty_pb2.Empty.FromString,
        )
        try:
            await delete(provider_pb2.DeleteRequest(id=pool.id, urn=urn))
        except grpc.aio.AioRpcError as refusal:
            raise PlaneError(f"Azure does not delete {pool.id}: {refusal.details()}") from refusal
