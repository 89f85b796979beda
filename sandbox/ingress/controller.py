"""The controller in one pod: watches with the pod's rights, decides, tells, reports addresses, loads the front."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sandbox.hosted.events import Recorder
from sandbox.hosted.host import Json, RefusedError
from sandbox.hosted.lease import Lease, LeaseLostError, Timing
from sandbox.hosted.store import Store, first_refusal
from sandbox.ingress import certificates, config_map
from sandbox.ingress.certificates import InvalidSecretError
from sandbox.ingress.config_map import Config
from sandbox.ingress.configuration import Decided, Problem, decide, key
from sandbox.ingress.host import Host
from sandbox.ingress.routing import WILDCARD, Location, NotLoadedError, Server, servers
from sandbox.kube import Kube, KubeError

log = logging.getLogger(__name__)

NAME = "nginx-ingress-controller"
"""The component of its events."""

CLASS_CONTROLLER = "nginx.org/ingress-controller"
TIMING = Timing(30, 15.0, 7.5)
"""internal/k8s/leader.go."""

NETWORKING, SLICES = "networking.k8s.io/v1", "discovery.k8s.io/v1"
SETTLE_SECONDS = 0.05
"""Changes within this time are looked at once."""

Told = tuple[Literal["Normal", "Warning"], str, str]


@dataclass(frozen=True)
class Loaded:
    """What nginx has loaded: enough to answer every request."""

    config: Config = field(default_factory=Config)
    servers: dict[str, Server] = field(default_factory=dict)
    certificates: dict[tuple[str, str], ssl.SSLContext] = field(default_factory=dict)
    default: ssl.SSLContext | None = None
    endpoints: Callable[[Location], list[tuple[str, str, int]]] = lambda _: []
    """Ready endpoints of a location: namespace and name of the pod, and the port."""
    exposed: bool = False
    """Whether the Service of `-external-service` has an address and this pod behind it."""


class Controller:
    """One instance, acting through `kube` with the pod's rights. `load` takes what nginx would load."""

    def __init__(self, kube: Kube, host: Host, load: Callable[[Loaded], None]) -> None:
        self._kube, self._host, self._load, self._told_to = kube, host, load, host.arguments
        self._recorder = Recorder(kube, NAME)
        self._changed = asyncio.Event()
        self._stores: dict[tuple[str, str], Store] = {}
        self._said: dict[str, Told] = {}
        self._leads = not self._told_to.leader_election
        self._config = Config()

    async def run(self) -> None:
        """Work for ever. Raises `KubeError` and `RefusedError`."""
        await self._check()
        watched = [("v1", kind, ns) for ns in self._told_to.watched for kind in ("Service", "Pod")]
        watched += [(NETWORKING, "Ingress", ns) for ns in self._told_to.watched]
        watched += [(SLICES, "EndpointSlice", ns) for ns in self._told_to.watched]
        watched += [("v1", "Secret", ns) for ns in self._told_to.secrets_watched]
        if self._told_to.config_map:
            watched.append(("v1", "ConfigMap", self._told_to.config_map[0]))
        try:
            async with asyncio.TaskGroup() as tasks:
                for api, kind, namespace in watched:
                    store = self._stores[kind, namespace] = Store(lambda _: self._changed.set())
                    tasks.create_task(store.follow(self._kube, api, kind, namespace or None))
                for store in self._stores.values():
                    await store.synced.wait()
                if self._told_to.leader_election:
                    tasks.create_task(self._elect())
                self._changed.set()
                tasks.create_task(self._work())
        except BaseExceptionGroup as errors:
            refused = first_refusal(errors)
            if refused is None:
                raise
            raise refused from None

    async def _check(self) -> None:
        """What the real one exits at (cmd/nginx-ingress/main.go)."""
        told = self._told_to
        await self._kube.get("v1", "Pod", self._host.pod, self._host.namespace)
        found = await self._kube.find(NETWORKING, "IngressClass", told.ingress_class)
        if found is None or found["spec"].get("controller") != CLASS_CONTROLLER:
            what = "not found" if found is None else f"has an invalid controller {found['spec'].get('controller')}"
            raise RefusedError("IngressClassError", f"Error when getting IngressClass {told.ingress_class}: {what}")
        for title, named in (("default server", told.default_secret), ("wildcard", told.wildcard_secret)):
            if named is None:
                continue
            secret = await self._kube.find("v1", "Secret", named[1], named[0])
            try:
                if secret is None:
                    raise InvalidSecretError("not found")
                certificates.context(secret)
            except InvalidSecretError as why:
                text = f"error trying to get the {title} TLS secret {'/'.join(named)}: {why}"
                raise RefusedError("SecretError", text) from why
        if told.config_map:
            found = await self._kube.find("v1", "ConfigMap", told.config_map[1], told.config_map[0])
            if found is None:
                raise RefusedError("ConfigMapError", f"error when getting {'/'.join(told.config_map)}: not found")
            self._config, _ = config_map.read(found.get("data") or {})

    async def _elect(self) -> None:
        while True:
            try:
                await Lease(self._kube, self._host, self._told_to.lock_name, TIMING).lead(self._lead)
            except LeaseLostError as lost:
                log.warning("%s/%s: %s; trying to acquire it again", self._host.namespace, self._host.pod, lost)

    async def _lead(self) -> None:
        self._leads = True
        self._changed.set()
        try:
            await asyncio.Event().wait()
        finally:
            self._leads = False

    async def _work(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(SETTLE_SECONDS)
            self._changed.clear()
            await self._reconcile()

    def _all(self, kind: str, namespaces: Sequence[str] | None = None) -> list[Json]:
        wanted = self._told_to.watched if namespaces is None else namespaces
        return [obj for ns in wanted if (kind, ns) in self._stores for obj in self._stores[kind, ns].all()]

    def _one(self, kind: str, name: tuple[str, str], namespaces: Sequence[str] | None = None) -> Json | None:
        def named(obj: Json) -> bool:
            return (obj["metadata"]["namespace"], obj["metadata"]["name"]) == name

        return next((obj for obj in self._all(kind, namespaces) if named(obj)), None)

    async def _reconcile(self) -> None:
        await self._read_config()
        decided = decide(self._all("Ingress"), self._told_to.ingress_class)
        loaded = self._nginx(decided)
        self._load(loaded)
        await self._tell(decided)
        if self._told_to.report_status and self._leads:
            await self._report(decided)

    async def _read_config(self) -> None:
        """A map that nginx does not load changes nothing: what was loaded before stays."""
        named = self._told_to.config_map
        if named is None:
            return
        found = self._one("ConfigMap", named, [named[0]])
        if found is None:
            return
        try:
            self._config, warnings = config_map.read(found.get("data") or {})
        except RefusedError as why:
            await self._say(found, ("Warning", "UpdatedWithError", f"but not applied: {why.message}"))
            return
        if warnings:
            text = "; ".join(each.message for each in warnings)
            await self._say(found, ("Warning", warnings[0].reason, text))
        else:
            await self._say(found, ("Normal", "Updated", f"ConfigMap {'/'.join(named)} updated without error"))

    def _nginx(self, decided: Decided) -> Loaded:
        """What can be loaded; an Ingress that nginx refuses is a problem instead."""
        hosts: dict[str, Server] = {}
        for accepted in list(decided.accepted):
            try:
                found = list(servers(accepted, self._config))
            except NotLoadedError as why:
                decided.accepted.remove(accepted)
                text = f"Configuration for {key(accepted.ingress)} was added or updated but was not applied: {why}"
                decided.problems.append(Problem(accepted.ingress, "AddedOrUpdatedWithError", text))
                continue
            hosts |= {server.host: server for server in found}
        contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        for server in hosts.values():
            named = self._told_to.wildcard_secret if server.secret == WILDCARD else server.secret
            if named is None or server.secret is None:
                continue
            try:
                contexts[server.secret] = self._context(named)
            except InvalidSecretError as why:
                self._unusable(decided, server.host, named, why)
        default = self._default()
        return Loaded(self._config, hosts, contexts, default, self._endpoints, self._exposed())

    def _context(self, named: tuple[str, str]) -> ssl.SSLContext:
        """Raises `InvalidSecretError`."""
        secret = self._one("Secret", named, self._told_to.secrets_watched)
        if secret is None:
            raise InvalidSecretError("secret doesn't exist or of an unsupported type")
        return certificates.context(secret)

    def _default(self) -> ssl.SSLContext | None:
        named = self._told_to.default_secret
        try:
            return self._context(named) if named else None
        except InvalidSecretError as why:
            log.warning("Secret %s: %s", "/".join(named or ()), why)
            return None

    @staticmethod
    def _unusable(decided: Decided, host: str, named: tuple[str, str], why: InvalidSecretError) -> None:
        """The Ingress is served, its host is not: every handshake is refused (internal/configs/ingress.go)."""
        ingress = next(each.ingress for each in decided.accepted if host in each.hosts)
        text = (
            f"Configuration for {key(ingress)} was added or updated ; with warning(s): TLS secret {named[1]} is invalid"
        )
        decided.problems.append(Problem(ingress, "AddedOrUpdatedWithWarning", f"{text}: {why}"))

    def _endpoints(self, location: Location) -> list[tuple[str, str, int]]:
        service = self._one("Service", (location.namespace, location.service))
        ports = service["spec"].get("ports") or [] if service else []
        port = next((each for each in ports if location.port in (each["port"], each.get("name"))), None)
        return [] if port is None else self._ready(location.namespace, location.service, port.get("name") or "")

    def _ready(self, namespace: str, service: str, port: str) -> list[tuple[str, str, int]]:
        found: list[tuple[str, str, int]] = []
        for piece in self._all("EndpointSlice"):
            meta = piece["metadata"]
            labels = meta.get("labels") or {}
            if meta["namespace"] != namespace or labels.get("kubernetes.io/service-name") != service:
                continue
            numbers = [each["port"] for each in piece.get("ports") or [] if (each.get("name") or "") == port]
            for endpoint in piece.get("endpoints") or []:
                target = endpoint.get("targetRef") or {}
                if (endpoint.get("conditions") or {}).get("ready") and target.get("kind") == "Pod" and numbers:
                    found.append((namespace, target["name"], numbers[0]))
        return sorted(found)

    def _external(self) -> Json | None:
        return self._one("Service", (self._host.namespace, self._told_to.external_service))

    def _exposed(self) -> bool:
        service = self._external()
        if service is None or not _addresses(service):
            return False
        port = next((each for each in service["spec"].get("ports") or [] if each["port"] == 443), None)
        ready = self._ready(self._host.namespace, self._told_to.external_service, (port or {}).get("name") or "")
        return port is not None and (self._host.namespace, self._host.pod, 443) in ready

    async def _tell(self, decided: Decided) -> None:
        told = {problem.ingress["metadata"]["uid"] for problem in decided.problems}
        for problem in decided.problems:
            await self._say(problem.ingress, ("Warning", problem.reason, problem.message))
        for ingress in (each for accepted in decided.accepted for each in accepted.all):
            if ingress["metadata"]["uid"] not in told:
                text = f"Configuration for {key(ingress)} was added or updated"
                await self._say(ingress, ("Normal", "AddedOrUpdated", text))

    async def _say(self, about: Json, told: Told) -> None:
        """Each thing once, until another is said of the same object."""
        uid = about["metadata"]["uid"]
        if self._said.get(uid) != told:
            self._said[uid] = told
            await self._recorder.record(about, *told)

    async def _report(self, decided: Decided) -> None:
        """The address of the Service for what is accepted, none for what is rejected (internal/k8s/status.go)."""
        if not self._told_to.external_service:
            return
        service = self._external()
        addresses = _addresses(service) if service else []
        for accepted in decided.accepted:
            for ingress in accepted.all:
                await self._write_status(ingress, addresses)
        for problem in decided.problems:
            if problem.reason in ("Rejected", "NoIngressMasterFound"):
                await self._write_status(problem.ingress, [])

    async def _write_status(self, ingress: Json, addresses: list[Json]) -> None:
        balancer = (ingress.get("status") or {}).get("loadBalancer") or {}
        if (balancer.get("ingress") or []) == addresses:
            return
        status = {"loadBalancer": {"ingress": addresses}}
        changed = {**ingress, "apiVersion": NETWORKING, "kind": "Ingress", "status": status}
        try:
            written = await self._kube.replace(changed, "status")
        except KubeError as error:
            if error.code in (404, 409):  # it changed; the watch says how
                return
            raise
        for store in self._stores.values():
            if any(each["metadata"]["uid"] == written["metadata"]["uid"] for each in store.all()):
                store.wrote({"apiVersion": NETWORKING, "kind": "Ingress", **written})


def _addresses(service: Json) -> list[Json]:
    found = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return [{"ip": each["ip"]} if each.get("ip") else {"hostname": each["hostname"]} for each in found]
