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
        """The pool's machines by their index: zone and address."""
        found: Json = pool.hidden.setdefault("nodes", {})
        return {int(index): machine for index, machine in found.items()}

    def node_names(self, pool: Record) -> list[str]:
        return [nodes.name(self.cluster, ids.name(pool.id), index) for index in sorted(self.members(pool))]

    async def grow(self, pool: Record, count: int) -> list[str]:
        """Add machines to the pool and wait until their nodes are Ready; the nodes' names.

        Raises `ArmError` when the subnet has no address left.
        """
        added = []
        for _ in range(count):
            index = int(pool.hidden.get("next", 0))
            pool.hidden["next"] = index + 1
            pool.hidden.setdefault("nodes", {})[str(index)] = {
                "zone": next_zone(pool.state.get("availabilityZones") or [], self.members(pool).values()),
                "address": self._free_address(pool),
            }
            added.append(index)
        pool.state["count"] = len(self.members(pool))
        self._store.save()
        for index in added:
            await self.ensure(pool, index)
        names = [nodes.name(self.cluster, ids.name(pool.id), index) for index in added]
        await self._ready(names)
        return names

    async def ensure(self, pool: Record, index: int) -> None:
        """Create the node of a machine, with its status and CSINode, unless it is there."""
        machine = self.members(pool)[index]
        wanted = nodes.node(self.cluster, ids.name(pool.id), pool.state, index, machine["zone"], machine["address"])
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
            name = self._name(pool, index)
            wanted = nodes.labels(self.cluster, ids.name(pool.id), pool.state, name, machine["zone"])
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

    async def remove(self, pool: Record) -> None:
        """The pool's machines are gone: their nodes, and at once the pods on them."""
        names = set(self.node_names(pool))
        for name in sorted(names):
            await self.kube.delete("v1", "Node", name)
        for pod in await self.kube.list("v1", "Pod"):
            if pod["spec"].get("nodeName") in names:
                meta = pod["metadata"]
                await self.kube.delete("v1", "Pod", meta["name"], meta["namespace"], grace_seconds=0, uid=meta["uid"])
        pool.hidden["nodes"] = {}
        self._store.save()

    def _name(self, pool: Record, index: int) -> str:
        return nodes.name(self.cluster, ids.name(pool.id), index)

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
