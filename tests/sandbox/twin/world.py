"""A namespace with the vendor's controller deployed in it, for tests of the twin against a real API server.

There are no nodes: a pod is made Ready, busy or stuck by writing what a kubelet, or a session, would write.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import yaml

from sandbox.kube import Kube, KubeError
from sandbox.twin.controller import Controller
from sandbox.twin.instance import instances
from tests.sandbox.twin.objects import ACCOUNT, API_VERSION, NAME, RULES, Json, crd

SESSIONS = "sandbox.sm-realtime/sessions"
RBAC = "rbac.authorization.k8s.io/v1"


async def eventually(condition: Callable[[], Awaitable[Any]], what: str, within: float = 90.0) -> Any:
    """Wait until the condition is true; its value."""
    end = asyncio.get_running_loop().time() + within
    while True:
        value = await condition()
        if value:
            return value
        assert asyncio.get_running_loop().time() < end, f"not within {within} s: {what}"
        await asyncio.sleep(0.05)


class LateNews(Kube):
    """A connection that hears of every change to some kinds late."""

    kinds: tuple[str, ...] = ()
    lag = 0.5
    """Seconds by which each event is later than the one before it."""

    async def watch(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> AsyncGenerator[tuple[str, Json], None]:
        synced = False
        async with contextlib.aclosing(super().watch(api_version, kind, namespace, labels, fields)) as changes:
            async for event, obj in changes:
                if kind in self.kinds and synced:
                    await asyncio.sleep(self.lag)
                synced = synced or event == "SYNCED"
                yield event, obj


class World:
    """One namespace: what a test does to it and sees of it."""

    def __init__(self, admin: Kube, kubeconfig: str, namespace: str) -> None:
        self.admin, self.kubeconfig, self.namespace = admin, kubeconfig, namespace
        self.held: set[str] = set()
        """Pods whose name starts with one of these are not made Ready."""

    async def ensure(self, obj: Json) -> None:
        try:
            await self.admin.create(obj)
        except KubeError as error:
            if error.reason != "AlreadyExists":
                raise

    async def install(self) -> None:
        """CRD, namespace and the service accounts; no rights and no controller yet."""
        await self.ensure(crd())
        await eventually(self._crd_is_served, "the CRD is served")
        await self.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        for account in ("default", ACCOUNT):
            meta = {"name": account, "namespace": self.namespace}
            await self.ensure({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})

    async def _crd_is_served(self) -> bool:
        try:
            await self.admin.list(API_VERSION, "SessionGroup", self.namespace)
        except KubeError as error:
            if error.code in (404, 429, 503):  # not served yet, or its storage is being set up
                return False
            raise
        return True

    async def grant(self, rules: list[Json] | None = None) -> None:
        """The controller's rights: all of the contract's, or these."""
        name = f"{self.namespace}-sessiongroups-controller"
        role = {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules or RULES}
        await self.admin.apply(role, force=True)
        binding = {
            "apiVersion": RBAC,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": self.namespace}],
        }
        await self.admin.apply(binding, force=True)

    async def deploy(
        self,
        name: str = "sessiongroups-controller-0",
        ready: bool = True,
        args: Sequence[str] = ("--leader-elect",),
        **variables: str,
    ) -> Json:
        """The controller's pod, as its Deployment makes it."""
        given = {"TRANSCRIBER_NAMESPACE": self.namespace, **variables}
        container = {
            "name": "sessiongroups-controller",
            "image": "registry.example/sessiongroups-controller:1",
            "args": list(args),
            "env": [{"name": key, "value": value} for key, value in given.items()],
        }
        pod = await self.admin.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "namespace": self.namespace,
                    "labels": {"control-plane": "sessiongroups-controller"},
                },
                "spec": {"serviceAccountName": ACCOUNT, "containers": [container]},
            }
        )
        if ready:
            await self.ready(name)
        return pod

    async def ready(self, pod: str, value: bool = True, phase: str = "Running") -> None:
        conditions = [{"type": "Ready", "status": str(value)}]
        await self.admin.merge(
            "v1", "Pod", pod, {"status": {"phase": phase, "conditions": conditions}}, self.namespace, "status"
        )

    async def sessions(self, pod: str, count: int) -> None:
        patch = {"metadata": {"annotations": {SESSIONS: str(count)}}}
        await self.admin.merge("v1", "Pod", pod, patch, self.namespace)

    async def run_on(self, pod: str, node: str) -> None:
        """Bind the pod, so that it is not gone at once when it is deleted; the node need not exist."""
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod},
                   "target": {"apiVersion": "v1", "kind": "Node", "name": node}}  # fmt: skip
        await self.admin.request("POST", f"/api/v1/namespaces/{self.namespace}/pods/{pod}/binding", binding)

    async def node(self, name: str) -> None:
        """A cordoned node that nobody keeps alive: its lease is taken, so kwok stays away from it."""
        renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": "test", "leaseDurationSeconds": 3600, "renewTime": renewed}
        meta = {"name": name, "namespace": "kube-node-lease"}
        await self.ensure({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec})
        meta = {"name": name}
        await self.ensure({"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {"unschedulable": True}})

    async def node_is(self, name: str, ready: str) -> None:
        status = {"conditions": [{"type": "Ready", "status": ready}]}
        await self.admin.merge("v1", "Node", name, {"status": status}, None, "status")

    async def node_is_back(self, name: str) -> None:
        """kwok takes the node, as a kubelet that is there again."""
        await self.admin.delete("coordination.k8s.io/v1", "Lease", name, "kube-node-lease")

    async def create(self, group: Json) -> Json:
        group["metadata"]["namespace"] = self.namespace
        return await self.admin.create(group)

    async def change(self, group: Json, **spec: Any) -> None:
        await self.admin.merge(API_VERSION, "SessionGroup", group["metadata"]["name"], {"spec": spec}, self.namespace)

    async def group(self, name: str = NAME) -> Json:
        return await self.admin.get(API_VERSION, "SessionGroup", name, self.namespace)

    async def pods(self, group: str = NAME) -> list[Json]:
        found = await self.admin.list("v1", "Pod", self.namespace)
        owners = {p["metadata"]["name"]: p["metadata"].get("ownerReferences") or [] for p in found}
        return [p for p in found if any(owner["name"] == group for owner in owners[p["metadata"]["name"]])]

    async def names(self, group: str = NAME, version: int | None = None) -> list[str]:
        """Live pods of a group (of one template version), by name."""
        return sorted(
            p["metadata"]["name"]
            for p in await self.pods(group)
            if "deletionTimestamp" not in p["metadata"]
            and version in (None, int(p["metadata"]["labels"]["speechmatics.com/spec-version"]))
        )

    async def status_is(self, group: str = NAME, within: float = 90.0, **fields: Any) -> Json:
        async def condition() -> Json | None:
            status: Json = (await self.group(group)).get("status") or {}
            return status if fields.items() <= status.items() else None

        found = await eventually(condition, f"status of {group} has {fields}", within)
        assert isinstance(found, dict)
        return found

    async def events(self, reason: str) -> list[Json]:
        return await self.admin.list("v1", "Event", self.namespace, fields=f"reason={reason}")

    async def event(self, reason: str) -> Json:
        async def condition() -> Json | None:
            found = await self.events(reason)
            return found[0] if found else None

        found = await eventually(condition, f"an event {reason}")
        assert isinstance(found, dict)
        return found

    @asynccontextmanager
    async def late_controller(self, *kinds: str) -> AsyncIterator[None]:
        """A controller (with the administrator's rights) that hears of these kinds late."""
        async with LateNews(self.kubeconfig, "late") as kube:
            kube.kinds = kinds
            async with background(Controller(kube, self.namespace, lambda: 1).run()):
                yield

    @asynccontextmanager
    async def kubelet(self) -> AsyncIterator[None]:
        """Make the pods of SessionGroups Ready as they come, but for those held back."""

        async def play() -> None:
            async with contextlib.aclosing(self.admin.watch("v1", "Pod", self.namespace)) as changes:
                async for event, pod in changes:
                    if event not in ("ADDED", "MODIFIED") or not pod["metadata"].get("ownerReferences"):
                        continue
                    name = pod["metadata"]["name"]
                    if pod["status"].get("phase") == "Pending" and not name.startswith(tuple(self.held)):
                        with contextlib.suppress(KubeError):  # it may be gone by now
                            await self.ready(name)

        async with background(play()):
            yield

    @asynccontextmanager
    async def twin(self, time_factor: float = 1.0) -> AsyncIterator[None]:
        """The twin, playing with the administrator's kubeconfig."""
        async with Kube(self.kubeconfig, "sessiongroups-controller") as admin:
            playing = instances(admin, yaml.safe_load(self.kubeconfig), lambda: time_factor)
            async with background(playing.run()):
                yield


@asynccontextmanager
async def background(work: Awaitable[None]) -> AsyncIterator[None]:
    """Run beside the block, end with it; what it raises is raised."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def nothing_happens(world: World, names: list[str]) -> None:
    """For a second, more than ten times what a change takes."""
    for _ in range(10):
        assert await world.names() == names
        await asyncio.sleep(0.1)


async def all_ready(world: World, count: int) -> None:
    async def condition() -> bool:
        pods = [p for p in await world.pods() if "deletionTimestamp" not in p["metadata"]]
        ready = [p for p in pods if any(c["type"] == "Ready" for c in p["status"].get("conditions", []))]
        return len(ready) == len(pods) == count

    await eventually(condition, f"{count} Ready pods")
