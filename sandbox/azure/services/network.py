"""Microsoft.Network: virtual networks, subnets, public addresses."""

from __future__ import annotations

import ipaddress

from sandbox.azure import ids
from sandbox.azure.catalogue import AGENT_POOL, PUBLIC_IP, SUBNET, VIRTUAL_NETWORK, Kind
from sandbox.azure.errors import ArmError
from sandbox.azure.rules import network as rules
from sandbox.azure.store import Record, Store
from sandbox.rpc import Json

PUBLIC_RANGE = ipaddress.IPv4Network("203.0.113.0/24")
"""Where made-up public addresses come from: TEST-NET-3 of RFC 5737, routed nowhere."""


class Network:
    """Networks and addresses. A subnet is a record of its own, whether given inline or as a resource."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, kind: Kind, resource_id: str, body: Json, current: Record | None) -> None:
        given = {name: value for name, value in body.items() if value is not None}
        if kind is VIRTUAL_NETWORK:
            self._put_vnet(resource_id, given, current)
        elif kind is SUBNET:
            self._put_subnet(resource_id, given)
        else:
            self._put_public_ip(resource_id, given, current)

    def _put_vnet(self, resource_id: str, body: Json, current: Record | None) -> None:
        space = rules.check_vnet(body)
        inline = body.pop("subnets", None)
        existing = {ids.key(subnet.id): subnet for subnet in self._subnets(resource_id)}
        for subnet in existing.values() if inline is None else ():
            rules.check_subnet(subnet.state["name"], _subnet_body(subnet.state), space, {})
        wanted = {ids.key(f"{resource_id}/subnets/{child['name']}"): child for child in inline or []}
        if inline is not None:
            for gone in existing.keys() - wanted.keys():
                self._check_unused(existing[gone])
            siblings: dict[str, rules.Network] = {}
            for child in wanted.values():
                rules.check_subnet(child["name"], child, space, siblings)
                siblings[child["name"]] = rules.subnet_range(child)
            for gone in existing.keys() - wanted.keys():
                self._store.remove(existing[gone].id)
        state = body | _common(resource_id, "Microsoft.Network/virtualNetworks")
        self._store.put(Record(resource_id, VIRTUAL_NETWORK.token, state))
        for child in wanted.values():
            self._store_subnet(f"{resource_id}/subnets/{child['name']}", child)

    def _put_subnet(self, resource_id: str, body: Json) -> None:
        parent = resource_id.rsplit("/subnets/", 1)[0]
        vnet = self._store.find(parent)
        assert vnet is not None, "arm.py has checked the parent"
        space = rules.check_vnet({"addressSpace": vnet.state["addressSpace"]})
        siblings = {
            s.state["name"]: rules.subnet_range(s.state)
            for s in self._subnets(parent)
            if ids.key(s.id) != ids.key(resource_id)
        }
        rules.check_subnet(ids.name(resource_id), body, space, siblings)
        self._store_subnet(resource_id, body)

    def _store_subnet(self, resource_id: str, body: Json) -> None:
        defaults = {"privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"}
        state = defaults | body | _common(resource_id, "Microsoft.Network/virtualNetworks/subnets")
        self._store.put(Record(resource_id, SUBNET.token, state))

    def _put_public_ip(self, resource_id: str, body: Json, current: Record | None) -> None:
        rules.check_public_ip(body)
        taken = {record.state["ipAddress"] for record in self._store.of(PUBLIC_IP)}
        if current is not None:
            address = current.state["ipAddress"]
        else:
            address = next(str(host) for host in PUBLIC_RANGE.hosts() if str(host) not in taken)
        defaults = {"idleTimeoutInMinutes": 4, "publicIPAddressVersion": "IPv4", "ipTags": []}
        body["sku"] = {"tier": "Regional"} | body["sku"]
        state = defaults | body | {"ipAddress": address} | _common(resource_id, "Microsoft.Network/publicIPAddresses")
        hidden = current.hidden if current is not None else {"frontends": []}
        self._store.put(Record(resource_id, PUBLIC_IP.token, state, hidden))

    async def delete(self, record: Record) -> None:
        if record.token == PUBLIC_IP.token and record.hidden["frontends"]:
            raise ArmError(
                400,
                "PublicIPAddressCannotBeDeleted",
                f"Public IP address {record.id} can not be deleted since it is still allocated to resource "
                f"{record.hidden['frontends'][0]}. In order to delete the public IP, disassociate/detach the Public IP "
                "address from the resource.",
            )
        subnets = self._subnets(record.id) if record.token == VIRTUAL_NETWORK.token else []
        for subnet in [record] if record.token == SUBNET.token else subnets:
            self._check_unused(subnet)
        for subnet in subnets:
            self._store.remove(subnet.id)
        self._store.remove(record.id)

    def view(self, record: Record) -> Json:
        if record.token == VIRTUAL_NETWORK.token:
            children = [s.state | {"id": s.id} for s in self._subnets(record.id)]
            return record.state | {"subnets": children}
        if record.token == PUBLIC_IP.token and record.hidden["frontends"]:
            return record.state | {"ipConfiguration": {"id": record.hidden["frontends"][0]}}
        return record.state

    def _subnets(self, vnet_id: str) -> list[Record]:
        return [record for record in self._store.under(vnet_id) if record.token == SUBNET.token]

    def _check_unused(self, subnet: Record) -> None:
        for pool in self._store.of(AGENT_POOL):
            if ids.key(pool.state.get("vnetSubnetID") or "") == ids.key(subnet.id):
                raise ArmError(
                    400,
                    "InUseSubnetCannotBeDeleted",
                    f"Subnet {subnet.state['name']} is in use by {pool.id} and cannot be deleted. In order to delete "
                    "the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
                )


def _common(resource_id: str, arm_type: str) -> Json:
    return {"name": ids.name(resource_id), "type": arm_type, "provisioningState": "Succeeded"}


def _subnet_body(state: Json) -> Json:
    return {name: state[name] for name in ("addressPrefix", "addressPrefixes") if name in state}
