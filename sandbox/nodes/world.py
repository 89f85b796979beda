"""What the kubelets of one cluster know of it: nodes, Services, the pods they play; and where to read the rest."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from sandbox.kube import Json, Kube
from sandbox.nodes.clock import Clock, Signal
from sandbox.nodes.images import REGISTRIES, Registry, mirrors
from sandbox.nodes.recorder import Recorder

GPUS = "sandbox.sm-realtime/gpus"
"""Node annotation, written by whoever makes the node: how many GPUs are in the machine."""
SESSIONS = "sandbox.sm-realtime/sessions"
"""Pod annotation: how many sessions the pod holds."""

READ_SECONDS = 0.5
"""How old a Secret or ConfigMap may be that a pod is given. Real seconds; a kubelet watches them."""

TOUCH_SECONDS = 0.05
"""Changes within this time wake those who wait for them once. Real seconds."""

POD_NETWORK = ipaddress.ip_network("10.244.0.0/16")
"""The cluster's pod addresses; each node has a /24 of its own."""


class Process(Protocol):
    """A container, as others see it."""

    spec: Json
    env: Mapping[str, str]
    serving: bool

    def listens(self, port: int) -> bool: ...


class Played(Protocol):
    """A pod that is played, as others see it."""

    pod: Json

    @property
    def ready(self) -> bool: ...

    @property
    def processes(self) -> Iterator[Process]: ...


class Addresses:
    """Pod addresses, unique in the cluster, by node."""

    def __init__(self) -> None:
        self._blocks: dict[str, int] = {}
        self._taken: dict[str, str] = {}

    def hold(self, node: str, uid: str, address: str) -> None:
        """A pod has this address already."""
        if ipaddress.ip_address(address) in POD_NETWORK:
            self._blocks.setdefault(node, int(address.split(".")[2]))
            self._taken[uid] = address

    def take(self, node: str, uid: str) -> str:
        """The pod's address: the one it has, or the lowest free one of its node."""
        if uid in self._taken:
            return self._taken[uid]
        taken = set(self._taken.values())
        if node not in self._blocks:
            used = set(self._blocks.values()) | {int(address.split(".")[2]) for address in taken}
            self._blocks[node] = min(set(range(256)) - used)
        start = int(POD_NETWORK.network_address) + 256 * self._blocks[node]
        # .0 is the network, .1 the node's end of it
        free = (str(ipaddress.ip_address(start + host)) for host in range(2, 255))
        self._taken[uid] = next(address for address in free if address not in taken)
        return self._taken[uid]

    def forget(self, node: str) -> None:
        """The node is gone: its block can be another's once the last of its pods is."""
        self._blocks.pop(node, None)

    def free(self, uid: str) -> None:
        self._taken.pop(uid, None)


class World:
    """Shared by all pods that are played."""

    def __init__(self, kube: Kube, clock: Clock, registries: Mapping[str, Registry] = REGISTRIES) -> None:
        self.kube, self.clock, self._registries = kube, clock, registries
        self.recorder = Recorder(kube)
        self.addresses = Addresses()
        self.nodes: dict[str, Json] = {}
        self.services: dict[tuple[str, str], Json] = {}
        self.played: dict[str, Played] = {}
        self.pulled: set[tuple[str, str]] = set()
        """Node and image of every pull so far."""
        self.capacity_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Who writes a node's capacity, by node."""
        self._readings: dict[tuple[str, str, str], tuple[float, asyncio.Task[Json | None]]] = {}
        self.unmet: dict[tuple[str | None, ...], str | None] = {}
        """What processes wait for, as found since the last change (`sandbox.nodes.dependencies`)."""
        self.changed = Signal()
        """Fires soon after `touch`."""
        self._touched: asyncio.TimerHandle | None = None

    @property
    def registries(self) -> Mapping[str, Registry]:
        """Where images can be pulled from now."""
        return {**mirrors(self.clock.current.mirrors), **self._registries}

    def touch(self) -> None:
        """A pod became ready or stopped being so, a process listens, a Service changed."""
        self.unmet.clear()
        if self._touched is None:
            self._touched = asyncio.get_running_loop().call_later(TOUCH_SECONDS, self._tell)

    def _tell(self) -> None:
        self._touched = None
        self.changed.fire()

    async def secret(self, namespace: str, name: str) -> Json | None:
        return await self._read("Secret", namespace, name)

    async def config_map(self, namespace: str, name: str) -> Json | None:
        return await self._read("ConfigMap", namespace, name)

    async def _read(self, kind: str, namespace: str, name: str) -> Json | None:
        """One reading serves all pods that ask within `READ_SECONDS`: many of them mount the same objects."""
        key, now = (kind, namespace, name), time.monotonic()
        known = self._readings.get(key)
        if known is None or known[0] < now or (known[1].done() and known[1].exception() is not None):
            for old in [k for k, (until, _) in self._readings.items() if until < now]:
                del self._readings[old]
            reading = asyncio.create_task(self.kube.find("v1", kind, name, namespace))
            known = self._readings[key] = (now + READ_SECONDS, reading)
        return await asyncio.shield(known[1])

    def gpus(self, node: str) -> int:
        """GPUs in the machine of a node."""
        annotations = self.nodes.get(node, {}).get("metadata", {}).get("annotations") or {}
        return int(annotations.get(GPUS) or 0)

    def host_ip(self, node: str) -> str:
        """The node's InternalIP; empty when it has none."""
        addresses: list[dict[str, Any]] = self.nodes.get(node, {}).get("status", {}).get("addresses") or []
        return next((str(a["address"]) for a in addresses if a["type"] == "InternalIP"), "")


def sessions(pod: Json) -> int:
    """How many sessions the pod holds; what is not a number counts as one."""
    text = (pod["metadata"].get("annotations") or {}).get(SESSIONS) or "0"
    try:
        return max(0, int(text))
    except ValueError:
        return 1
