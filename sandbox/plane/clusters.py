"""The control planes of the managed clusters that exist, for the Azure stand-in."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from sandbox import settings
from sandbox.files import read_json, write_whole
from sandbox.home import Home
from sandbox.kube import Kube, KubeError
from sandbox.plane import inventory
from sandbox.plane.control_plane import SERVICE_CIDR, ControlPlane
from sandbox.plane.errors import PlaneError
from sandbox.toolchain import Tools

BARE = "bare.json"
"""In a cluster's folder: the keys of all objects it had right after its first start."""


class PlaneClusters:
    """One control plane for each key (`<resource group>_<cluster name>`), all of them children of this process."""

    def __init__(self, home: Home, tools: Tools, *, agents: bool = True) -> None:
        self._home, self._tools, self._agents = home, tools, agents
        self._running: dict[str, ControlPlane] = {}
        self._busy: dict[str, asyncio.Lock] = {}

    def _lock(self, key: str) -> asyncio.Lock:
        return self._busy.setdefault(key, asyncio.Lock())

    def _get(self, key: str) -> ControlPlane:
        if key not in self._running:
            raise PlaneError(f"There is no running control plane for the managed cluster {key}.")
        return self._running[key]

    async def start(self, key: str, version: str, service_cidr: str = SERVICE_CIDR) -> None:
        """Start the control plane, return when it answers. Starting one that runs changes nothing.

        Raises `PlaneError` when it does not come up, or for a version the toolchain has no API server of.
        """
        async with self._lock(key):
            if key in self._running:
                return
            plane = ControlPlane(
                self._home.cluster(key),
                self._tools,
                version=version,
                agents=self._agents,
                service_cidr=service_cidr,
                home=self._home,
            )
            await plane.start()
            try:
                await self._remember_bare(plane)
            except BaseException:
                await plane.stop()
                raise
            self._running[key] = plane
            self._hand_out(key)

    async def _remember_bare(self, plane: ControlPlane) -> None:
        """Note what a cluster has from the start, once in its life."""
        path = plane.folder / BARE
        if not path.exists():
            async with Kube(plane.admin_kubeconfig(), "sandbox-plane") as kube:
                keys = sorted(entry.key for entry in await inventory.listing(kube))
            write_whole(path, json.dumps(keys, indent=1) + "\n")

    def _hand_out(self, key: str) -> None:
        write_whole(self._home.kubeconfig, self.user_kubeconfig(key))

    def left_path(self, key: str) -> Path:
        """Where the deletion of a cluster notes what was left in it."""
        return self._home.cluster(f"{key}.left.json")

    async def delete(self, key: str) -> None:
        """Write what is left in the API server to `clusters/<key>.left.json`, stop it, remove its folder.

        A cluster that does not exist is deleted already; of one that never came up only the folder is removed. Raises
        `PlaneError` when its API server cannot be asked.
        """
        async with self._lock(key):
            folder = self._home.cluster(key)
            if not (folder / BARE).exists():
                if folder.exists():
                    shutil.rmtree(folder)
                return
            plane = self._get(key)
            bare = frozenset(read_json(folder / BARE, "What a new cluster holds is lost with it: make down, make up."))
            try:
                async with Kube(plane.admin_kubeconfig(), "sandbox-plane") as kube:
                    remaining = await inventory.left_behind(kube, bare)
            except KubeError as error:
                raise PlaneError(f"What is left in the cluster {key} cannot be listed: {error}") from error
            write_whole(self.left_path(key), json.dumps([entry.document() for entry in remaining], indent=1) + "\n")
            await plane.stop()
            del self._running[key]
            shutil.rmtree(folder)
            if self._running:
                self._hand_out(next(reversed(self._running)))
            else:
                self._home.kubeconfig.unlink(missing_ok=True)

    async def discard(self, key: str) -> None:
        """Remove the folder of a cluster that is not running, unlooked at: its creation was cut off by a crash."""
        async with self._lock(key):
            shutil.rmtree(self._home.cluster(key), ignore_errors=True)

    def admin_kubeconfig(self, key: str) -> str:
        """A kubeconfig in the group system:masters, for the cloud's own controllers."""
        return self._get(key).admin_kubeconfig()

    def user_kubeconfig(self, key: str) -> str:
        """What listManagedClusterUserCredentials hands out: with local accounts, AKS names this user so and puts it
        into system:masters. The server has the name that the settings give it."""
        name = settings.read(self._home).server_name
        return self._get(key).kubeconfig(f"clusterUser_{key}", ["system:masters"], name)

    def kubelet_port(self, key: str) -> int:
        """The loopback port on which every node's kubelet answers."""
        return self._get(key).kubelet_port

    async def close(self) -> None:
        """Stop all control planes; what they hold stays."""
        planes, self._running = list(self._running.values()), {}
        await asyncio.gather(*(plane.stop() for plane in planes))
