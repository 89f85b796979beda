"""The `azure-native` provider: the engine's protocol on one side, the made-up Azure on the other.

Behaviour follows pulumi-azure-native (provider/pkg/provider/provider.go): what Check fills in, what Diff reports, when
a create is refused. Unlike it, Check refuses what the SDK's types do not know.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox import rpc
from sandbox.azure import Clusters, catalogue, checking, differ, ids, preview
from sandbox.azure.arm import Arm
from sandbox.azure.catalogue import Kind
from sandbox.azure.checking import without_nulls
from sandbox.azure.errors import ArmError, ProviderError
from sandbox.files import full, is_full
from sandbox.home import Home
from sandbox.plane.errors import PlaneError
from sandbox.rpc import UNKNOWN, Json

T = TypeVar("T")
Context = grpc.aio.ServicerContext[Any, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Configuration:
    """One provider resource's settings: only what it was given itself, never the stack's `azure-native:` keys."""

    location: str | None = None


class AzureProvider(rpc.Provider):
    """The provider stand-in. `recover` before serving, `close` after."""

    version = "3.29.0"

    def __init__(self, home: Home, clusters: Clusters) -> None:
        self.arm, self._home = Arm(home, clusters), home
        self._under_way: set[asyncio.Task[Any]] = set()
        self._configured: rpc.Connections[Configuration] = rpc.Connections()

    async def recover(self) -> None:
        """Bring up what the state folder says exists."""
        await self.arm.recover()

    async def close(self) -> None:
        """Cut off what is under way, stop the cloud's controllers; clusters and resources stay."""
        for work in self._under_way:
            work.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.arm.close()

    # --- configuration

    async def CheckConfig(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        news = rpc.from_struct(request.news)
        problems = [
            (name, f"unknown provider property '{name}'") for name in news if name not in checking.CONFIGURATION
        ]
        environment = news.get("environment", checking.ENVIRONMENT)
        if environment != checking.ENVIRONMENT:
            problems.append(("environment", f"'{environment}' is not played here, only '{checking.ENVIRONMENT}'"))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(problems))

    async def DiffConfig(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Configure(
        self, request: provider_pb2.ConfigureRequest, context: Context
    ) -> provider_pb2.ConfigureResponse:
        args = rpc.from_struct(request.args)
        subscription = args.get("subscriptionId")
        if subscription not in (None, UNKNOWN, ids.SUBSCRIPTION_ID):
            error = ArmError(
                404,
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found. The local Azure has one, {ids.SUBSCRIPTION_ID}",
            )
            await _refuse(context, error)
        location = args.get("location")
        self._configured.put(context, Configuration(location if location != UNKNOWN else None))
        return self.configured()

    # --- resources

    async def Check(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        kind = await self._kind(request.urn, context)
        olds, news = rpc.from_struct(request.olds), without_nulls(rpc.from_struct(request.news))
        configured = self._configured.get(context)
        inputs = checking.filled(kind, request, olds, news, configured.location or self._group_location(news))
        return provider_pb2.CheckResponse(
            inputs=rpc.to_struct(inputs), failures=_failures(checking.problems(kind, news, inputs))
        )

    def _group_location(self, inputs: Json) -> str | None:
        group = inputs.get("resourceGroupName")
        if group is None or group == UNKNOWN:
            return group
        found = self.arm.store.find(ids.group_id(group))
        return None if found is None else str(found.state["location"])

    async def Diff(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        kind = await self._kind(request.urn, context)
        old, new = rpc.from_struct(request.old_inputs), rpc.from_struct(request.news)
        found = differ.difference(kind, without_nulls(old), without_nulls(new))
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        changed = {
            path: provider_pb2.PropertyDiff(kind=change, inputDiff=True) for path, change in found.changes.items()
        }
        return provider_pb2.DiffResponse(
            changes=some if found.changes else none,
            replaces=found.replaces,
            deleteBeforeReplace=found.delete_before_replace,
            diffs=sorted(found.changes),
            detailedDiff=changed,
            hasDetailedDiff=True,
        )

    async def Create(self, request: provider_pb2.CreateRequest, context: Context) -> provider_pb2.CreateResponse:
        kind = await self._kind(request.urn, context)
        inputs = without_nulls(rpc.from_struct(request.properties))
        if request.preview:
            return provider_pb2.CreateResponse(properties=rpc.to_struct(preview.outputs(kind, inputs)))
        resource_id, state = await self._answered(context, self.arm.create(kind, inputs))
        return provider_pb2.CreateResponse(id=resource_id, properties=_checkpoint(kind, state))

    async def Read(self, request: provider_pb2.ReadRequest, context: Context) -> provider_pb2.ReadResponse:
        kind = await self._kind(request.urn, context)
        state = self.arm.read(request.id)
        if state is None:
            return provider_pb2.ReadResponse()
        old_inputs = without_nulls(rpc.from_struct(request.inputs))
        if old_inputs:
            before = checking.input_shape(kind, rpc.from_struct(request.properties), old_inputs)
            inputs = differ.fold_drift(old_inputs, before, checking.input_shape(kind, state, old_inputs))
        else:
            inputs = checking.imported(kind, request.id, state)
        return provider_pb2.ReadResponse(
            id=request.id, inputs=rpc.to_struct(inputs), properties=_checkpoint(kind, state)
        )

    async def Update(self, request: provider_pb2.UpdateRequest, context: Context) -> provider_pb2.UpdateResponse:
        kind = await self._kind(request.urn, context)
        inputs = without_nulls(rpc.from_struct(request.news))
        if request.preview:
            planned = preview.outputs(kind, inputs)
            olds = rpc.from_struct(request.olds)
            planned |= {name: olds[name] for name in ("name", "location") if name in olds}
            return provider_pb2.UpdateResponse(properties=rpc.to_struct(planned))
        state = await self._answered(context, self.arm.update(kind, inputs))
        return provider_pb2.UpdateResponse(properties=_checkpoint(kind, state))

    async def Delete(self, request: provider_pb2.DeleteRequest, context: Context) -> empty_pb2.Empty:
        await self._kind(request.urn, context)
        await self._answered(context, self.arm.delete(request.id))
        return empty_pb2.Empty()

    async def Invoke(self, request: provider_pb2.InvokeRequest, context: Context) -> provider_pb2.InvokeResponse:
        if request.tok != catalogue.USER_CREDENTIALS:
            known = f"it knows {catalogue.USER_CREDENTIALS}"
            error = ProviderError(f"the local Azure stand-in does not know the function {request.tok}; {known}")
            await _refuse(context, error)
        args = without_nulls(rpc.from_struct(request.args))
        problems = checking.credential_problems(args)
        if problems:
            return provider_pb2.InvokeResponse(failures=_failures(problems))
        group, name = args["resourceGroupName"], args["resourceName"]
        try:
            answer = self.arm.user_credentials(group, name)
        except ArmError as refusal:
            path = catalogue.MANAGED_CLUSTER.build_id(args) + "/listClusterUserCredential"
            await _refuse(context, ProviderError(f"request failed {path}: {refusal}"))
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(rpc.to_struct(answer))
        return response

    async def _answered(self, context: Context, call: Coroutine[Any, Any, T]) -> T:
        """Await a request to Azure. It goes on when its caller dies, as an operation of Azure does.

        A refusal becomes the engine's error, so does what this machine cannot do; anything else is a fault of ours and
        logged.
        """
        work = asyncio.create_task(call)
        self._under_way.add(work)
        work.add_done_callback(self._ended)
        try:
            return await asyncio.shield(work)
        except (ArmError, ProviderError, PlaneError) as refusal:
            await _refuse(context, refusal)
        except Exception as fault:
            if isinstance(fault, OSError) and is_full(fault):
                await _refuse(context, ProviderError(full(self._home.root)))
            _log.error("the Azure stand-in failed", exc_info=fault)
            why = f"{type(fault).__name__}: {fault}. The whole log: {self._home.log('supervisor')}"
            await _refuse(context, ProviderError(f"the local Azure stand-in failed: {why}"))

    def _ended(self, work: asyncio.Task[Any]) -> None:
        self._under_way.discard(work)
        if not work.cancelled() and (error := work.exception()) is not None:
            _log.info("%s: %s", type(error).__name__, error)  # whoever asked may be there no more

    async def _kind(self, urn: str, context: Context) -> Kind:
        try:
            return catalogue.kind_of(urn)
        except ProviderError as error:
            await _refuse(context, error)


async def _refuse(context: Context, error: Exception) -> NoReturn:
    """End the call the way a Go provider's plain error ends it."""
    await context.abort(grpc.StatusCode.UNKNOWN, str(error))
    raise AssertionError("abort does not return")


def _failures(problems: list[tuple[str, str]]) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in problems]


def _checkpoint(kind: Kind, state: Json) -> Any:
    return rpc.to_struct(state | {"azureApiVersion": kind.api_version})
