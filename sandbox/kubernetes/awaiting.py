"""Asking the API server until an object is ready, or gone: watches, one deadline, and the reasons when it runs out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from sandbox.kube import Kind, Kube, KubeError
from sandbox.kubernetes.objects import metadata_of, name_of, namespace_of
from sandbox.kubernetes.readiness import Question
from sandbox.kubernetes.views import Look, Verdict, View

Json = dict[str, Any]


class NotReadyError(Exception):
    """An object that exists and did not become what was waited for."""

    def __init__(self, summary: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(summary)
        self.summary, self.reasons = summary, reasons


async def until_ready(kube: Kube, question: Question, seconds: float, cancelled: asyncio.Event) -> None:
    """Wait for a ready verdict. Raises `NotReadyError` at the deadline, on a cancel, or early."""
    name = question.target[1]
    last = Verdict(("nothing heard of it yet",))
    try:
        async with asyncio.timeout(seconds):
            async with contextlib.aclosing(_views(kube, question, cancelled)) as views:
                async for view in views:
                    last = question.judge(view)
                    if last.ready:
                        return
                    if last.final:
                        raise NotReadyError(f"'{name}' failed", last.missing)
    except TimeoutError:
        raise NotReadyError(f"'{name}' timed out waiting to be Ready", last.missing) from None
    raise NotReadyError(f"Resource operation was cancelled for '{name}'", last.missing)


async def check_once(kube: Kube, question: Question) -> None:
    """The same question at this moment only. Raises `NotReadyError`."""
    objects = {}
    for look in question.looks:
        listed = await kube.list(look.api_version, look.kind, look.namespace, look.labels, look.fields)
        objects[look.kind] = {name_of(item): item for item in listed}
    verdict = question.judge(View(question.target, objects))
    if not verdict.ready:
        raise NotReadyError(f"'{question.target[1]}' is not Ready", verdict.missing)


async def until_gone(kube: Kube, live: Json, seconds: float, cancelled: asyncio.Event) -> None:
    """Wait until the object, told apart from one of the same name by its uid, is gone. Raises `NotReadyError`."""
    api_version, kind, name = str(live["apiVersion"]), str(live["kind"]), name_of(live)
    look = Look(api_version, kind, namespace_of(live) or None, fields=f"metadata.name={name}")
    uid = metadata_of(live).get("uid")

    def judge(view: View) -> Verdict:
        target = view.target
        if target is None or metadata_of(target).get("uid") != uid:
            return Verdict()
        return Verdict(_what_holds(target))

    question = Question((kind, name), (look,), judge)
    try:
        await until_ready(kube, question, seconds, cancelled)
    except NotReadyError as error:
        summary = (
            f'{kind} "{name}" still exists: {error.summary.replace("waiting to be Ready", "waiting for deletion")}'
        )
        raise NotReadyError(summary, error.reasons) from None


async def explain(kube: Kube, live: Json) -> tuple[str, ...]:
    """Why an object may not be ready: what its pods wait for, and the newest warnings about it and them."""
    namespace = namespace_of(live)
    if not namespace:
        return ()
    try:
        pods = await _pods_of(kube, live, namespace)
        names = [(str(live["kind"]), name_of(live)), *(("Pod", name_of(item)) for item in pods)]
        events = await kube.list("v1", "Event", namespace, fields="type=Warning")
    except KubeError as error:
        return (f"(no details: {error.message})",)
    about = [
        f"[{involved['kind']} {namespace}/{involved['name']}] {event.get('reason')}: {event.get('message')}"
        for event in events
        if ((involved := event["involvedObject"]).get("kind"), involved.get("name")) in names
    ]
    return tuple(dict.fromkeys([line for item in pods for line in _waiting(item)] + about[-5:]))


async def _pods_of(kube: Kube, live: Json, namespace: str) -> list[Json]:
    if live["kind"] == "Pod":
        return [live]
    labels = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels")
    if not isinstance(labels, dict) or not labels:
        return []
    return await kube.list("v1", "Pod", namespace, ",".join(f"{key}={value}" for key, value in labels.items()))


def _waiting(item: Json) -> list[str]:
    where = f"[Pod {namespace_of(item)}/{name_of(item)}]"
    status = item.get("status") or {}
    lines = [
        f"{where} {condition.get('reason')}: {condition.get('message')}"
        for condition in status.get("conditions") or []
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False"
    ]
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = container.get("state") or {}
        held = state.get("waiting") or state.get("terminated")
        if held and not container.get("ready") and held.get("reason") != "Completed":
            lines.append(
                f"{where} container {container['name']}: [{held.get('reason')}] {held.get('message') or ''}".rstrip()
            )
    return lines


def _what_holds(target: Json) -> tuple[str, ...]:
    meta, status = metadata_of(target), target.get("status") or {}
    held = tuple(f"finalizer {name}" for name in meta.get("finalizers") or [])
    for condition in status.get("conditions") or []:
        if str(condition.get("type", "")).startswith("Namespace") and condition.get("status") == "True":
            held += (f"[{condition['type']}] {condition.get('message')}",)
    return held or ("it is still there",)


async def _views(kube: Kube, question: Question, cancelled: asyncio.Event) -> AsyncGenerator[View, None]:
    """A view after every change, once all kinds have been listed; ends on a cancel."""
    queue: asyncio.Queue[tuple[Look, str, Json] | KubeError | None] = asyncio.Queue()
    objects: dict[str, dict[str, Json]] = {look.kind: {} for look in question.looks}
    unseen = {look.kind for look in question.looks}

    async def follow(look: Look) -> None:
        try:
            async for event, obj in kube.watch(look.api_version, look.kind, look.namespace, look.labels, look.fields):
                queue.put_nowait((look, event, obj))
        except KubeError as error:
            queue.put_nowait(error)

    async def stop() -> None:
        await cancelled.wait()
        queue.put_nowait(None)

    tasks = [asyncio.create_task(follow(look)) for look in question.looks] + [asyncio.create_task(stop())]
    try:
        while (item := await queue.get()) is not None:
            if isinstance(item, KubeError):
                raise item
            look, event, obj = item
            seen = objects[look.kind]
            if event == "RESYNC":
                seen.clear()
                unseen.add(look.kind)
            elif event == "SYNCED":
                unseen.discard(look.kind)
            elif event == "DELETED":
                seen.pop(name_of(obj), None)
            else:
                seen[name_of(obj)] = obj
            if not unseen:
                yield View(question.target, objects)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def kind_or_none(kube: Kube, api_version: str, kind: str) -> Kind | None:
    """The kind as the API server knows it; None when it does not (yet)."""
    try:
        return await kube.kind(api_version, kind)
    except KubeError as error:
        if error.code == 404:
            return None
        raise
