"""What the provider does to one cluster: create, update, read, delete, with waiting and the previews of each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sandbox.kube import DeletePropagation, Kube, KubeError
from sandbox.kubernetes import awaiting, ownership, readiness
from sandbox.kubernetes.objects import (
    annotations_of,
    is_custom_resource_definition,
    is_true,
    metadata_of,
    name_of,
    namespace_of,
    with_metadata,
)
from sandbox.kubernetes.sessions import Session
from sandbox.kubernetes.state import Recorded

Json = dict[str, Any]

CREATE_RETRY_SECONDS = (1, 2, 4, 8, 16)
"""Pauses before a creation is tried again while its kind or namespace does not exist (await.go: 5 tries, factor 2)."""

CONFLICT_RETRIES = 10

DELETE_SECONDS = 600.0

_SKIPS_DELETE_AWAIT = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)
"""Kinds for which `pulumi.com/skipAwait` also skips waiting for the deletion."""

CONFLICT_HELP = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/"
    "#handle-field-conflicts-on-existing-resources"
)


class InitFailedError(Exception):
    """The object exists but did not become ready; what is recorded of it, and why."""

    def __init__(self, summary: str, recorded: Recorded, reasons: tuple[str, ...]) -> None:
        super().__init__(summary)
        self.summary, self.recorded, self.reasons = summary, recorded, reasons


async def preview_create(session: Session, inputs: Json, manager: str) -> Json | None:
    """The object a creation would give, by a dry run; None where only the inputs can be shown.

    That is so for an object that still exists (a replacement deletes it first), for one whose namespace does not exist
    yet, and for one we may not create yet.
    """
    try:
        return await session.kube.create(inputs, dry_run=True, manager=manager)
    except KubeError as error:
        if error.code == 403 or error.reason == "AlreadyExists" or _is_missing_namespace(error):
            return None
        raise


async def create(session: Session, inputs: Json, manager: str, seconds: float) -> Recorded:
    """Create the object and wait until it is ready. Raises `KubeError`, or `InitFailedError` once it exists."""
    live = await _create_when_possible(session.kube, inputs, manager)
    recorded = Recorded(inputs, live, manager, str(inputs["apiVersion"]))
    return await _ready(session, recorded, seconds)


async def preview_update(session: Session, old: Recorded, inputs: Json, ignore: Sequence[str]) -> Json:
    """The object an update would give, by a dry run."""
    kube, manager = session.kube, old.field_manager
    live = await _get(kube, old.live)
    if is_custom_resource_definition(inputs):
        return await kube.replace(_versioned(inputs, live), dry_run=True, manager=manager)
    force = is_true(inputs, "pulumi.com/patchForce") or ownership.must_force_preview(live, manager)
    desired = ownership.without_ignored(inputs, live, ignore, manager)
    return await kube.apply(desired, dry_run=True, force=force, manager=manager)


async def update(session: Session, old: Recorded, inputs: Json, ignore: Sequence[str], seconds: float) -> Recorded:
    """Apply the inputs and wait until the object is ready. Raises `KubeError`, or `InitFailedError` once applied."""
    kube, manager = session.kube, old.field_manager
    if is_custom_resource_definition(inputs):
        live = await kube.replace(_versioned(inputs, await _get(kube, old.live)), manager=manager)
    else:
        live = await _adopt(kube, old.live, manager)
        desired = ownership.without_ignored(inputs, live, ignore, manager)
        live = await kube.apply(desired, force=is_true(inputs, "pulumi.com/patchForce"), manager=manager)
    return await _ready(session, Recorded(inputs, live, manager, old.initial_api_version), seconds)


async def read(session: Session, wanted: Json, inputs: Json) -> tuple[Json, awaiting.NotReadyError | None] | None:
    """The live object and, where the program's inputs are known, why it is not ready. None: it does not exist."""
    kube = session.kube
    api_version, kind = str(wanted["apiVersion"]), str(wanted["kind"])
    if await awaiting.kind_or_none(kube, api_version, kind) is None:
        return None
    live = await kube.find(api_version, kind, name_of(wanted), namespace_of(wanted) or None)
    if live is None:
        return None
    live = {"apiVersion": api_version, "kind": kind, **live}
    question = readiness.question_for(inputs, live) if inputs else None
    if question is None or not question.read:
        return live, None
    try:
        await awaiting.check_once(kube, question)
    except awaiting.NotReadyError as error:
        return live, await _explained(kube, live, error)
    return live, None


async def delete(session: Session, old: Recorded, seconds: float) -> None:
    """Delete the object and wait until it is gone; a missing one is gone. Raises `NotReadyError`, `KubeError`."""
    kube, live = session.kube, old.live
    api_version, kind = str(live["apiVersion"]), str(live["kind"])
    if await awaiting.kind_or_none(kube, api_version, kind) is None:
        return
    current = await kube.find(api_version, kind, name_of(live), namespace_of(live) or None)
    if current is None:
        return
    await kube.delete(api_version, kind, name_of(live), namespace_of(live) or None, _propagation(old.inputs))
    if is_true(old.inputs, "pulumi.com/skipAwait") and kind in _SKIPS_DELETE_AWAIT:
        return
    annotated = str(annotations_of(old.inputs).get("pulumi.com/timeoutSeconds", ""))
    limit = seconds or (float(annotated) if annotated.isdigit() else DELETE_SECONDS)
    await awaiting.until_gone(kube, {"apiVersion": api_version, "kind": kind, **current}, limit, session.cancelled)


def conflict_text(error: KubeError, manager: str) -> str:
    """A refusal in words; for a field conflict with what can be done about it."""
    if error.code != 409 or error.reason == "AlreadyExists":
        return error.message
    return (
        f"Server-Side Apply field conflict detected. See {CONFLICT_HELP} for troubleshooting help.\n"
        f'The resource managed by field manager "{manager}" had an apply conflict: {error.message}'
    )


async def _create_when_possible(kube: Kube, inputs: Json, manager: str) -> Json:
    for pause in CREATE_RETRY_SECONDS:
        try:
            return await kube.create(inputs, manager=manager)
        except KubeError as error:
            if error.code != 404:
                raise
            await asyncio.sleep(pause)
    return await kube.create(inputs, manager=manager)


async def _ready(session: Session, recorded: Recorded, seconds: float) -> Recorded:
    kube, live = session.kube, recorded.live
    question = readiness.question_for(recorded.inputs, live)
    failure: awaiting.NotReadyError | None = None
    if question is not None:
        limit = readiness.timeout_seconds(seconds, recorded.inputs, question)
        try:
            await awaiting.until_ready(kube, question, limit, session.cancelled)
        except awaiting.NotReadyError as error:
            failure = await _explained(kube, live, error)
    current = await kube.find(live["apiVersion"], live["kind"], name_of(live), namespace_of(live) or None)
    result = Recorded(recorded.inputs, current or live, recorded.field_manager, recorded.initial_api_version)
    if failure is not None:
        raise InitFailedError(failure.summary, result, failure.reasons)
    return result


async def _explained(kube: Kube, live: Json, error: awaiting.NotReadyError) -> awaiting.NotReadyError:
    return awaiting.NotReadyError(error.summary, error.reasons + await awaiting.explain(kube, live))


async def _adopt(kube: Kube, wanted: Json, manager: str) -> Json:
    """The live object, with what we wrote by plain updates (its creation) turned into applies of ours."""
    for attempt in range(CONFLICT_RETRIES):
        live = await _get(kube, wanted)
        fields = ownership.adopted(live, manager)
        if fields is None:
            return live
        kind = await kube.kind(live["apiVersion"], live["kind"])
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": fields},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata_of(live)["resourceVersion"]},
        ]
        path = kind.path(namespace_of(live) or None, name_of(live))
        try:
            return await kube.request("PATCH", path, patch, content_type="application/json-patch+json")
        except KubeError as error:
            if error.code != 409 or attempt == CONFLICT_RETRIES - 1:
                raise
    raise AssertionError("the loop above returns or raises")


async def _get(kube: Kube, wanted: Json) -> Json:
    api_version, kind = str(wanted["apiVersion"]), str(wanted["kind"])
    live = await kube.get(api_version, kind, name_of(wanted), namespace_of(wanted) or None)
    return {"apiVersion": api_version, "kind": kind, **live}


def _versioned(inputs: Json, live: Json) -> Json:
    """A CustomResourceDefinition is replaced as a whole: the inputs under the live resource version."""
    return with_metadata(inputs, resourceVersion=metadata_of(live)["resourceVersion"])


def _is_missing_namespace(error: KubeError) -> bool:
    return error.code == 404 and (error.status.get("details") or {}).get("kind") == "namespaces"


def _propagation(inputs: Json) -> DeletePropagation:
    wanted = str(annotations_of(inputs).get("pulumi.com/deletionPropagationPolicy", "")).lower()
    if wanted == "orphan":
        return "Orphan"
    return "Background" if wanted == "background" else "Foreground"
