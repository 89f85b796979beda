"""Microsoft.ContainerService/managedClusters/agentPools: what a PUT and a DELETE of a pool do."""

from __future__ import annotations

import ipaddress

from sandbox.azure import ids, regions, sizes, versions
from sandbox.azure.catalogue import AGENT_POOL, SUBNET
from sandbox.azure.errors import ArmError, NotPlayedError, change_not_allowed, invalid
from sandbox.azure.live import Live
from sandbox.azure.nodes import image
from sandbox.azure.rolling import CanceledError, most, unfinished
from sandbox.azure.rules import cluster as cluster_rules
from sandbox.azure.rules import pool as pool_rules
from sandbox.azure.rules import upgrade as upgrade_rules
from sandbox.azure.rules.network import AZURE_KEEPS, Network, network, subnet_range
from sandbox.azure.store import Record, Store
from sandbox.rpc import Json

UNDER_WAY = ("Updating", "Upgrading")
"""The states of a cluster during a PUT over it."""


class AgentPools:
    """The pools of all clusters, the ones a cluster was created with among them."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store, self._live = store, live

    def of(self, cluster_id: str) -> list[Record]:
        """The pools of a cluster, oldest first."""
        return [record for record in self._store.under(cluster_id) if record.token == AGENT_POOL.token]

    def new(self, cluster_id: str, body: Json, cluster: Json, week: int = 0) -> Record:
        """A pool that passes every rule of its own, Creating, not stored yet. `body` is inline form, name and all.

        `week` is that of the newest node image.
        """
        name = body["name"]
        state = pool_rules.with_defaults(pool_body(body), cluster["kubernetesVersion"])
        pool_rules.check(state, cluster["kubernetesVersion"], self._live.offers)
        size = sizes.of(state)
        regions.check_size(cluster["location"], size.name, size.gpus)
        state |= {
            "name": name,
            "provisioningState": "Creating",
            "currentOrchestratorVersion": versions.resolve(
                state["orchestratorVersion"], self._live.offers, cluster.get("currentKubernetesVersion")
            ),
            "nodeImageVersion": image(week),
        }
        return Record(f"{cluster_id}/agentPools/{name}", AGENT_POOL.token, state)

    def check_ranges(self, cluster: Json, pools: list[Record]) -> None:
        """Subnets exist and are in one network, ranges do not overlap, every node finds an address and pod range."""
        custom = [pool.state.get("vnetSubnetID") for pool in pools]
        if any(custom) and not all(custom):
            raise invalid("Either every agent pool has a vnetSubnetID or none has.")
        vnets = {ids.key(ids.parent(subnet) or "") for subnet in custom if subnet}
        if len(vnets) > 1:
            raise invalid("All agent pools of a cluster must be in one virtual network.", "SubnetsNotInSameVnet")
        ranges: list[Network] = []
        for subnet_id in filter(None, custom):
            found = self._store.find(subnet_id)
            if found is None or found.token != SUBNET.token:
                raise ArmError(404, "VnetSubnetNotFound", f"The subnet {subnet_id} was not found.")
            vnet = self._store.find(ids.parent(found.id) or "")
            prefixes = vnet.state["addressSpace"]["addressPrefixes"] if vnet else []
            ranges = [network(prefix, "addressSpace") for prefix in prefixes]
            same = [p for p in pools if ids.key(p.state["vnetSubnetID"]) == ids.key(subnet_id)]
            needed, room = most(same), subnet_range(found.state).num_addresses - AZURE_KEEPS
            if needed > room:
                raise invalid(
                    f"Pre-allocated IPs {needed} exceeds IPs available {room} in Subnet Cidr "
                    f"{subnet_range(found.state)}, Subnet Name {found.state['name']}. "
                    "http://aka.ms/aks/insufficientsubnetsize",
                    "InsufficientSubnetSize",
                )
        cluster_rules.check_network(cluster["networkProfile"], ranges, any(custom))
        pods = ipaddress.IPv4Network(cluster["networkProfile"]["podCidr"])
        nodes = most(pools)
        if pods.prefixlen > 24 or nodes > 2 ** (24 - pods.prefixlen):
            raise invalid(
                f"podCidr {pods} gives each node a /24 and so holds too few nodes for the {nodes} the pools may have.",
                "InsufficientPodCidr",
            )

    async def create(self, resource_id: str, body: Json) -> None:
        """Make a pool and wait for its nodes."""
        cluster = self._cluster(resource_id)
        pool = self.new(cluster.id, body | {"name": ids.name(resource_id)}, cluster.state, image_week(cluster))
        pool.id = resource_id
        self.check_ranges(cluster.state, [*self.of(cluster.id), pool])
        count, pool.state["count"] = pool.state["count"], 0
        self._store.put(pool)
        try:
            await self._live.pools(cluster).grow(pool, count)
        except BaseException:
            await self._live.pools(cluster).remove(pool)
            self._store.remove(pool.id)
            raise
        self.created(pool)

    def created(self, pool: Record) -> None:
        """The pool's creation has ended well."""
        pool.state["provisioningState"] = "Succeeded"
        self._store.put(pool)

    async def recover(self, pool: Record) -> None:
        """What becomes of an operation that a crash of the stand-in cut off, in a cluster that is up.

        A creation is undone. Azure has no such crash; there the pool would stand there as Failed, and azure-native
        would refuse to create what exists. Undone is what a plane that starts again can promise: the next update
        creates the pool. Any other operation has failed, and can be asked for again.
        """
        if pool.state["provisioningState"] == "Creating":
            await self._live.pools(self._cluster(pool.id)).remove(pool)
            self._store.remove(pool.id)
        elif pool.state["provisioningState"] != "Succeeded":
            pool.state["provisioningState"] = "Failed"
            self._store.put(pool)

    def judge(self, pool: Record, body: Json, prefix: str, cluster: Json) -> Json:
        """The pool's state as a PUT over it asks. Raises `ArmError` for what Azure refuses, `NotPlayedError` too.

        `prefix` is how the refused property's path begins in Azure's answer, `cluster` the cluster's state.
        """
        pool_rules.check_change(body, pool.state, prefix)
        version, running = body.get("orchestratorVersion"), pool.state["currentOrchestratorVersion"]
        full = running if version is None else versions.asked(version, running, self._live.offers)
        if full != running:
            upgrade_rules.check_pool(full, running, cluster["currentKubernetesVersion"])
        keep = {name: value for name, value in pool.state.items() if name not in pool_rules.MUTABLE}
        fresh = pool_rules.with_defaults(keep | body, cluster["kubernetesVersion"])
        fresh["orchestratorVersion"] = version or pool.state["orchestratorVersion"]
        fresh["currentOrchestratorVersion"] = full
        judged = {name: value for name, value in fresh.items() if name in pool_rules.PLAYED}
        pool_rules.check(judged, cluster["kubernetesVersion"], self._live.offers, creating=False)
        live = pool.state["count"]
        if _wanted(fresh) < live and not fresh["enableAutoScaling"]:
            raise NotPlayedError(f"scaling a pool in ({live} to {_wanted(fresh)} nodes)")
        if pool.state["mode"] == "System" and fresh["mode"] != "System" and self._last_system_pool(pool):
            raise change_not_allowed(f"{prefix}.mode")
        others = [p for p in self.of(cluster_of(pool.id)) if p is not pool]
        self.check_ranges(cluster, [*others, Record(pool.id, pool.token, fresh)])
        return fresh

    async def update(self, pool: Record, body: Json, prefix: str) -> None:
        """A PUT over a pool. It resumes an upgrade that has stopped, whatever it asks for."""
        cluster = self._cluster(pool.id)
        fresh = self.judge(pool, body, prefix, cluster.state)
        upgrading = fresh["currentOrchestratorVersion"] != pool.state["currentOrchestratorVersion"]
        if upgrading or unfinished(self._live.pools(cluster), pool):
            await self._live.check_upgrade(cluster)
        if upgrading:  # a new version comes in the newest image
            fresh["nodeImageVersion"] = image(image_week(cluster))
        labels, taints = pool.state.get("nodeLabels") or {}, pool.state.get("nodeTaints") or []
        pool.state = fresh | {"count": pool.state["count"], "provisioningState": "Updating"}
        self._store.put(pool)
        try:
            await self._live.pools(cluster).update(pool, labels, taints)
            # The autoscaler owns the count between its bounds: a PUT with an older count takes no machine away.
            missing = _wanted(fresh) - int(pool.state["count"])
            if missing > 0:
                await self._live.pools(cluster).grow(pool, missing)
            if unfinished(self._live.pools(cluster), pool):
                await self._upgrade(cluster, pool)
        except BaseException:
            if pool.state["provisioningState"] == "Updating":
                self._settle(pool, "Failed")
            raise
        self._settle(pool, "Succeeded")

    async def upgrade_image(self, pool: Record) -> None:
        """Bring the pool to the newest node image, or go on with what has stopped. Raises `ArmError` as AKS would."""
        cluster = self._cluster(pool.id)
        newest = image(image_week(cluster))
        if pool.state["nodeImageVersion"] == newest and not unfinished(self._live.pools(cluster), pool):
            return
        await self._live.check_upgrade(cluster)
        pool.state["nodeImageVersion"] = newest
        await self._upgrade(cluster, pool)
        self._settle(pool, "Succeeded")

    async def _upgrade(self, cluster: Record, pool: Record) -> None:
        """Roll the pool. What stops it shows in the states of pool and cluster (REST API, UndrainableNodeBehavior)."""
        before = cluster.state["provisioningState"]
        for one in (cluster, pool):
            self._settle(one, "Upgrading")
        try:
            await self._live.upgrade(cluster, pool)
        except BaseException as error:
            for one in (cluster, pool):
                self._settle(one, "Canceled" if isinstance(error, CanceledError) else "Failed")
            raise
        self._settle(cluster, before if before in UNDER_WAY else "Succeeded")

    def _settle(self, record: Record, state: str) -> None:
        record.state["provisioningState"] = state
        self._store.put(record)

    async def delete(self, pool: Record) -> None:
        """Empty the pool as the settings say, then take its nodes away. One that cannot be emptied stays, Failed."""
        if pool.state["mode"] == "System" and self._last_system_pool(pool):
            raise ArmError(400, "BadRequest", "There has to be at least one system agent pool.")
        cluster = self._cluster(pool.id)
        pool.state["provisioningState"] = "Deleting"
        self._store.put(pool)
        try:
            await self._live.empty(cluster, pool)
        except BaseException:
            pool.state["provisioningState"] = "Failed"
            self._store.put(pool)
            raise
        await self._live.pools(cluster).remove(pool)
        self._store.remove(pool.id)

    def _last_system_pool(self, pool: Record) -> bool:
        others = [p for p in self.of(cluster_of(pool.id)) if ids.key(p.id) != ids.key(pool.id)]
        return not any(other.state["mode"] == "System" for other in others)

    def _cluster(self, child_id: str) -> Record:
        found = self._store.find(cluster_of(child_id))
        assert found is not None, "arm.py has checked the parent"
        return found


def cluster_of(child_id: str) -> str:
    """The cluster's id from the id of one of its children."""
    return child_id.rsplit("/", 2)[0]


def _wanted(pool: Json) -> int:
    """The fewest nodes that a PUT asks for."""
    return int(pool["minCount"] if pool["enableAutoScaling"] else pool["count"])


def pool_body(profile: Json) -> Json:
    return {name: value for name, value in profile.items() if name != "name" and value is not None}


def image_week(cluster: Record) -> int:
    """The week of the newest node image that the cluster has seen come."""
    return int((cluster.hidden.get("nodeImage") or {}).get("week", 0))
