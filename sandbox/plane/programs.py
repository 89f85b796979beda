"""The command lines of one control plane's programs. Pure: what runs where, with which files."""

from __future__ import annotations

import ipaddress
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.files import write_whole
from sandbox.home import CHECKOUT
from sandbox.plane.pki import Pair, Pki
from sandbox.plane.processes import Program
from sandbox.toolchain import Tools

LOOPBACK = "127.0.0.1"

ADVERTISED = "192.0.2.1"
"""What the API server writes into the endpoints of the Service `kubernetes`: loopback is not allowed there, and no
simulated pod dials it. The address is from the block reserved for documentation (RFC 5737)."""

NODE_LEASE_SECONDS = 20
"""How long a node's lease lasts. A kubelet's lasts 40 s; half of it lets a restarted kwok take over the leases of the
one before within the 50 s after which the node controller calls a node unknown (node-monitor-grace-period)."""

KUBELET_SOCKET = "kubelet.sock"
"""Where the node stand-in answers the kubelet-server, relative to the cluster's folder: paths of unix sockets are
limited to about 100 characters, so both are started in that folder."""

STAGES = Path(__file__).with_name("kwok-nodes.yaml")

PORTS = ("apiserver", "etcd", "etcd-peer", "kubelet", "ingress")


@dataclass(frozen=True)
class Site:
    """Where one control plane lives."""

    folder: Path
    root: Path
    """The state folder of the whole plane."""
    tools: Tools
    pki: Pki
    ports: dict[str, int]
    service_cidr: str

    @property
    def server(self) -> str:
        return self.server_as(LOOPBACK)

    def server_as(self, host: str) -> str:
        """The API server's address under one of its names."""
        return f"https://{host}:{self.ports['apiserver']}"

    def program(self, name: str, command: list[str], grace: float = 10.0) -> Program:
        return Program(name, command, self.folder, environment(self.tools), grace)

    def kubeconfig(self, user: str, groups: tuple[str, ...] = ()) -> str:
        """The path of a kubeconfig for a part of the plane."""
        path = self.folder / "kubeconfigs" / f"{user.replace(':', '-')}.yaml"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, self.pki.kubeconfig(self.server, self.folder.name, user, groups))
        return str(path)


def environment(tools: Tools) -> dict[str, str]:
    """What every child gets: our programs first on PATH, our modules importable, no proxy on the way to loopback."""
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "KUBECONFIG"}
    inherited = {k: v for k, v in os.environ.items() if k.upper() not in proxies}
    path = os.pathsep.join([str(tools.bin), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return inherited | {"PATH": path, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}


def etcd(site: Site) -> Program:
    files = site.pki.etcd.issue(site.pki.pair("etcd"), "etcd", hosts=[LOOPBACK, "localhost"], client=True)
    client = f"https://{LOOPBACK}:{site.ports['etcd']}"
    peer = f"https://{LOOPBACK}:{site.ports['etcd-peer']}"
    trusted = str(site.pki.etcd.files.certificate)
    return site.program(
        "etcd",
        [
            str(site.tools.path("etcd")),
            "--name=sandbox",
            f"--data-dir={site.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=sandbox={peer}",
            f"--cert-file={files.certificate}",
            f"--key-file={files.key}",
            "--client-cert-auth",
            f"--trusted-ca-file={trusted}",
            f"--peer-cert-file={files.certificate}",
            f"--peer-key-file={files.key}",
            "--peer-client-cert-auth",
            f"--peer-trusted-ca-file={trusted}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
    )


def _service_address(cidr: str) -> str:
    """The address of the Service `kubernetes`: the first of the range."""
    return str(ipaddress.ip_network(cidr)[1])


def apiserver(site: Site) -> Program:
    pki = site.pki
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    hosts = [LOOPBACK, "localhost", ADVERTISED, _service_address(site.service_cidr), *names]
    serving = pki.cluster.issue(pki.pair("apiserver"), "kube-apiserver", hosts=hosts)
    store = pki.etcd.issue(pki.pair("apiserver-etcd"), "kube-apiserver", client=True)
    kubelet = pki.kubelet.issue(pki.pair("apiserver-kubelet"), "kube-apiserver", client=True)
    return site.program(
        "kube-apiserver",
        [
            str(site.tools.path("kube-apiserver")),
            f"--bind-address={LOOPBACK}",
            f"--secure-port={site.ports['apiserver']}",
            f"--advertise-address={ADVERTISED}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            f"--client-ca-file={pki.cluster.files.certificate}",
            f"--etcd-servers=https://{LOOPBACK}:{site.ports['etcd']}",
            f"--etcd-cafile={pki.etcd.files.certificate}",
            f"--etcd-certfile={store.certificate}",
            f"--etcd-keyfile={store.key}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--service-cluster-ip-range={site.service_cidr}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki.service_accounts.certificate}",
            f"--service-account-signing-key-file={pki.service_accounts.key}",
            f"--kubelet-certificate-authority={pki.kubelet.files.certificate}",
            f"--kubelet-client-certificate={kubelet.certificate}",
            f"--kubelet-client-key={kubelet.key}",
            # A node's InternalIP is as on Azure and leads nowhere here; its ExternalDNS is loopback.
            "--kubelet-preferred-address-types=ExternalDNS",
            "--profiling=false",
            "--shutdown-delay-duration=0s",
        ],
        grace=15.0,
    )


def controller_manager(site: Site) -> Program:
    config = site.kubeconfig("system:kube-controller-manager")
    authority = site.pki.cluster.files
    return site.program(
        "kube-controller-manager",
        [
            str(site.tools.path("kube-controller-manager")),
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--secure-port=0",
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={site.pki.service_accounts.key}",
            f"--root-ca-file={authority.certificate}",
            f"--cluster-signing-cert-file={authority.certificate}",
            f"--cluster-signing-key-file={authority.key}",
            "--allocate-node-cidrs=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            "--profiling=false",
        ],
    )


def scheduler(site: Site) -> Program:
    config = site.kubeconfig("system:kube-scheduler")
    return site.program(
        "kube-scheduler",
        [
            str(site.tools.path("kube-scheduler")),
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--secure-port=0",
            "--leader-elect=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            "--profiling=false",
        ],
    )


def kwok(site: Site) -> Program:
    return site.program(
        "kwok",
        [
            str(site.tools.path("kwok")),
            f"--kubeconfig={site.kubeconfig('sandbox:kwok', ('system:masters',))}",
            f"--config={STAGES}",
            "--manage-all-nodes=true",
            f"--node-lease-duration-seconds={NODE_LEASE_SECONDS}",
            "--v=WARN",
        ],
    )


def kubelet_server(site: Site) -> Program:
    serving: Pair = site.pki.kubelet.issue(site.pki.pair("kubelet"), "kubelet", hosts=["localhost", LOOPBACK])
    return site.program(
        "kubelet-server",
        [
            str(site.tools.path("kubelet-server")),
            "--listen",
            f"{LOOPBACK}:{site.ports['kubelet']}",
            "--cert",
            str(serving.certificate),
            "--key",
            str(serving.key),
            "--client-ca",
            str(site.pki.kubelet.files.certificate),
            "--socket",
            KUBELET_SOCKET,
        ],
    )


def nodes(site: Site) -> Program:
    config = site.kubeconfig("sandbox:nodes", ("system:masters",))
    return site.program(
        "nodes",
        [sys.executable, "-m", "sandbox.nodes", "--kubeconfig", config, "--socket", KUBELET_SOCKET,
         "--kubelet-port", str(site.ports["kubelet"]), "--home", str(site.root)],
    )  # fmt: skip


def twin(site: Site) -> Program:
    config = site.kubeconfig("sandbox:twin", ("system:masters",))
    return site.program(
        "twin", [sys.executable, "-m", "sandbox.twin", "--kubeconfig", config, "--home", str(site.root)]
    )


def ingress(site: Site) -> Program:
    config = site.kubeconfig("sandbox:ingress", ("system:masters",))
    return site.program(
        "ingress",
        [sys.executable, "-m", "sandbox.ingress", "--kubeconfig", config, "--home", str(site.root),
         "--port", str(site.ports["ingress"])],
    )  # fmt: skip
