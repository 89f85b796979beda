"""The stand-in served in this process, spoken to as the engine does."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from sandbox import rpc
from sandbox.kubernetes.provider import Provider

Json = dict[str, Any]

TOKENS = {"v1": "core/v1"}


@dataclass(frozen=True)
class Resource:
    """A resource as the engine keeps it."""

    urn: str
    id: str
    inputs: Json
    outputs: Json


class Engine:
    """One connection to the provider, one provider resource."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)
        """Untyped: its stubs know the synchronous channel only."""

    async def configure(self, kubeconfig: str, **settings: Any) -> None:
        arguments = rpc.to_struct({"kubeconfig": kubeconfig, **settings})
        await self.stub.Configure(provider_pb2.ConfigureRequest(args=arguments, acceptSecrets=True))

    async def check(self, obj: Json, name: str = "logical", token: str | None = None, old: Json | None = None) -> Json:
        request = provider_pb2.CheckRequest(
            urn=urn(obj, name, token), news=rpc.to_struct(obj), olds=rpc.to_struct(old or {}), randomSeed=b"seed"
        )
        return rpc.from_struct((await self.stub.Check(request)).inputs)

    async def create(self, obj: Json, timeout: float = 0, preview: bool = False) -> Resource:
        inputs = await self.check(obj)
        request = provider_pb2.CreateRequest(
            urn=urn(obj), properties=rpc.to_struct(inputs), timeout=timeout, preview=preview
        )
        answer = await self.stub.Create(request)
        return Resource(urn(obj), answer.id, inputs, rpc.from_struct(answer.properties))

    async def update(self, resource: Resource, obj: Json, ignore: tuple[str, ...] = (), timeout: float = 0) -> Resource:
        inputs = await self.check(obj, old=resource.inputs)
        request = provider_pb2.UpdateRequest(
            id=resource.id,
            urn=resource.urn,
            olds=rpc.to_struct(resource.outputs),
            news=rpc.to_struct(inputs),
            ignoreChanges=ignore,
            timeout=timeout,
        )
        answer = await self.stub.Update(request)
        return Resource(resource.urn, resource.id, inputs, rpc.from_struct(answer.properties))

    async def diff(self, resource: Resource, obj: Json) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(
            id=resource.id,
            urn=resource.urn,
            olds=rpc.to_struct(resource.outputs),
            news=rpc.to_struct(await self.check(obj, old=resource.inputs)),
        )
        answer = await self.stub.Diff(request)
        assert isinstance(answer, provider_pb2.DiffResponse)
        return answer

    async def read(self, resource: Resource) -> Resource | None:
        request = provider_pb2.ReadRequest(
            id=resource.id,
            urn=resource.urn,
            properties=rpc.to_struct(resource.outputs),
            inputs=rpc.to_struct(resource.inputs),
        )
        answer = await self.stub.Read(request)
        if not answer.id:
            return None
        return Resource(resource.urn, answer.id, rpc.from_struct(answer.inputs), rpc.from_struct(answer.properties))

    async def delete(self, resource: Resource, timeout: float = 0) -> None:
        request = provider_pb2.DeleteRequest(
            id=resource.id, urn=resource.urn, properties=rpc.to_struct(resource.outputs), timeout=timeout
        )
        await self.stub.Delete(request)

    async def cancel(self) -> None:
        await self.stub.Cancel(empty_pb2.Empty())


def urn(obj: Json, name: str = "logical", token: str | None = None) -> str:
    version, kind = TOKENS.get(obj["apiVersion"], obj["apiVersion"]), obj["kind"]
    return f"urn:pulumi:test::test::{token or f'kubernetes:{version}:{kind}'}::{name}"


@contextlib.asynccontextmanager
async def engine() -> AsyncIterator[Engine]:
    """A provider of its own, and a connection to it."""
    provider = Provider()
    server, port = await rpc.serve(provider)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=rpc.GRPC_OPTIONS) as channel:
        yield Engine(channel)
    await server.stop(None)
    await provider.close()


@contextlib.contextmanager
def refusal(text: str) -> Any:
    """The call in the block fails, with this in its message."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield caught
    assert text in (caught.value.details() or "")


@dataclass(frozen=True)
class InitFailure:
    """What a failed call says of the object that exists all the same."""

    id: str
    outputs: Json
    inputs: Json
    reasons: list[str]


def init_failure(error: grpc.aio.AioRpcError) -> InitFailure:
    trailing: Any = error.trailing_metadata()
    details = dict(trailing)["grpc-status-details-bin"]
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(details).details[0].Unpack(failed)
    return InitFailure(
        failed.id, rpc.from_struct(failed.properties), rpc.from_struct(failed.inputs), list(failed.reasons)
    )


def fresh(prefix: str = "x") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
