"""One cluster's control plane on loopback: etcd, API server, controllers, scheduler, and what plays its nodes."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.files import check_room
from sandbox.home import Home
from sandbox.kube import Kube, KubeError
from sandbox.plane import ports, programs
from sandbox.plane.errors import PlaneError
from sandbox.plane.pki import Pki
from sandbox.plane.processes import Children
from sandbox.plane.record import Record
from sandbox.toolchain import Tools

READY_WITHIN = 60.0
"""Seconds; it takes 3 s on an idle machine with two cores."""

DEFAULT_VERSION = "1.35.4"
SERVICE_CIDR = "10.0.0.0/16"
"""What AKS takes when nothing is asked for."""

_log = logging.getLogger(__name__)


def same_minor(asked: str, binary: str) -> bool:
    """Whether a server of version `binary` ("v1.35.4") can stand for the version asked for ("1.35", "1.35.2")."""
    wanted = re.fullmatch(r"v?(\d+)\.(\d+)(\.\d+)?", asked)
    has = re.match(r"v?(\d+)\.(\d+)\.", binary)
    return bool(wanted and has and wanted.groups()[:2] == has.groups())


class ControlPlane:
    """One control plane. `start` and `stop` belong to one event loop; the rest can be called from anywhere."""

    def __init__(
        self,
        folder: Path,
        tools: Tools,
        *,
        version: str = DEFAULT_VERSION,
        agents: bool = True,
        service_cidr: str = SERVICE_CIDR,
        home: Home | None = None,
    ) -> None:
        """`folder` keeps everything that outlives a run; `home` (the folder itself when absent) the logs and records.

        Raises `PlaneError` for a version that the toolchain's API server cannot stand for.
        """
        self.folder, self.tools, self.version = folder.resolve(), tools, version
        self._agents, self._service_cidr = agents, service_cidr
        self._home = home or Home(self.folder)
        self._children: Children | None = None
        self._site: programs.Site | None = None
        said = subprocess.run([tools.path("kube-apiserver"), "--version"], capture_output=True, text=True, check=False)
        binary = said.stdout.strip().removeprefix("Kubernetes ")
        if not same_minor(version, binary):
            raise PlaneError(
                f"Kubernetes {version} was asked for; the sandbox's API server is {binary or said.stderr}. "
                "It can only stand for patch versions of its own minor version."
            )

    @property
    def site(self) -> programs.Site:
        """Ports, keys and paths. Raises `PlaneError` before the first start."""
        if self._site is None:
            raise PlaneError(f"The control plane in {self.folder} has not been started.")
        return self._site

    @property
    def server(self) -> str:
        """The API server's address."""
        return self.site.server

    @property
    def kubelet_port(self) -> int:
        """Where the kubelet of every node listens; the node objects carry it in `status.daemonEndpoints`."""
        return self.site.ports["kubelet"]

    def admin_kubeconfig(self) -> str:
        """For the stand-ins: a user of the group system:masters."""
        return self.kubeconfig("sandbox:admin", ["system:masters"])

    def kubeconfig(self, user: str, groups: Sequence[str], host: str = programs.LOOPBACK) -> str:
        """A client certificate for anyone; the same text at every call while port and host stay the same."""
        return self.site.pki.kubeconfig(self.site.server_as(host), self.folder.name, user, groups)

    def log(self, process: str) -> Path:
        return self._home.log(f"{self.folder.name}/{process}")

    async def start(self) -> None:
        """Start everything; returns when the API server is ready, a pod could be created and the agents run.

        Raises `PlaneError`; what was started is stopped again.
        """
        if self._children is not None:
            raise PlaneError(f"The control plane in {self.folder} runs already.")
        self._site = await asyncio.to_thread(self._prepare)
        self._children = Children(Record(self._home.plane), self.log, _log.warning, prefix=f"{self.folder.name}/")
        try:
            await self._bring_up(self._children, self._site)
        except BaseException:
            await self.stop()
            raise

    def _prepare(self) -> programs.Site:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.folder / "etcd").exists():
            check_room(self.folder)
        chosen = ports.keep(self.folder / "ports.json", programs.PORTS)
        pki = Pki(self.folder / "pki")
        return programs.Site(self.folder, self._home.root.resolve(), self.tools, pki, chosen, self._service_cidr)

    async def _bring_up(self, children: Children, site: programs.Site) -> None:
        await children.start(programs.etcd(site))
        await children.start(programs.apiserver(site))
        async with Kube(self.admin_kubeconfig(), "sandbox-plane", timeout=5.0) as kube:
            await children.until(
                lambda: _answers(kube, "/readyz"), ["kube-apiserver", "etcd"], "The API server was", READY_WITHIN
            )
            await children.start(programs.controller_manager(site))
            await children.start(programs.scheduler(site))
            await children.start(programs.kwok(site))
            if self._agents:
                await self._bring_up_agents(children, site)
            await children.until(
                lambda: _furnished(kube), ["kube-controller-manager"], "The default service accounts were", READY_WITHIN
            )

    async def _bring_up_agents(self, children: Children, site: programs.Site) -> None:
        socket = self.folder / programs.KUBELET_SOCKET
        socket.unlink(missing_ok=True)
        await children.start(programs.nodes(site))
        await children.start(programs.twin(site))
        await children.start(programs.ingress(site))
        await children.start(programs.kubelet_server(site))

        async def answer() -> bool:
            listening = not any(ports.is_free(site.ports[name]) for name in ("kubelet", "ingress"))
            return socket.is_socket() and listening

        names = ["nodes", "twin", "ingress", "kubelet-server"]
        await children.until(answer, names, "The node stand-in was", READY_WITHIN)

    async def stop(self) -> None:
        """End everything; data, keys and ports stay. Does nothing when nothing runs."""
        if self._children is not None:
            await self._children.stop()
            self._children = None


async def _answers(kube: Kube, path: str) -> bool:
    try:
        await kube.request("GET", path)
    except KubeError:
        return False
    return True


async def _furnished(kube: Kube) -> bool:
    """Whether the namespaces and the service accounts exist that a new cluster has, and trust its authority."""
    wanted = ("default", "kube-system", "kube-public", "kube-node-lease")
    for namespace in wanted:
        for kind, name in (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")):
            if await kube.find("v1", kind, name, namespace) is None:
                return False
    return True
