"""Services of type LoadBalancer: an address when the annotations name one and the cluster's identity may use it.

Annotations and errors: kubernetes-sigs/cloud-provider-azure 1.30 to 1.36; wording of the refusal as in
Azure/AKS#2625 and pingcap/tidb-operator#3832. A Service that names no public address of its own is refused here: for
it Azure would make one in the node resource group, whose address nobody can keep.
"""

from __future__ import annotations

import re

from sandbox.azure import ids
from sandbox.azure.catalogue import AGENT_POOL, PUBLIC_IP
from sandbox.azure.records import record
from sandbox.azure.services.identity import may_use_network
from sandbox.azure.store import Record, Store
from sandbox.azure.watching import Informer, reconcile_forever
from sandbox.kube import Json, Kube

_PREFIX = "service.beta.kubernetes.io/azure-"
PIP_NAME = _PREFIX + "pip-name"
ADDRESS = _PREFIX + "load-balancer-ipv4"
GROUP = _PREFIX + "load-balancer-resource-group"
IDLE = _PREFIX + "load-balancer-tcp-idle-timeout"
_KNOWN = re.compile(
    re.escape(_PREFIX) + r"(pip-name|load-balancer-ipv4|load-balancer-resource-group|load-balancer-tcp-idle-timeout|"
    r"load-balancer-disable-tcp-reset|load-balancer-health-probe-(protocol|interval|num-of-probe|request-path))$"
)
FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
COMPONENT = "service-controller"
RETRY_SECONDS = 5.0
"""How soon Services are looked at again: a role may have been assigned (the controller's first back-off)."""


class RefusedError(Exception):
    """Why a Service gets no address, in the cloud provider's words."""


class LoadBalancer:
    """The service controller of one cluster."""

    def __init__(self, kube: Kube, store: Store, cluster: Record, services: Informer) -> None:
        self._kube, self._store, self._cluster, self._services = kube, store, cluster, services
        self._refused: dict[str, str] = {}

    async def run(self) -> None:
        await reconcile_forever(COMPONENT, [self._services], self._reconcile, again_seconds=RETRY_SECONDS)

    async def _reconcile(self) -> None:
        services = self._services.all()
        balanced = [service for service in services if is_balanced(service)]
        self._release_all_but({frontend_id(self._cluster, service["metadata"]["uid"]) for service in balanced})
        for service in services:
            if is_balanced(service):
                await self._serve(service)
            elif FINALIZER in (service["metadata"].get("finalizers") or []):
                await self._let_go(service)
        uids = {service["metadata"]["uid"] for service in balanced}
        self._refused = {uid: why for uid, why in self._refused.items() if uid in uids}

    async def _serve(self, service: Json) -> None:
        meta = service["metadata"]
        try:
            address = resolve(self._store, self._cluster, service)
        except RefusedError as refusal:
            if self._refused.get(meta["uid"]) != str(refusal):
                self._refused[meta["uid"]] = str(refusal)
                message = f"Error syncing load balancer: failed to ensure load balancer: {refusal}"
                await record(self._kube, COMPONENT, service, "Warning", "SyncLoadBalancerFailed", message)
            return
        self._refused.pop(meta["uid"], None)
        frontend = frontend_id(self._cluster, meta["uid"])
        if frontend not in address.hidden["frontends"]:
            address.hidden["frontends"].append(frontend)
            self._store.save()
        ingress = [{"ip": address.state["ipAddress"], "ipMode": "VIP"}]
        if (service.get("status") or {}).get("loadBalancer", {}).get("ingress") == ingress:
            return
        if FINALIZER not in (meta.get("finalizers") or []):
            patch = {"metadata": {"finalizers": [*(meta.get("finalizers") or []), FINALIZER]}}
            await self._kube.merge("v1", "Service", meta["name"], patch, meta["namespace"])
        status = {"status": {"loadBalancer": {"ingress": ingress}}}
        await self._kube.merge("v1", "Service", meta["name"], status, meta["namespace"], subresource="status")
        await record(self._kube, COMPONENT, service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")

    def _release_all_but(self, wanted: set[str]) -> None:
        """Give back the addresses of Services that are gone, or no load balancer's any more."""
        group = ids.group_id(self._cluster.state["nodeResourceGroup"])
        for address in self._store.of(PUBLIC_IP):
            held = address.hidden["frontends"]
            kept = [frontend for frontend in held if frontend in wanted or not ids.within(frontend, group)]
            if kept != held:
                address.hidden["frontends"] = kept
                self._store.save()

    async def _let_go(self, service: Json) -> None:
        meta = service["metadata"]
        others = [one for one in meta["finalizers"] if one != FINALIZER]
        patch = {"metadata": {"finalizers": others}}
        await self._kube.merge("v1", "Service", meta["name"], patch, meta["namespace"])


def is_balanced(service: Json) -> bool:
    """Whether a Service is to have an address from Azure; one with a class of its own is somebody else's."""
    spec = service["spec"]
    ours = spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")
    return ours and "deletionTimestamp" not in service["metadata"]


def frontend_id(cluster: Record, uid: str) -> str:
    """The id of a Service's frontend on the cluster's load balancer (cloud-provider-azure names it by the uid)."""
    group = ids.group_id(cluster.state["nodeResourceGroup"])
    name = "a" + uid.replace("-", "")[:31]
    return f"{group}/providers/Microsoft.Network/loadBalancers/kubernetes/frontendIPConfigurations/{name}"


def resolve(store: Store, cluster: Record, service: Json) -> Record:
    """The public address a Service is to have. Raises `RefusedError`."""
    annotations = service["metadata"].get("annotations") or {}
    unknown = sorted(name for name in annotations if name.startswith(_PREFIX) and not _KNOWN.match(name))
    if unknown:
        raise RefusedError(f"the local Azure stand-in does not play the annotation {unknown[0]}")
    idle = annotations.get(IDLE)
    if idle is not None and not (idle.isdigit() and 4 <= int(idle) <= 30):
        raise RefusedError(
            f"idle timeout value must be a whole number representing minutes between 4 and 30, got {idle}"
        )
    principal = cluster.hidden["principal"]
    for subnet in sorted({p.state.get("vnetSubnetID") or "" for p in _pools(store, cluster)} - {""}):
        if not may_use_network(store, principal, subnet):
            raise _unauthorized(principal, "Microsoft.Network/virtualNetworks/subnets/read", subnet)
    group = annotations.get(GROUP) or cluster.state["nodeResourceGroup"]
    name, address = annotations.get(PIP_NAME), annotations.get(ADDRESS) or service["spec"].get("loadBalancerIP")
    if not name and not address:
        raise RefusedError(f"the Service names no public address; set {PIP_NAME} or {ADDRESS}")
    scope = f"{ids.group_id(group)}/providers/Microsoft.Network"
    found = [pip for pip in store.of(PUBLIC_IP) if ids.within(pip.id, scope)]
    if name:
        found = [pip for pip in found if ids.name(pip.id).lower() == name.lower()]
    if address:
        found = [pip for pip in found if pip.state["ipAddress"] == address]
    allowed = any(may_use_network(store, principal, one) for one in (scope, *(pip.id for pip in found)))
    if not allowed:
        raise _unauthorized(principal, "Microsoft.Network/publicIPAddresses/read", scope)
    if not found:
        missing = f"name {name}" if name else f"address {address}"
        raise RefusedError(f"user supplied IP Address {missing} was not found in resource group {group}")
    _check_shared(store, cluster, service, found[0])
    return found[0]


def _check_shared(store: Store, cluster: Record, service: Json, address: Record) -> None:
    mine = frontend_id(cluster, service["metadata"]["uid"])
    others = [frontend for frontend in address.hidden["frontends"] if frontend != mine]
    if others:
        raise RefusedError(
            f"PublicIPAddressInUse: {address.id} is already allocated to {others[0]}; the stand-in gives an address to "
            "one Service only"
        )


def _pools(store: Store, cluster: Record) -> list[Record]:
    return [record for record in store.under(cluster.id) if record.token == AGENT_POOL.token]


def _unauthorized(principal: str, action: str, scope: str) -> RefusedError:
    return RefusedError(
        'Retriable: false, RetryAfter: 0s, HTTPStatusCode: 403, RawError: {"error":{"code":"AuthorizationFailed",'
        f"\"message\":\"The client '{principal}' with object id '{principal}' does not have authorization to perform "
        f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
        'refresh your credentials."}}'
    )
