"""Microsoft.ContainerService/managedClusters: what a PUT and a DELETE of a cluster do."""

from __future__ import annotations

import uuid

from sandbox.azure import ids, versions
from sandbox.azure.catalogue import IDENTITY, MANAGED_CLUSTER, RESOURCE_GROUP
from sandbox.azure.errors import ArmError, invalid
from sandbox.azure.live import Live
from sandbox.azure.rules import cluster as cluster_rules
from sandbox.azure.rules import upgrade as upgrade_rules
from sandbox.azure.services.agent_pools import UNDER_WAY, AgentPools, pool_body
from sandbox.azure.store import Record, Store
from sandbox.rpc import Json


class ManagedClusters:
    """Clusters. Each has a node resource group of its own, with the kubelets' identity in it."""

    def __init__(self, store: Store, live: Live, pools: AgentPools) -> None:
        self._store, self._live, self._pools = store, live, pools

    async def create(self, resource_id: str, body: Json) -> None:
        """Judge everything first, then start the control plane and the first pools; what failed half way is gone."""
        cluster_rules.check(body, self._live.offers)
        group = ids.group(resource_id) or ""
        state = cluster_rules.with_defaults(body, ids.name(resource_id), group, body["location"])
        profiles = state.pop("agentPoolProfiles")
        pools = [self._pools.new(resource_id, profile, state) for profile in profiles]
        self._pools.check_ranges(state, pools)
        identity = self._identity(state["identity"])
        node_group = ids.group_id(state["nodeResourceGroup"])
        if self._store.find(node_group) is not None:
            raise invalid(f"The node resource group {state['nodeResourceGroup']} exists already.", "Conflict")
        full = versions.resolve(state["kubernetesVersion"], self._live.offers)
        suffix, kubelet = uuid.uuid4().hex[:8], _kubelet_identity(state, resource_id)
        state |= {
            "name": ids.name(resource_id),
            "type": "Microsoft.ContainerService/ManagedClusters",
            "provisioningState": "Creating",
            "currentKubernetesVersion": full,
            "fqdn": f"{state['dnsPrefix']}-{suffix}.hcp.{state['location']}.azmk8s.io",
            "maxAgentPools": 100,
            "resourceUID": uuid.uuid4().hex[:24],
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity.id: _principal(identity)}},
            "identityProfile": {"kubeletidentity": _identified(kubelet)},
            "oidcIssuerProfile": self._issuer(state, {}),
        }
        zonal = any(len(pool.state.get("availabilityZones") or []) > 1 for pool in pools)
        hidden = {"principal": identity.state["principalId"], "zoneRedundantDisks": zonal}
        record = Record(resource_id, MANAGED_CLUSTER.token, state, hidden)
        group_state = {
            "name": state["nodeResourceGroup"],
            "type": "Microsoft.Resources/resourceGroups",
            "location": state["location"],
            "managedBy": resource_id,
            "properties": {"provisioningState": "Succeeded"},
        }
        self._store.put(record)
        self._store.put(Record(node_group, RESOURCE_GROUP.token, group_state))
        self._store.put(kubelet)
        counts = [(pool, pool.state["count"]) for pool in pools]
        for pool in pools:
            pool.state["count"] = 0
            self._store.put(pool)
        try:
            await self._live.up(record)
            for pool, count in counts:
                await self._live.pools(record).grow(pool, count)
                self._pools.created(pool)
        except BaseException:
            await self.delete(record)
            raise
        record.state["provisioningState"] = "Succeeded"
        self._store.put(record)

    async def recover(self, record: Record) -> None:
        """Bring a cluster up again after a crash of the stand-in.

        A creation that the crash cut off is undone, as for a pool (`AgentPools.recover`); a deletion goes on, as
        Azure's does whoever has asked for it.
        """
        if record.state["provisioningState"] == "Creating":
            await self._live.discard(record)
            self._forget(record)
            return
        await self._live.up(record)
        if record.state["provisioningState"] == "Deleting":
            await self.delete(record)
            return
        if record.state["provisioningState"] in UNDER_WAY:
            record.state["provisioningState"] = "Failed"
            self._store.put(record)
        for pool in self._pools.of(record.id):
            await self._pools.recover(pool)

    async def update(self, record: Record, body: Json) -> None:
        """A PUT over a cluster: its own settings, and the pools it names; a pool it does not name stays.

        A new version is the control plane's first: a step of its own, behind the same check of budgets as a pool's.
        """
        running = record.state["currentKubernetesVersion"]
        cluster_rules.check(body, self._live.offers, running)
        cluster_rules.check_change(body, record.state)
        full = versions.asked(body["kubernetesVersion"], running, self._live.offers)
        pools = {pool.state["name"]: pool for pool in self._pools.of(record.id)}
        profiles = body.pop("agentPoolProfiles")
        for profile in profiles:
            if profile["name"] not in pools:
                raise ArmError(
                    400,
                    "BadRequest",
                    "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through "
                    "managed cluster operations. For agent pool specific change, please use per agent pool operations: "
                    "https://aka.ms/agent-pool-rest-api",
                )
        fresh = self._changed(record, body, full)
        wanted = {
            name: self._pools.judge(pools[name], pool_body(profile), "agentPoolProfile", fresh)
            for name, profile in ((profile["name"], profile) for profile in profiles)
        }
        if full != running:
            _check_pool_versions(profiles, pools, body["kubernetesVersion"])
            after = (wanted.get(name, pool.state)["currentOrchestratorVersion"] for name, pool in pools.items())
            upgrade_rules.check_control_plane(full, running, after)
            await self._live.check_upgrade(Record(record.id, record.token, fresh))
        record.state = fresh | {"provisioningState": "Updating" if full == running else "Upgrading"}
        self._store.put(record)
        try:
            # One binary plays every patch of its minor: the control plane's own step is done with the record of it.
            for profile in profiles:
                await self._pools.update(pools[profile["name"]], pool_body(profile), "agentPoolProfile")
        except BaseException:
            if record.state["provisioningState"] in UNDER_WAY:
                record.state["provisioningState"] = "Failed"
                self._store.put(record)
            raise
        record.state["provisioningState"] = "Succeeded"
        self._store.put(record)

    def _changed(self, record: Record, body: Json, full: str) -> Json:
        """The cluster's state as a PUT over it asks, with Kubernetes `full`."""
        kept = {
            name: record.state[name]
            for name in ("name", "type", "provisioningState", "fqdn", "maxAgentPools", "resourceUID", "identity")
        }
        fresh = cluster_rules.with_defaults(
            body | {"nodeResourceGroup": record.state["nodeResourceGroup"]},
            ids.name(record.id),
            ids.group(record.id) or "",
            record.state["location"],
        )
        fresh["oidcIssuerProfile"] = self._issuer(fresh, record.state)
        return (
            fresh
            | kept
            | {
                "identityProfile": record.state["identityProfile"],
                "currentKubernetesVersion": full,
            }
        )

    async def delete(self, record: Record) -> None:
        """Stop the control plane; pools, node resource group and what is in them go with the cluster."""
        record.state["provisioningState"] = "Deleting"
        self._store.save()
        await self._live.down(record)
        self._forget(record)

    def _forget(self, record: Record) -> None:
        node_group = ids.group_id(record.state["nodeResourceGroup"])
        for inner in [*self._store.under(record.id), *self._store.under(node_group)]:
            self._store.remove(inner.id)
        self._store.remove(node_group)
        self._store.remove(record.id)
        self._live.release_frontends(record)

    def _identity(self, profile: Json) -> Record:
        (identity_id,) = profile["userAssignedIdentities"]
        found = self._store.find(identity_id)
        if found is None or found.token != IDENTITY.token:
            raise ArmError(
                400,
                "FailedIdentityOperation",
                f"Identity operation for the managed cluster failed with error 'Failed to perform resource identity "
                f"operation. Status: 'BadRequest'. Response: The resource '{identity_id}' was not found.'",
            )
        return found

    def _issuer(self, state: Json, before: Json) -> Json:
        """The OIDC issuer; on for every new cluster since Kubernetes 1.34, unless it is refused."""
        enabled = (state.get("oidcIssuerProfile") or {}).get("enabled")
        was = before.get("oidcIssuerProfile") or {}
        if enabled is False:
            return {"enabled": False}
        url = was.get("issuerURL") or (
            f"https://{state['location']}.oic.prod-aks.azure.com/{ids.TENANT_ID}/{uuid.uuid4()}/"
        )
        return {"enabled": True, "issuerURL": url}


def _kubelet_identity(state: Json, cluster_id: str) -> Record:
    """The identity AKS makes for the kubelets, in the node resource group."""
    node_group, name = ids.group_id(state["nodeResourceGroup"]), f"{ids.name(cluster_id)}-agentpool"
    resource_id = f"{node_group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    identity = {
        "name": name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "location": state["location"],
        "tenantId": ids.TENANT_ID,
        "clientId": str(uuid.uuid4()),
        "principalId": str(uuid.uuid4()),
    }
    return Record(resource_id, IDENTITY.token, identity)


def _identified(identity: Record) -> Json:
    return {
        "clientId": identity.state["clientId"],
        "objectId": identity.state["principalId"],
        "resourceId": identity.id,
    }


def _principal(identity: Record) -> Json:
    return {"clientId": identity.state["clientId"], "principalId": identity.state["principalId"]}


def _check_pool_versions(profiles: list[Json], pools: dict[str, Record], wanted: str) -> None:
    """A new control plane version comes with no pool version at all, or with one for every pool.

    Then each is unchanged or the control plane's, as Azure's own answer says.
    """
    given = [profile for profile in profiles if profile.get("orchestratorVersion") is not None]
    allowed = all(p["orchestratorVersion"] in (pools[p["name"]].state["orchestratorVersion"], wanted) for p in given)
    if given and not (allowed and len(given) == len(pools)):
        raise ArmError(
            400,
            "NotAllAgentPoolOrchestratorVersionSpecifiedAndUnchanged",
            "Using managed cluster api, all Agent pools' OrchestratorVersion must be all specified or all unspecified. "
            "If all specified, they must be stay unchanged or the same with control plane.",
        )
