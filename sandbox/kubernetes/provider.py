"""The provider protocol of the Kubernetes stand-in: requests in, answers out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
from google.protobuf import any_pb2, empty_pb2, struct_pb2
from lightkube.core.exceptions import ConfigError
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox import rpc
from sandbox.kube import KubeError
from sandbox.kubernetes import config, diff, objects, operations, secrets, state
from sandbox.kubernetes.awaiting import NotReadyError
from sandbox.kubernetes.objects import RefusedError
from sandbox.kubernetes.operations import InitFailedError
from sandbox.kubernetes.sessions import Session, Sessions, UnreachableError, connect
from sandbox.kubernetes.state import Recorded

Json = dict[str, Any]
Context = grpc.aio.ServicerContext[Any, Any]

_DELETE_HELP = (
    "configured Kubernetes cluster is unreachable. If the cluster was deleted, you can remove this resource from "
    "Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "
    '"true" (not supported here: `pulumi state delete` does it for one resource)'
)


class Provider(rpc.Provider):
    """pulumi-kubernetes as far as a program that declares plain objects can see it."""

    version = "4.34.2"

    def __init__(self) -> None:
        self._sessions = Sessions()

    async def close(self) -> None:
        """Close every connection to a cluster."""
        await self._sessions.close()

    async def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: Context
    ) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    # --- the provider resource

    async def CheckConfig(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name, reason in config.check(rpc.from_struct(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    async def DiffConfig(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        old = rpc.from_struct(request.old_inputs if request.HasField("old_inputs") else request.olds)
        async with _errors(context):
            found = config.diff(old, rpc.from_struct(request.news))
        changes = provider_pb2.DiffResponse.DIFF_SOME if found.changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=changes, diffs=found.changed, replaces=found.replaces)

    async def Configure(
        self, request: provider_pb2.ConfigureRequest, context: Context
    ) -> provider_pb2.ConfigureResponse:
        async with _errors(context):
            await self._sessions.put(context, await connect(config.parse(rpc.from_struct(request.args))))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    async def Cancel(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:
        self._sessions.cancel(context)
        return empty_pb2.Empty()

    async def Invoke(self, request: provider_pb2.InvokeRequest, context: Context) -> provider_pb2.InvokeResponse:
        async with _errors(context):
            raise RefusedError(f"the local plane has no function {request.tok}")

    # --- resources

    async def Check(self, request: provider_pb2.CheckRequest, context: Context) -> provider_pb2.CheckResponse:
        async with _errors(context), self._sessions.use(context) as session:
            inputs = await self._checked(request, session)
        marked = secrets.mark(state.to_state(inputs), _marks_with_secret_data(request.news))
        return provider_pb2.CheckResponse(inputs=rpc.to_struct(marked))

    async def _checked(self, request: provider_pb2.CheckRequest, session: Session) -> Json:
        old, new = state.to_wire(rpc.from_struct(request.olds)), state.to_wire(rpc.from_struct(request.news))
        inputs = state.normalized(objects.complete_type(new, objects.parse_type(_type(request.urn))))
        objects.refuse_unknown_annotations(inputs)
        if inputs.get("metadata") == rpc.UNKNOWN:
            return inputs
        if not objects.name_of(inputs):
            if objects.metadata_of(inputs).get("generateName"):
                raise RefusedError("the `.metadata.generateName` field is not supported in Server-Side Apply mode")
            inputs = objects.auto_named(inputs, _automatic_name(request, old))
        return await session.with_namespace(inputs)

    async def Diff(self, request: provider_pb2.DiffRequest, context: Context) -> provider_pb2.DiffResponse:
        async with _errors(context), self._sessions.use(context) as session:
            new = state.to_wire(rpc.from_struct(request.news))
            found = diff.diff(
                state.recorded_from(rpc.from_struct(request.olds)),
                new,
                namespaced=await session.namespaced(str(new["apiVersion"]), str(new["kind"])),
                mutability=diff.Mutability(session.settings.config_maps_mutable, session.settings.secrets_mutable),
                ignore=list(request.ignoreChanges),
            )
        response = provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found.changes else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=found.replaces,
            deleteBeforeReplace=found.delete_before_replace,
            hasDetailedDiff=True,
        )
        for path, change in found.changes.items():
            kind = provider_pb2.PropertyDiff.Kind.Value(change.protocol_name)
            response.detailedDiff[path].CopyFrom(
                provider_pb2.PropertyDiff(kind=kind, inputDiff=change.kind is diff.Kind.DELETE)
            )
        return response

    async def Create(self, request: provider_pb2.CreateRequest, context: Context) -> provider_pb2.CreateResponse:
        of = secrets.marks(request.properties)
        inputs = state.to_wire(rpc.from_struct(request.properties))
        manager = objects.new_field_manager()
        async with (
            _errors(context, f'resource "{request.urn}" was not successfully created', manager, of),
            self._sessions.use(context) as session,
        ):
            if request.preview:
                if not await session.can_preview(inputs):
                    return provider_pb2.CreateResponse(properties=request.properties)
                live = await operations.preview_create(session, inputs, manager)
                if live is None:
                    return provider_pb2.CreateResponse(properties=request.properties)
                return provider_pb2.CreateResponse(properties=_previewed(inputs, live, manager, of))
            session.require_cluster()
            recorded = await operations.create(session, inputs, manager, request.timeout)
        return provider_pb2.CreateResponse(
            id=objects.resource_id(recorded.live), properties=rpc.to_struct(state.record(recorded, of))
        )

    async def Update(self, request: provider_pb2.UpdateRequest, context: Context) -> provider_pb2.UpdateResponse:
        of = secrets.marks(request.news)
        old = state.recorded_from(rpc.from_struct(request.olds))
        inputs = state.normalized(state.to_wire(rpc.from_struct(request.news)))
        ignore = list(request.ignoreChanges)
        async with (
            _errors(context, f'update of resource "{request.urn}" failed', old.field_manager, of),
            self._sessions.use(context) as session,
        ):
            if request.preview:
                if not await session.can_preview(inputs):
                    return provider_pb2.UpdateResponse(properties=request.news)
                live = await operations.preview_update(session, old, inputs, ignore)
                return provider_pb2.UpdateResponse(properties=_previewed(inputs, live, old.field_manager, of))
            session.require_cluster()
            recorded = await operations.update(session, old, inputs, ignore, request.timeout)
        return provider_pb2.UpdateResponse(properties=rpc.to_struct(state.record(recorded, of)))

    async def Read(self, request: provider_pb2.ReadRequest, context: Context) -> provider_pb2.ReadResponse:
        of = _marks_with_secret_data(request.inputs)
        inputs = state.normalized(state.to_wire(rpc.from_struct(request.inputs)))
        async with _errors(context), self._sessions.use(context) as session:
            session.require_cluster()
            token = objects.parse_type(_type(request.urn))
            namespace, name = objects.parse_id(request.id)
            wanted = objects.with_metadata(
                {"apiVersion": inputs.get("apiVersion", token.api_version), "kind": inputs.get("kind", token.kind)},
                name=name,
                namespace=namespace or None,
            )
            found = await operations.read(session, wanted, inputs)
            if found is None:
                return provider_pb2.ReadResponse()
        live, not_ready = found
        built_in = objects.is_built_in(str(live["apiVersion"]))
        kept = state.prune(live, inputs, built_in=built_in) if inputs else state.imported_inputs(live)
        before = state.recorded_from(rpc.from_struct(request.properties) or {"apiVersion": wanted["apiVersion"]})
        recorded = Recorded(kept, live, before.field_manager, before.initial_api_version)
        outputs = rpc.to_struct(state.record(recorded, of))
        kept_inputs = rpc.to_struct(secrets.mark(state.to_state(kept), of))
        if not_ready is not None:
            await _abort_not_ready(context, str(not_ready), request.id, outputs, not_ready.reasons, kept_inputs)
        return provider_pb2.ReadResponse(id=request.id, properties=outputs, inputs=kept_inputs)

    async def Delete(self, request: provider_pb2.DeleteRequest, context: Context) -> empty_pb2.Empty:
        async with _errors(context), self._sessions.use(context) as session:
            if session.unreachable:
                raise UnreachableError(f"{_DELETE_HELP}: {session.unreachable}")
            recorded = state.recorded_from(rpc.from_struct(request.properties))
            await operations.delete(session, recorded, request.timeout)
        return empty_pb2.Empty()


def _type(urn: str) -> str:
    return urn.split("::")[2].split("$")[-1]


def _automatic_name(request: provider_pb2.CheckRequest, old: Json) -> str:
    """The name an unnamed object keeps, or gets. Raises `RefusedError` where automatic naming is switched off."""
    if objects.is_true(old, objects.AUTONAMED):
        return objects.name_of(old)
    logical_name = request.urn.split("::")[3]
    if request.HasField("autonaming"):
        if request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.Mode.DISABLE:
            raise RefusedError(f'automatic naming is disabled: give "{logical_name}" a metadata.name')
        return request.autonaming.proposed_name
    return objects.unique_name(logical_name, request.randomSeed)


def _marks_with_secret_data(inputs: struct_pb2.Struct) -> secrets.Marks:
    return secrets.secret_data_marks(secrets.marks(inputs))


def _previewed(inputs: Json, live: Json, manager: str, of: secrets.Marks) -> struct_pb2.Struct:
    """The outputs of a dry run, without the status: nothing has set it yet."""
    shown = {key: value for key, value in live.items() if key != "status"}
    return rpc.to_struct(state.record(Recorded(inputs, shown, manager, str(inputs["apiVersion"])), of))


@contextlib.asynccontextmanager
async def _errors(
    context: Context, what: str = "", manager: str = "", of: secrets.Marks = False
) -> AsyncIterator[None]:
    """Every expected failure as an error of the protocol: what failed, and why."""
    prefix = f"{what}: " if what else ""
    try:
        yield
    except InitFailedError as error:
        summary = (
            f'the Kubernetes API server reported that "{objects.resource_id(error.recorded.live)}" failed to fully '
            f"initialize or become live: {error.summary}"
        )
        outputs = rpc.to_struct(state.record(error.recorded, of))
        await _abort_not_ready(context, summary, objects.resource_id(error.recorded.live), outputs, error.reasons)
    except NotReadyError as error:
        await context.abort(grpc.StatusCode.UNKNOWN, f"{prefix}{'; '.join((error.summary, *error.reasons))}")
    except KubeError as error:
        text = operations.conflict_text(error, manager)
        who = " by the Kubernetes API server" if what.startswith("resource") else ""
        await context.abort(grpc.StatusCode.UNKNOWN, f"{what}{who}: {text}" if what else text)
    except (RefusedError, UnreachableError, ConfigError, ValueError) as error:
        await context.abort(grpc.StatusCode.UNKNOWN, f"{prefix}{error}")


async def _abort_not_ready(
    context: Context,
    summary: str,
    resource_id: str,
    outputs: struct_pb2.Struct,
    reasons: tuple[str, ...],
    inputs: struct_pb2.Struct | None = None,
) -> None:
    """End a call with an object that exists but is not ready: the engine keeps it in its state, with the reasons."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=resource_id, properties=outputs, reasons=[summary, *reasons], inputs=inputs
        )
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=summary, details=[detail])
    await context.abort(grpc.StatusCode.UNKNOWN, summary, (("grpc-status-details-bin", status.SerializeToString()),))
