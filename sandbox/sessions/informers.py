"""Watched copies of all that matters to sessions, and the view made of them."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from sandbox.hosted.host import Json
from sandbox.hosted.store import Store
from sandbox.kube import Kube, KubeError
from sandbox.sessions import objects, redis
from sandbox.sessions.model import Role
from sandbox.sessions.objects import Node, Pod, Workload
from sandbox.sessions.redis import Elected
from sandbox.sessions.view import View

KINDS = (
    ("v1", "Pod"),
    ("v1", "Node"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "Ingress"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("speechmatics.com/v1", "SessionGroup"),
)
WORKLOADS = ("Deployment", "StatefulSet", "SessionGroup")

REMEMBERED = 10_000
"""How many pods that no longer exist are remembered."""

NO_SUCH_KIND_SECONDS = 1.0
"""How soon a cluster without the CRD is asked for it again."""


class Informers:
    """The copies; `changed` is told which pods look different (their uids; None: any of them may)."""

    def __init__(
        self, kube: Kube, namespace: str | None, changed: Callable[[str | None], None], factor: Callable[[], float]
    ) -> None:
        """`namespace`: look at this one only; None: at all of them. `factor`: what the clocks are divided by."""
        self._kube, self._namespace, self._changed, self._factor = kube, namespace, changed, factor
        self.stores = {kind: Store(functools.partial(self._saw, kind)) for _, kind in KINDS}
        self._pods: dict[str, Pod] = {}
        self._gone: OrderedDict[str, Pod] = OrderedDict()
        self._nodes: dict[str, Node] = {}
        self._workloads: dict[str, Workload] = {}
        self._view: View | None = None
        self._view_until = math.inf
        self._elected: Elected | None = None
        self._without_redis: float | None = None
        self._served: object = None
        self.reloads: list[float] = []
        """When the ingress controllers last wrote another configuration (seconds since the epoch), in order."""

    async def follow(self) -> None:
        """Keep the copies true for ever. Raises `KubeError` when the server refuses a list or a watch."""
        async with asyncio.TaskGroup() as tasks:
            for api_version, kind in KINDS:
                tasks.create_task(self._follow(api_version, kind))

    async def synced(self) -> None:
        """Returns when everything has been listed once."""
        for store in self.stores.values():
            await store.synced.wait()
        self._view = None
        self._note_configuration()
        self.reloads.clear()

    async def _follow(self, api_version: str, kind: str) -> None:
        store = self.stores[kind]
        while True:
            try:
                await store.follow(self._kube, api_version, kind, None if kind == "Node" else self._namespace)
            except KubeError as error:
                if error.code != 404:
                    raise
                store.synced.set()  # there can be none of a kind that does not exist
                await asyncio.sleep(NO_SUCH_KIND_SECONDS)

    @property
    def view(self) -> View:
        """All of it, as it is now."""
        now = time.time()
        if self._view is None or now >= self._view_until:
            view = View(
                pods=dict(self._pods),
                gone=self._gone,
                nodes=dict(self._nodes),
                workloads=dict(self._workloads),
                services=self.stores["Service"].all(),
                slices=self.stores["EndpointSlice"].all(),
                ingresses=self.stores["Ingress"].all(),
            )
            self._view = self._with_redis(view, now)
        return self._view

    def _with_redis(self, view: View, now: float) -> View:
        """The same, and what has become of Redis since the last view; before all is listed nobody knows."""
        if not all(store.synced.is_set() for store in self.stores.values()):
            return view
        pods = view.by_role[Role.REDIS]
        clocks = redis.sentinels(pods, self.config_maps, self._factor())
        ready = {pod.uid for pod in pods if view.takes_calls(pod)}
        nodes = [pod for pod in pods if pod.uid in clocks]
        self._elected = redis.elected(self._elected, nodes, ready, clocks, now)
        waiting = self._elected is not None and self._elected.away is not None and now < self._elected.over
        self._view_until = self._elected.over if self._elected and waiting else math.inf
        view = dataclasses.replace(view, elected=self._elected)
        away = view.away(Role.REDIS)
        self._without_redis = (self._without_redis or now) if away else None
        return dataclasses.replace(view, without_redis=self._without_redis)

    @property
    def config_maps(self) -> list[Json]:
        return self.stores["ConfigMap"].all()

    def _saw(self, kind: str, obj: Json) -> None:
        """An object came, changed or went."""
        held = self.stores[kind].get(obj["metadata"]["uid"])
        if kind == "Pod":
            self._saw_pod(obj["metadata"]["uid"], held)
        elif kind == "Node":
            known = self._nodes.pop(obj["metadata"]["name"], None)
            if held is not None:
                self._nodes[obj["metadata"]["name"]] = objects.node(held)
            if known != self._nodes.get(obj["metadata"]["name"]):
                self._view = None
                self._changed(None)
        elif kind in WORKLOADS:
            self._workloads.pop(obj["metadata"]["uid"], None)
            if held is not None:
                self._workloads[obj["metadata"]["uid"]] = objects.workload(kind, held)
            self._view = None
        else:
            self._view = None
            if all(store.synced.is_set() for store in self.stores.values()) and self._note_configuration():
                self._changed(None)

    def _saw_pod(self, uid: str, held: Json | None) -> None:
        known = self._pods.get(uid)
        if held is not None:
            self._pods[uid] = objects.told_before(objects.pod(held), known, time.time())
        elif known is not None:
            del self._pods[uid]
            self._gone[uid] = known
            while len(self._gone) > REMEMBERED:
                self._gone.popitem(last=False)
        if known != self._pods.get(uid):
            self._view = None
            self._changed(uid)

    def _note_configuration(self) -> bool:
        """Write down that nginx is given another configuration, which makes it start new workers; whether it is so.

        F5's controller does that for its ConfigMap, for Ingresses, and without NGINX Plus for endpoints too.
        """
        view = self.view
        maps = {pod.config_map for pod in view.by_role[Role.INGRESS]}
        served = (
            sorted((each["metadata"]["uid"], _text(each)) for each in view.ingresses),
            sorted(
                (each["metadata"]["uid"], repr(each.get("data")))
                for each in self.config_maps
                if (each["metadata"]["namespace"], each["metadata"]["name"]) in maps
            ),
            view.endpoints,
        )
        another = served != self._served
        self._served = served
        if another:
            self.reloads.append(time.time())
        return another


def _text(ingress: Json) -> str:
    """What of an Ingress goes into the configuration."""
    return repr((ingress["spec"], sorted((ingress["metadata"].get("annotations") or {}).items())))
