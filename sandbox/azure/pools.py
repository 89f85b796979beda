"""Agent pools in a running cluster: nodes come, change in place, and go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from sandbox.azure import ids, nodes, sizes
from sandbox.azure.errors import invalid
from sandbox.azure.rules.network import AZURE_KEEPS, Network, subnet_range
from sandbox.azure.store import Record, Store
from sandbox.kube import Json, Kube, KubeError

READY_SECONDS = 60.0
"""How long a new node may take to be Ready; kwok needs about two seconds."""

_MANAGED_RANGE = Network("10.224.0.0/16")
"""Where nodes live when the cluster has no subnet of its own (AKS's managed network)."""


class Pools:
    """The nodes of one cluster's agent pools. What exists is in the pool's record; the API server follows."""

    def __init__(self, kube: Kube, store: Store, cluster: nodes.Cluster) -> None:
        self.kube, self._store, self.cluster = kube, store, cluster

    def members(self, pool: Record) -> dict[int, Json]:
        """The pool's machines by their index: `zone`, `address`, the `version` and `image` they run.

        Of an upgrade: `surge` is true for a machine that is there only for its time, `quarantined` for an old one that
        could not be drained and has been replaced.
        """
        found: Json = pool.hidden.setdefault("nodes", {})
        return {int(index): machine for index, machine in found.items()}

    def node_names(self, pool: Record) -> list[str]:
        return [self.name(pool, index) for index in sorted(self.members(pool))]

    async def grow(self, pool: Record, count: int, *, surge: bool = False) -> list[int]:
        """Add machines of the pool's version and image and wait until their nodes are Ready; their indices.

        Raises `ArmError` when the subnet has no address left.
        """
        added: list[int] = []
        for _ in range(count):
            index = int(pool.hidden.get("next", 0))
            pool.hidden["next"] = index + 1
            pool.hidden.setdefault("nodes", {})[str(index)] = {
                "zone": next_zone(pool.state.get("availabilityZones") or [], self.members(pool).values()),
                "address": self._free_address(pool),
                **_model(pool),
                **({"surge": True} if surge else {}),
            }
            added.append(index)
        self.save(pool)
        for index in added:
            await self.ensure(pool, index)
        await self._ready([self.name(pool, index) for index in added])
        return added

    def save(self, pool: Record) -> None:
        """Write the machines down. What Azure counts are neither those of a surge nor those in quarantine."""
        machines = self.members(pool).values()
        pool.state["count"] = sum(not (one.get("surge") or one.get("quarantined")) for one in machines)
        self._store.save()

    def behind(self, pool: Record) -> list[int]:
        """The machines that do not run the pool's version and image, oldest first."""
        return [index for index, one in sorted(self.members(pool).items()) if self._model_of(pool, one) != _model(pool)]

    async def reimage(self, pool: Record, indices: Sequence[int]) -> None:
        """The machines get the pool's version and image: their nodes go, with what is on them, and come back empty."""
        await self._take_nodes(pool, indices)
        for index in indices:
            self.members(pool)[index].update(_model(pool))
        self.save(pool)
        for index in indices:
            await self.ensure(pool, index)
        await self._ready([self.name(pool, index) for index in indices])

    async def ensure(self, pool: Record, index: int) -> None:
        """Create the node of a machine, with its status and CSINode, unless it is there."""
        machine = self.members(pool)[index]
        state = self._state_of(pool, machine)
        wanted = nodes.node(self.cluster, ids.name(pool.id), state, index, machine["zone"], machine["address"])
        name = wanted["metadata"]["name"]
        found = await self.kube.find("v1", "Node", name)
        if found is None:
            found = await self.kube.create(wanted)  # with its status, as a kubelet registers
        else:
            await self.kube.merge("v1", "Node", name, {"status": wanted["status"]}, subresource="status")
        if await self.kube.find("storage.k8s.io/v1", "CSINode", name) is None:
            size = sizes.of(pool.state)
            await self.kube.create(nodes.csi_node(found, size.data_disks))

    async def update(self, pool: Record, old_labels: Json, old_taints: Sequence[str]) -> None:
        """Bring labels and taints of the pool's nodes to what its record says; others' taints stay."""
        for index, machine in self.members(pool).items():
            name = self.name(pool, index)
            state = self._state_of(pool, machine)
            wanted = nodes.labels(self.cluster, ids.name(pool.id), state, name, machine["zone"])
            gone = {key: None for key in old_labels if key not in wanted}
            await self._patch(name, {**wanted, **gone}, nodes.taints(old_taints), pool)

    async def _patch(self, name: str, labels: dict[str, str | None], before: list[Json], pool: Record) -> None:
        wanted = nodes.taints(pool.state.get("nodeTaints") or [])
        while True:
            found = await self.kube.get("v1", "Node", name)
            others = [taint for taint in found["spec"].get("taints") or [] if _bare(taint) not in before]
            others = [taint for taint in others if _bare(taint) not in wanted]
            patch = {
                "metadata": {"labels": labels, "resourceVersion": found["metadata"]["resourceVersion"]},
                "spec": {"taints": others + wanted},
            }
            try:
                await self.kube.merge("v1", "Node", name, patch)
                return
            except KubeError as error:
                if error.code != 409:
                    raise

    async def remove(self, pool: Record, indices: Sequence[int] | None = None) -> None:
        """Machines are gone, all of the pool's when none are named: their nodes, and at once the pods on them."""
        machines = pool.hidden.setdefault("nodes", {})
        taken = [i for i in (self.members(pool) if indices is None else indices) if str(i) in machines]
        await self._take_nodes(pool, taken)
        for index in taken:
            machines.pop(str(index), None)
        self.save(pool)

    async def _take_nodes(self, pool: Record, indices: Sequence[int]) -> None:
        names = {self.name(pool, index) for index in indices}
        for name in sorted(names):
            await self.kube.delete("v1", "Node", name)
        for pod in await self.kube.list("v1", "Pod"):
            if pod["spec"].get("nodeName") in names:
                meta = pod["metadata"]
                try:
                    await self.kube.delete(
                        "v1", "Pod", meta["name"], meta["namespace"], grace_seconds=0, uid=meta["uid"]
                    )
                except KubeError as error:
                    if error.code != 409:  # another pod has the name by now
                        raise

    def name(self, pool: Record, index: int) -> str:
        """A machine's node."""
        return nodes.name(self.cluster, ids.name(pool.id), index)

    def _model_of(self, pool: Record, machine: Json) -> Json:
        """What a machine runs; one of an older record runs what its pool says."""
        return {name: machine.get(name, value) for name, value in _model(pool).items()}

    def _state_of(self, pool: Record, machine: Json) -> Json:
        """The pool's state as it is for one machine."""
        runs = self._model_of(pool, machine)
        return pool.state | {"currentOrchestratorVersion": runs["version"], "nodeImageVersion": runs["image"]}

    def _free_address(self, pool: Record) -> str:
        subnet_id = pool.state.get("vnetSubnetID")
        subnet = self._store.find(subnet_id) if subnet_id else None
        where = subnet_range(subnet.state) if subnet is not None else _MANAGED_RANGE
        taken = used_addresses(self._store)
        hosts = range(AZURE_KEEPS - 1, where.num_addresses - 1)
        free = next((str(where[i]) for i in hosts if str(where[i]) not in taken), None)
        if free is None:
            raise invalid(
                f"Pre-allocated IPs exceed the IPs available in Subnet Cidr {where}, Subnet Name "
                f"{ids.name(subnet_id or 'aks-subnet')}. http://aka.ms/aks/insufficientsubnetsize",
                "InsufficientSubnetSize",
            )
        return free

    async def _ready(self, names: Sequence[str]) -> None:
        waiting = set(names)
        try:
            async with asyncio.timeout(READY_SECONDS):
                while waiting:
                    for found in await self.kube.list("v1", "Node"):
                        if is_ready(found):
                            waiting.discard(found["metadata"]["name"])
                    if waiting:
                        await asyncio.sleep(0.2)
        except TimeoutError:
            raise invalid(
                f"The nodes {', '.join(sorted(waiting))} are not Ready after {READY_SECONDS:.0f} s; see logs/ of the "
                "local plane.",
                "NodesNotReady",
            ) from None


def _model(pool: Record) -> Json:
    """What new machines of the pool run."""
    return {"version": pool.state["currentOrchestratorVersion"], "image": pool.state["nodeImageVersion"]}


def used_addresses(store: Store) -> set[str]:
    """Every address that a machine of any pool has."""
    return {machine["address"] for record in store.all() for machine in (record.hidden.get("nodes") or {}).values()}


def next_zone(zones: Sequence[str], machines: Iterable[Json]) -> str | None:
    """The zone with the fewest machines, as a scale set balances them; None for a pool without zones."""
    placed = [machine["zone"] for machine in machines]
    return min(sorted(zones), key=placed.count) if zones else None


def is_ready(node: Json) -> bool:
    """Whether pods can be placed on a node: its kubelet has said so, and the controllers have taken notice."""
    if any(taint["key"] == "node.kubernetes.io/not-ready" for taint in node["spec"].get("taints") or []):
        return False
    conditions = (node.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _bare(taint: Json) -> Json:
    return {key: value for key, value in taint.items() if key in ("key", "value", "effect") and value}
