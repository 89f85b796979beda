"""Does what the plan says: watches SessionGroups and pods of one namespace and works on one group at a time each.

Every step is idempotent and all truth is in the API server: the version of the template is written to the status
before a pod carries it, a pod is deleted only in the state it was judged in, and every write is read back before the
next decision.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sandbox.hosted.events import Recorder
from sandbox.hosted.store import Store, first_refusal
from sandbox.hosted.times import rfc3339
from sandbox.kube import Kube, KubeError
from sandbox.sessions.rows import ActiveNodes, IdleRolling, Rows
from sandbox.twin import template
from sandbox.twin.model import (
    API_VERSION,
    IDLE_SINCE,
    KIND,
    SAFE_TO_EVICT,
    Group,
    Json,
    Pod,
    group,
    node_lost,
    pod,
    sessions,
)
from sandbox.twin.plan import Action, Create, Delete, MarkIdle, MarkSafe, Plan, Refuse, SetReplicas, plan, safe_marks
from sandbox.twin.queue import WorkQueue
from sandbox.twin.status import status

log = logging.getLogger(__name__)

NAME = "sessiongroups-controller"
"""Of its events, its field manager and its Lease (the Lease's name is not known of the vendor's controller)."""

WORKERS = 8
"""Groups worked on side by side."""
CREATE_TRIES = 3
"""How often a create under one name is sent when its answer was lost."""


def owner_uid(obj: Json) -> str | None:
    """The uid of the SessionGroup that controls this object."""
    for owner in obj["metadata"].get("ownerReferences") or []:
        if owner.get("controller") and owner["kind"] == KIND and owner["apiVersion"] == API_VERSION:
            return str(owner["uid"])
    return None


class Controller:
    """The controller of one namespace, acting through `kube` with that connection's rights."""

    def __init__(
        self, kube: Kube, namespace: str, time_factor: Callable[[], float], rows: Callable[[], Rows] = Rows
    ) -> None:
        self._kube, self._namespace, self._time_factor, self._rows = kube, namespace, time_factor, rows
        self._queue: WorkQueue[str] = WorkQueue()
        self._groups = Store(lambda obj: self._queue.add(obj["metadata"]["uid"]))
        self._pods = Store(self._pod_changed)
        self._nodes = Store(self._node_changed)
        self._lost_nodes: dict[str, bool] = {}
        """By the name of each node there is, whether it does not answer."""
        self._recorder = Recorder(kube, NAME)
        self._refusals: dict[str, tuple[Refuse, ...]] = {}

    async def run(self) -> None:
        """Work for ever. Raises `KubeError` when the server refuses to list or watch."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._groups.follow(self._kube, API_VERSION, KIND, self._namespace))
                tasks.create_task(self._pods.follow(self._kube, "v1", "Pod", self._namespace))
                tasks.create_task(self._nodes.follow(self._kube, "v1", "Node", None))
                await self._groups.synced.wait()
                await self._pods.synced.wait()
                await self._nodes.synced.wait()
                for _ in range(WORKERS):
                    tasks.create_task(self._work())
        except BaseExceptionGroup as errors:
            refused = first_refusal(errors)
            if refused is None:
                raise
            raise refused from None
        finally:
            self._queue.close()

    def _pod_changed(self, obj: Json) -> None:
        if uid := owner_uid(obj):
            self._queue.add(uid)

    def _node_changed(self, obj: Json) -> None:
        name, held = obj["metadata"]["name"], self._nodes.get(obj["metadata"]["uid"])
        before = self._lost_nodes.pop(name, None)
        if held is not None:
            self._lost_nodes[name] = node_lost(held)
        if before != self._lost_nodes.get(name):
            for each in self._pods.all():
                if each["spec"].get("nodeName") == name:
                    self._pod_changed(each)

    async def _lost(self, obj: Json) -> bool:
        """Whether the pod's node does not answer or is gone; one that the watch does not know is asked for."""
        node = obj["spec"].get("nodeName")
        if not node:
            return False
        if node not in self._lost_nodes:
            try:
                return node_lost(await self._kube.get("v1", "Node", node))
            except KubeError as error:
                if error.code != 404:
                    raise
                return True
        return self._lost_nodes[node]

    async def _work(self) -> None:
        while True:
            uid = await self._queue.get()
            failed = False
            try:
                await self._reconcile(uid)
            except KubeError as error:
                failed = True
                await self._report(uid, error)
            finally:
                self._queue.done(uid, failed)

    async def _report(self, uid: str, error: KubeError) -> None:
        if error.code in (409, 404):
            log.info("group %s: %s; looking again", uid, error.message)
            return
        obj = self._group_object(uid)
        if obj is not None:
            await self._recorder.record(obj, "Warning", "ReconcileFailed", f"{error.code} {error.message}")

    def _group_object(self, uid: str) -> Json | None:
        found = (obj for obj in self._groups.all() if obj["metadata"]["uid"] == uid)
        return next(({"apiVersion": API_VERSION, "kind": KIND, **obj} for obj in found), None)

    def _owned(self, uid: str) -> dict[str, Json]:
        return {obj["metadata"]["uid"]: obj for obj in self._pods.all() if owner_uid(obj) == uid}

    async def _reconcile(self, uid: str) -> None:
        obj = self._group_object(uid)
        if obj is None:
            self._refusals.pop(uid, None)
            return
        objects = self._owned(uid)
        rows = self._rows()
        by_label = rows.idle_rolling is IdleRolling.LABEL
        pods = [pod(owned, by_label, await self._lost(owned)) for owned in objects.values()]
        parsed = await self._write_status(group(obj), pods)
        assert parsed.status is not None
        version = int(parsed.status["specVersion"])
        marks = [] if parsed.deleting else safe_marks(pods, rows.safe_to_evict)
        decided = Plan(tuple(marks)) if marks else plan(parsed, version, pods, time.time(), self._time_factor())
        await self._tell(obj, tuple(action for action in decided.actions if isinstance(action, Refuse)))
        for action in decided.actions:
            await self._do(obj, parsed, version, objects, action)
        self._look_again(uid, decided)

    def _look_again(self, uid: str, decided: Plan) -> None:
        if any(not isinstance(action, Refuse) for action in decided.actions):
            self._queue.add(uid)
        elif decided.again_in is not None:
            self._queue.add_later(uid, decided.again_in)

    async def _write_status(self, parsed: Group, pods: list[Pod]) -> Group:
        """Bring the status up to date; the group as it is then."""
        digest = template.spec_hash(parsed.template, parsed.name)
        wanted = status(pods, digest, template.spec_version(parsed, digest, pods))
        if wanted == parsed.status:
            return parsed
        patch = {"metadata": {"resourceVersion": parsed.resource_version}, "status": wanted}
        written = await self._kube.merge(API_VERSION, KIND, parsed.name, patch, parsed.namespace, "status")
        self._groups.wrote(written)
        return group(written)

    async def _tell(self, obj: Json, refusals: tuple[Refuse, ...]) -> None:
        """Record each refusal once, until it is no longer one."""
        uid = obj["metadata"]["uid"]
        for refusal in refusals:
            if refusal not in self._refusals.get(uid, ()):
                await self._recorder.record(obj, "Warning", refusal.reason, refusal.message)
        self._refusals[uid] = refusals

    async def _do(self, obj: Json, parsed: Group, version: int, objects: dict[str, Json], action: Action) -> None:
        match action:
            case SetReplicas():
                await self._scale(obj, parsed, action)
            case Create():
                await self._create(obj, parsed, version, action)
            case Delete():
                await self._delete(obj, objects[action.pod.uid], action)
            case MarkIdle(since=since):
                when = None if since is None else rfc3339(since)
                await self._mark(objects[action.pod.uid], {"annotations": {IDLE_SINCE: when}})
            case MarkSafe(value=value):
                await self._mark(objects[action.pod.uid], {"labels": {SAFE_TO_EVICT: value}})
            case Refuse():
                pass

    async def _scale(self, obj: Json, parsed: Group, action: SetReplicas) -> None:
        patch = {
            "metadata": {"resourceVersion": parsed.resource_version},
            "spec": {"replicas": action.replicas},
        }
        self._groups.wrote(await self._kube.merge(API_VERSION, KIND, parsed.name, patch, parsed.namespace))
        await self._recorder.record(
            obj, "Normal", "Scaled", f"replicas {parsed.replicas} -> {action.replicas}: {action.reason}"
        )

    async def _create(self, obj: Json, parsed: Group, version: int, action: Create) -> None:
        nodes = self._active_nodes() if parsed.active_nodes else []
        manifest = template.pod_manifest(parsed, version, template.pod_name(parsed.name), nodes)
        created = await self._create_once(manifest)
        self._pods.wrote(created)
        await self._recorder.record(
            obj, "Normal", "PodCreated", f"created pod {created['metadata']['name']}: {action.reason}"
        )

    def _active_nodes(self) -> list[str]:
        """Nodes that carry sessions, by name, where the row says that the controller looks at them."""
        if self._rows().active_nodes is ActiveNodes.IGNORED:
            return []
        busy = {each["spec"].get("nodeName") for each in self._pods.all() if sessions(each)}
        return sorted(name for name in busy if name and not self._lost_nodes.get(name))

    async def _create_once(self, manifest: Json) -> Json:
        """Create the pod; when the answer is lost, ask again under the same name instead of making a second one."""
        name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
        for attempt in range(CREATE_TRIES):
            try:
                return await self._kube.create(manifest)
            except KubeError as error:
                lost = error.code == 0 or error.code >= 500
                if attempt > 0 and error.reason == "AlreadyExists":
                    return await self._kube.get("v1", "Pod", name, namespace)
                if not lost or attempt == CREATE_TRIES - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _delete(self, obj: Json, target: Json, action: Delete) -> None:
        meta = target["metadata"]
        answer = await self._kube.delete(
            "v1", "Pod", meta["name"], meta["namespace"],
            uid=meta["uid"], resource_version=meta["resourceVersion"],
        )  # fmt: skip
        self._pods.deleted(target, answer)
        await self._recorder.record(obj, "Normal", "PodDeleted", f"deleted pod {meta['name']}: {action.reason}")

    async def _mark(self, target: Json, what: Json) -> None:
        meta = target["metadata"]
        patch = {"metadata": {"resourceVersion": meta["resourceVersion"], **what}}
        self._pods.wrote(await self._kube.merge("v1", "Pod", meta["name"], patch, meta["namespace"]))
