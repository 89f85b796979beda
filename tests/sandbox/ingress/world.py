"""The program's own ingress controller objects on a real API server, with a proxy behind them.

There is a node but no kubelet: a pod is Ready, or gone, because a test writes so; endpoints are the real controller's.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import yaml
from aiohttp.abc import AbstractResolver, ResolveResult

from components.cluster.certificate import Pair, self_signed
from components.cluster.credentials import encoded
from components.cluster.ingress_controller import arguments, configuration
from components.cluster.ingress_rights import LEADER_LEASE, OWN, WATCHED, Rule
from sandbox.ingress.__main__ import play
from sandbox.ingress.front import Front
from sandbox.kube import Kube
from sandbox.plane import ports
from tests.sandbox.twin.world import background, eventually

Json = dict[str, Any]
HOST = "speech.example"
RBAC = "rbac.authorization.k8s.io/v1"
NETWORKING = "networking.k8s.io/v1"
ADDRESS = "203.0.113.7"
CONTROLLER_IMAGE, PROXY_IMAGE = "docker.io/nginx/nginx-ingress:5.5.4", "speechmaticspublic.azurecr.io/proxy-service:1"


def rules(granted: Sequence[Rule]) -> list[Json]:
    return [{"apiGroups": [g], "resources": list(kinds), "verbs": list(verbs)} for g, kinds, verbs in granted]


class Loopback(AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=2, proto=0, flags=0)]

    async def close(self) -> None:
        pass


class World:
    """Two namespaces and a class of the test's own."""

    def __init__(self, admin: Kube, kubeconfig: str, number: int) -> None:
        self.admin, self.kubeconfig = admin, kubeconfig
        self.own, self.speech, self.class_name = f"ingress-{number}", f"speech-{number}", f"nginx-{number}"
        self.node = f"ingress-node-{number}"
        self.pair: Pair = self_signed([HOST], datetime.now(UTC))
        self.front = Front()
        self.port = 0
        self._addresses = 1

    def args(self, certificates: bool = False) -> list[str]:
        """The program's arguments, with this world's class; `certificates` where an Ingress names a Secret."""
        return [arg.replace("-ingress-class=nginx", f"-ingress-class={self.class_name}")
                for arg in arguments(self.speech, certificates)]  # fmt: skip

    async def make(self, kind: str, name: str, namespace: str | None, api: str = "v1", **body: Any) -> Json:
        metadata: Json = {"name": name} | ({"namespace": namespace} if namespace else {})
        metadata |= body.pop("metadata", {})
        return await self.admin.create({"apiVersion": api, "kind": kind, "metadata": metadata, **body})

    async def install(self) -> None:
        """Everything but rights and pods."""
        # the endpoints' controller leaves out pods whose node it does not know
        await self.make("Node", self.node, None)
        for namespace in (self.own, self.speech):
            await self.make("Namespace", namespace, None)
        await self.make("ServiceAccount", "nginx-ingress", self.own)
        for namespace in (self.own, self.speech):
            await eventually(partial(self.admin.find, "v1", "ServiceAccount", "default", namespace), "an account")
        await self.make("ConfigMap", "nginx-config", self.own, data=configuration(86400))
        data = {"tls.crt": encoded(self.pair.certificate), "tls.key": encoded(self.pair.key)}
        await self.make("Secret", "nginx-default-tls", self.own, type="kubernetes.io/tls", data=data)
        spec: Json = {"controller": "nginx.org/ingress-controller"}
        await self.make("IngressClass", self.class_name, None, NETWORKING, spec=spec)
        https = {"name": "https", "port": 443, "targetPort": "https"}
        spec = {"type": "LoadBalancer", "selector": {"app": "nginx"}, "ports": [https]}
        await self.make("Service", "nginx-ingress", self.own, spec=spec)
        await self.balance([{"ip": ADDRESS, "ipMode": "VIP"}])
        spec = {"selector": {"app": "proxy"}, "ports": [{"port": 80, "targetPort": 8080}]}
        await self.make("Service", "proxy", self.speech, spec=spec)

    async def balance(self, addresses: list[Json]) -> None:
        status = {"status": {"loadBalancer": {"ingress": addresses}}}
        await self.admin.merge("v1", "Service", "nginx-ingress", status, self.own, subresource="status")

    async def grant(self, own: Sequence[Rule] = OWN, watched: Sequence[Rule] = WATCHED, classes: bool = True) -> None:
        """The program's rights, or fewer."""
        lease = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [LEADER_LEASE],
                 "verbs": ["get", "update"]}  # fmt: skip
        class_rule = {"apiGroups": ["networking.k8s.io"], "resources": ["ingressclasses"], "verbs": ["get"]}
        subject = {"kind": "ServiceAccount", "name": "nginx-ingress", "namespace": self.own}
        for kind, namespace, given in (
            ("Role", self.own, [*rules(own), lease]),
            ("Role", self.speech, rules(watched)),
            ("ClusterRole", None, [class_rule] if classes else []),
        ):
            meta: Json = {"name": self.own} | ({"namespace": namespace} if namespace else {})
            role = {"apiVersion": RBAC, "kind": kind, "metadata": meta, "rules": given}
            await self.admin.apply(role, force=True)
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": self.own}
            binding = {"apiVersion": RBAC, "kind": f"{kind}Binding", "metadata": meta, "roleRef": reference,
                       "subjects": [subject]}  # fmt: skip
            await self.admin.apply(binding, force=True)

    async def pod(self, name: str, namespace: str, container: Json, app: str, ready: bool = True, **spec: Any) -> Json:
        created = await self.make(
            "Pod",
            name,
            namespace,
            metadata={"labels": {"app": app}},
            spec={"containers": [container], "nodeName": self.node, **spec},
        )
        self._addresses += 1
        await self.ready(name, namespace, ready, f"10.244.0.{self._addresses}")
        return created

    async def ready(self, name: str, namespace: str, ready: bool = True, address: str | None = None) -> None:
        conditions = [{"type": kind, "status": str(ready), "lastProbeTime": None, "lastTransitionTime": None}
                      for kind in ("Ready", "ContainersReady")]  # fmt: skip
        status: Json = {"phase": "Running", "conditions": conditions}
        if address:
            status |= {"podIP": address, "podIPs": [{"ip": address}]}
        await self.admin.merge("v1", "Pod", name, {"status": status}, namespace, subresource="status")

    async def controller(self, args: Sequence[str] | None = None, name: str = "nginx-0", image: str = "") -> Json:
        """A controller's pod, as the program's Deployment makes it."""
        fields = {"POD_NAMESPACE": "metadata.namespace", "POD_NAME": "metadata.name"}
        container = {
            "name": "nginx-ingress",
            "image": image or CONTROLLER_IMAGE,
            "args": list(self.args() if args is None else args),
            "env": [{"name": n, "valueFrom": {"fieldRef": {"fieldPath": path}}} for n, path in fields.items()],
            "ports": [{"name": "https", "containerPort": 443}],
        }
        return await self.pod(name, self.own, container, "nginx", serviceAccountName="nginx-ingress")

    async def proxy(self, name: str = "proxy-0", image: str = PROXY_IMAGE) -> Json:
        return await self.pod(name, self.speech, {"name": "proxy", "image": image}, "proxy")

    async def ingress(self, name: str = "proxy", paths: Sequence[str] = ("/v2", "/"), **changes: Any) -> Json:
        """The Ingress that works, but for what a test changes."""
        annotations = changes.pop(
            "annotations", {"nginx.org/websocket-services": "proxy", "nginx.org/path-regex": "case_insensitive"}
        )
        backend = {"service": {"name": "proxy", "port": {"number": 80}}}
        kind = changes.pop("path_type", "ImplementationSpecific")
        http = {"paths": [{"path": path, "pathType": kind, "backend": backend} for path in paths]}
        rule: Json = {"host": changes.pop("host", HOST)} | ({"http": http} if paths else {})
        spec: Json = {"ingressClassName": self.class_name, "rules": [rule], "tls": [{"hosts": [HOST]}]}
        spec |= changes.pop("spec", {})
        spec = {key: value for key, value in spec.items() if value is not None}
        namespace = changes.pop("namespace", self.speech)
        return await self.make("Ingress", name, namespace, NETWORKING, metadata={"annotations": annotations}, spec=spec)

    async def addresses(self, name: str = "proxy") -> list[Json]:
        found = await self.admin.get(NETWORKING, "Ingress", name, self.speech)
        return list(((found.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [])

    async def has_address(self, name: str = "proxy") -> None:
        async def condition() -> bool:
            return await self.addresses(name) == [{"ip": ADDRESS}]

        await eventually(condition, f"Ingress {name} has its address")

    async def event(self, name: str, reason: str, namespace: str = "") -> str:
        """The text of an event on an object."""

        async def condition() -> str:
            fields = f"reason={reason},involvedObject.name={name}"
            found = await self.admin.list("v1", "Event", namespace or self.speech, fields=fields)
            return str(found[-1]["message"]) if found else ""

        text: str = await eventually(condition, f"an event {reason} on {name}")
        return text

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[None]:
        """The stand-in with the administrator's kubeconfig."""
        self.port = ports._choose(set())
        admin = Kube(self.kubeconfig, "nginx-ingress-controller")
        async with admin, background(play(admin, yaml.safe_load(self.kubeconfig), self.front, self.port)):
            yield

    @asynccontextmanager
    async def client(self, trusting: bool = True) -> AsyncIterator[aiohttp.ClientSession]:
        context = ssl.create_default_context()
        if trusting:
            context.load_verify_locations(cadata=self.pair.certificate)
        connector = aiohttp.TCPConnector(ssl=context, resolver=Loopback(), force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield session

    def url(self, path: str, host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"

    async def status(self, path: str, host: str = HOST, **headers: str) -> aiohttp.ClientResponse:
        async with self.client() as client, client.get(self.url(path, host), headers=headers) as answer:
            return answer

    async def answers(self, path: str, status: int, host: str = HOST) -> aiohttp.ClientResponse:
        """Wait until a plain request gets this status."""

        async def condition() -> aiohttp.ClientResponse | None:
            with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError):
                answer = await self.status(path, host)
                return answer if answer.status == status else None
            return None

        found: aiohttp.ClientResponse = await eventually(condition, f"{path} answers {status}")
        return found
