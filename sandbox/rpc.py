"""What both provider stand-ins share of Pulumi's provider protocol: values, the server, and the dull calls.

The engine attaches over `PULUMI_DEBUG_PROVIDERS=<package>:<port>`. One process then serves every provider resource
of every program, and only `Configure` says which; but each provider resource has a connection of its own, so what
`Configure` set up is kept by the caller's address (`Connections`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import grpc
import grpc.aio
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

Json = dict[str, Any]
T = TypeVar("T")

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a value that is not known yet (sdk/go/common/resource/plugin/rpc.go, `UnknownStringValue`)."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"

GRPC_OPTIONS = (
    ("grpc.max_receive_message_length", 400 << 20),
    ("grpc.max_send_message_length", 400 << 20),
    ("grpc.so_reuseport", 0),  # two servers on one port would each answer some of the calls
)


def from_struct(struct: struct_pb2.Struct) -> Json:
    """The struct as plain Python; whole numbers as int, secrets opened, unknowns as `UNKNOWN`."""
    value = _plain(json_format.MessageToDict(struct))
    assert isinstance(value, dict)
    return value


def to_struct(value: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    json_format.ParseDict(dict(value), struct)
    return struct


def secret(value: Any) -> Json:
    """Mark a value on its way to the engine as secret."""
    return {_SIGNATURE: _SECRET, "value": value}


def has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_unknown(v) for v in value.values())
    if isinstance(value, list):
        return any(has_unknown(v) for v in value)
    return bool(value == UNKNOWN)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _plain(value["value"])
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


class Connections(Generic[T]):
    """What `Configure` set up, by the caller's connection."""

    def __init__(self) -> None:
        self._by_peer: dict[str, T] = {}

    def put(self, context: grpc.aio.ServicerContext[Any, Any], value: T) -> T | None:
        """Keep the value; the one it replaces, if any."""
        before = self._by_peer.get(context.peer())
        self._by_peer[context.peer()] = value
        return before

    def get(self, context: grpc.aio.ServicerContext[Any, Any]) -> T:
        return self._by_peer[context.peer()]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The calls that say nothing about any resource; a stand-in adds the rest."""

    version = "0.0.0"

    async def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False, accept_resources=False)

    async def Attach(self, request: plugin_pb2.PluginAttach, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    async def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self.version)

    async def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    @staticmethod
    def configured() -> provider_pb2.ConfigureResponse:
        """Secrets are opened before they reach us and marked again by the engine; previews are ours to answer."""
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True, acceptResources=False)


async def serve(provider: Provider, port: int = 0) -> tuple[grpc.aio.Server, int]:
    """Start serving on loopback; the server and its port (a free one when `port` is 0)."""
    server = grpc.aio.server(options=GRPC_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server, bound
