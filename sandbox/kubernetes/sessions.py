"""The connections of the provider: one provider resource, one cluster and one client each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc.aio

from sandbox import rpc
from sandbox.kube import Kube, KubeError
from sandbox.kubernetes.awaiting import kind_or_none
from sandbox.kubernetes.config import Settings
from sandbox.kubernetes.objects import likely_namespaced, metadata_of, with_metadata

Json = dict[str, Any]
Context = grpc.aio.ServicerContext[Any, Any]

IDLE_SECONDS = 60.0
"""How long a connection that asks nothing keeps its client: an engine that is gone says no goodbye."""

FIELD_MANAGER = "pulumi-kubernetes"


class UnreachableError(Exception):
    """The cluster does not answer; the text says why."""


@dataclass
class Session:
    """One provider resource's connection: its settings and its cluster."""

    settings: Settings
    kube: Kube
    """Open while a call is under way; closed, and opened again, when nothing has been asked for a while."""
    unreachable: str = ""
    """Why the cluster does not answer; empty while it does."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0
    """How many calls are under way."""
    last_used: float = 0.0
    """When the last call ended, in seconds of the event loop's clock."""

    async def namespaced(self, api_version: str, kind: str) -> bool:
        """Whether a kind lives in namespaces; assumed so while the cluster does not know it."""
        if self.unreachable:
            return likely_namespaced(kind)
        found = await kind_or_none(self.kube, api_version, kind)
        return found.namespaced if found is not None else likely_namespaced(kind)

    async def with_namespace(self, inputs: Json) -> Json:
        """The inputs in the provider's default namespace, where they name none and their kind has one."""
        if metadata_of(inputs).get("namespace") or inputs.get("metadata") == rpc.UNKNOWN:
            return inputs
        if not await self.namespaced(str(inputs["apiVersion"]), str(inputs["kind"])):
            return inputs
        return with_metadata(inputs, namespace=self.settings.namespace)

    async def can_preview(self, inputs: Json) -> bool:
        """Whether a dry run can say anything: all is known, the cluster answers, and it has the kind."""
        if rpc.has_unknown(inputs) or self.unreachable:
            return False
        return await kind_or_none(self.kube, inputs["apiVersion"], inputs["kind"]) is not None

    def require_cluster(self) -> None:
        if self.unreachable:
            raise UnreachableError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")


async def connect(settings: Settings) -> Session:
    """A session; whether the cluster answers is found out now, as the real provider does."""
    kube = Kube(settings.kubeconfig, FIELD_MANAGER)
    try:
        await kube.request("GET", "/version")
    except KubeError as error:
        return Session(settings, kube, unreachable=error.message)
    return Session(settings, kube)


class Sessions:
    """Every session of the process, by the engine's connection."""

    def __init__(self) -> None:
        self._by_connection: rpc.Connections[Session] = rpc.Connections()
        self._all: list[Session] = []

    async def put(self, context: Context, session: Session) -> None:
        """Keep a session, close the one it replaces, and the client of every session that has become idle."""
        before = self._by_connection.put(context, session)
        if before is not None:
            self._all.remove(before)
            await before.kube.close()
        self._all.append(session)
        session.last_used = now = asyncio.get_running_loop().time()
        for one in self._all:
            if not one.calls and now - one.last_used > IDLE_SECONDS:
                await one.kube.close()

    def cancel(self, context: Context) -> None:
        """End all waiting of a connection; one that never configured has none."""
        with contextlib.suppress(KeyError):
            self._by_connection.get(context).cancelled.set()

    @contextlib.asynccontextmanager
    async def use(self, context: Context) -> AsyncIterator[Session]:
        """The connection's session, with an open client for as long as the block lasts."""
        session = self._by_connection.get(context)
        if session.kube.closed:
            session.kube = Kube(session.settings.kubeconfig, FIELD_MANAGER)
        session.calls += 1
        try:
            yield session
        finally:
            session.calls -= 1
            session.last_used = asyncio.get_running_loop().time()

    async def close(self) -> None:
        for session in self._all:
            await session.kube.close()
