"""The running side of managed clusters: control planes, their nodes, and the cloud's controllers in them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from dataclasses import dataclass, field

from sandbox import settings
from sandbox.azure import Clusters, budgets, ids, nodes, storage, versions
from sandbox.azure.autoscaler import Autoscaler
from sandbox.azure.catalogue import AGENT_POOL, PUBLIC_IP
from sandbox.azure.disks import Disks
from sandbox.azure.drain import drain
from sandbox.azure.load_balancer import LoadBalancer
from sandbox.azure.pools import Pools
from sandbox.azure.rolling import Rolling
from sandbox.azure.rules import upgrade
from sandbox.azure.scale_in import ScaleIn
from sandbox.azure.store import Record, Store
from sandbox.azure.watching import Informer
from sandbox.home import Home
from sandbox.kube import Json, Kube
from sandbox.nodes.clock import Clock
from sandbox.settings import PoolDelete


@dataclass
class _Running:
    """One control plane that is up, as the cloud sees it."""

    kube: Kube
    pools: Pools
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


def key_of(cluster: Record) -> str:
    """The name under which the plane knows a cluster's control plane."""
    return f"{ids.group(cluster.id)}_{ids.name(cluster.id)}"


class Live:
    """All control planes that are up."""

    def __init__(self, home: Home, clusters: Clusters, store: Store) -> None:
        self._home, self._clusters, self._store = home, clusters, store
        self._running: dict[str, _Running] = {}
        self.clock = Clock(home)

    @property
    def offers(self) -> tuple[str, ...]:
        """The Kubernetes versions that AKS offers on this plane, as its settings are now."""
        return versions.offered(settings.read(self._home).kubernetes_versions)

    async def up(self, cluster: Record) -> None:
        """Start the cluster's control plane and what AKS runs in it; nodes on record are there again afterwards."""
        key = key_of(cluster)
        await self._clusters.start(key, versions.BUILT, cluster.state["networkProfile"]["serviceCidr"])
        kube = Kube(self._clusters.admin_kubeconfig(key), "aks")
        described = nodes.Cluster(
            cluster.id, cluster.state["location"], cluster.state["nodeResourceGroup"], self._clusters.kubelet_port(key)
        )
        running = _Running(kube, Pools(kube, self._store, described))
        self._running[ids.key(cluster.id)] = running
        await _create_missing(kube, storage.drivers() + storage.classes(cluster.hidden["zoneRedundantDisks"]))
        for pool in self._pools(cluster):
            for index in running.pools.members(pool):
                await running.pools.ensure(pool, index)
        self._start_controllers(cluster, running)

    def _start_controllers(self, cluster: Record, running: _Running) -> None:
        kinds = {
            kind: Informer(running.kube, version, kind)
            for version, kind in (
                ("v1", "Pod"),
                ("v1", "Node"),
                ("v1", "Service"),
                ("policy/v1", "PodDisruptionBudget"),
                ("v1", "PersistentVolumeClaim"),
                ("v1", "PersistentVolume"),
                ("storage.k8s.io/v1", "StorageClass"),
                ("storage.k8s.io/v1", "VolumeAttachment"),
            )
        }
        jobs = [informer.run() for informer in kinds.values()]
        scaler = Autoscaler(running.kube, running.pools, lambda: self._pools(cluster), kinds)
        jobs.append(scaler.run())
        jobs.append(
            ScaleIn(
                running.kube,
                running.pools,
                cluster,
                lambda: self._pools(cluster),
                kinds,
                self.clock,
                lambda: scaler.last_add,
            ).run()
        )
        jobs.append(LoadBalancer(running.kube, self._store, cluster, kinds["Service"]).run())
        jobs.append(Disks(running.kube, cluster, kinds).run())
        running.tasks = [asyncio.create_task(job) for job in jobs]

    async def down(self, cluster: Record) -> None:
        """Stop the cluster's controllers and remove its control plane, whether or not it was up."""
        await self._stop(ids.key(cluster.id))
        await self._clusters.delete(key_of(cluster))

    async def close(self) -> None:
        """Stop the controllers; the control planes are the plane's to stop."""
        for key in list(self._running):
            await self._stop(key)

    async def _stop(self, key: str) -> None:
        running = self._running.pop(key, None)
        if running is None:
            return
        for task in running.tasks:
            task.cancel()
        for task in running.tasks:
            with contextlib.suppress(asyncio.CancelledError):  # just asked for
                await task
        await running.kube.close()

    def pools(self, cluster: Record) -> Pools:
        """The nodes of a cluster that is up."""
        return self._running[ids.key(cluster.id)].pools

    async def discard(self, cluster: Record) -> None:
        """Remove what a creation that a crash cut off has left of the control plane."""
        await self._clusters.discard(key_of(cluster))

    async def empty(self, cluster: Record, pool: Record) -> None:
        """What a pool's deletion does before its nodes go: drain them, or nothing (settings `poolDelete`)."""
        now = settings.read(self._home)
        if now.pool_delete is PoolDelete.DRAIN:
            pools = self.pools(cluster)
            await drain(pools.kube, pools.node_names(pool), now.pool_drain_seconds, now.time_factor)

    async def check_upgrade(self, cluster: Record) -> None:
        """AKS's check of all budgets before an upgrade, unless the cluster's settings force upgrades now."""
        if not _forced(cluster):
            budgets.check_upgrade(await self.pools(cluster).kube.list("policy/v1", "PodDisruptionBudget"))

    async def upgrade(self, cluster: Record, pool: Record) -> None:
        """Bring the pool's machines to its version and image, as the pool's upgrade settings say.

        Raises `ArmError` when a machine could not be drained.
        """
        await Rolling(self.pools(cluster), pool, self.clock, force=_forced(cluster)).run()

    def release_frontends(self, cluster: Record) -> None:
        """The cluster's load balancer is gone, and with it its hold on public addresses."""
        for address in self._store.of(PUBLIC_IP):
            address.hidden["frontends"] = [
                frontend for frontend in address.hidden["frontends"] if not _of_cluster(frontend, cluster)
            ]
        self._store.save()

    def _pools(self, cluster: Record) -> list[Record]:
        return [record for record in self._store.under(cluster.id) if record.token == AGENT_POOL.token]


def _forced(cluster: Record) -> bool:
    return upgrade.forced(cluster.state, datetime.datetime.now(datetime.UTC))


def _of_cluster(frontend: str, cluster: Record) -> bool:
    return ids.within(frontend, ids.group_id(cluster.state["nodeResourceGroup"]))


async def _create_missing(kube: Kube, objects: list[Json]) -> None:
    for obj in objects:
        if await kube.find(obj["apiVersion"], obj["kind"], obj["metadata"]["name"]) is None:
            await kube.create(obj)
