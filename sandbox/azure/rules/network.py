"""What Azure refuses of networks and public addresses, and the arithmetic of address ranges."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from sandbox.azure.errors import invalid
from sandbox.azure.rules import played
from sandbox.azure.rules.played import ANY
from sandbox.rpc import Json

Network = ipaddress.IPv4Network

_VNET = {
    "addressSpace": ANY,
    "location": ANY,
    "tags": ANY,
    "subnets": ANY,
    "enableDdosProtection": (False,),
    "enableVmProtection": (False,),
    "privateEndpointVNetPolicies": ("Disabled",),
}
_SUBNET = {
    "addressPrefix": ANY,
    "addressPrefixes": ANY,
    "name": ANY,
    "defaultOutboundAccess": ANY,
    "privateEndpointNetworkPolicies": ANY,
    "privateLinkServiceNetworkPolicies": ANY,
    "serviceEndpoints": ANY,
}
_PUBLIC_IP = {
    "location": ANY,
    "tags": ANY,
    "zones": ANY,
    "sku": ANY,
    "idleTimeoutInMinutes": ANY,
    "publicIPAllocationMethod": ANY,
    "publicIPAddressVersion": ("IPv4",),
    "deleteOption": ("Detach",),
}
AZURE_KEEPS = 5
"""Addresses of every subnet that Azure keeps: the first four and the last."""


def network(text: str, where: str) -> Network:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        raise invalid(f"The address prefix {text} in {where} is not a valid CIDR.", "InvalidCIDRNotation") from None


def check_vnet(body: Json) -> list[Network]:
    """Judge a virtual network; its address ranges."""
    played.only("a virtual network", body, _VNET)
    prefixes = (body.get("addressSpace") or {}).get("addressPrefixes") or []
    if not prefixes:
        raise invalid("The virtual network has no addressSpace.addressPrefixes.", "InvalidRequestFormat")
    ranges = [network(prefix, "addressSpace") for prefix in prefixes]
    for index, one in enumerate(ranges):
        if any(one.overlaps(other) for other in ranges[:index]):
            raise invalid(f"The address prefix {one} overlaps another one.", "VnetAddressSpacesOverlap")
    return ranges


def subnet_range(body: Json) -> Network:
    prefixes = [body["addressPrefix"]] if body.get("addressPrefix") else list(body.get("addressPrefixes") or [])
    if len(prefixes) != 1:
        raise invalid("A subnet needs exactly one address prefix.", "InvalidRequestFormat")
    return network(prefixes[0], "addressPrefix")


def check_subnet(name: str, body: Json, space: Sequence[Network], siblings: dict[str, Network]) -> None:
    """Judge a subnet against its network's ranges and the other subnets."""
    played.only("a subnet", body, _SUBNET)
    own = subnet_range(body)
    if not any(own.subnet_of(one) for one in space):
        raise invalid(
            f"Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual "
            "network.",
            "NetcfgInvalidSubnet",
        )
    if own.prefixlen > 29:
        raise invalid(f"Subnet '{name}' with prefix {own} is too small: /29 is the smallest.", "NetcfgInvalidSubnet")
    for other, taken in siblings.items():
        if own.overlaps(taken):
            raise invalid(
                f"Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet "
                f"'{other}'.",
                "NetcfgSubnetRangesOverlap",
            )


def check_public_ip(body: Json) -> None:
    played.only("a public address", body, _PUBLIC_IP)
    sku = (body.get("sku") or {}).get("name") or "Basic"
    if sku != "Standard":
        raise invalid(
            "Basic SKU public IP addresses were retired on 2025-09-30; use sku.name Standard.",
            "BasicSkuPublicIpAddressRetired",
        )
    if body.get("publicIPAllocationMethod", "Dynamic") != "Static":
        raise invalid(
            "Standard sku publicIp must have AllocationMethod set to Static.",
            "PublicIPAndPublicIPPrefixDynamicAllocationNotSupported",
        )
    idle = body.get("idleTimeoutInMinutes")
    if idle is not None and not 4 <= idle <= 30:
        raise invalid(f"idleTimeoutInMinutes is {idle}: it must be between 4 and 30.", "InvalidIdleTimeoutInMinutes")
    zones = body.get("zones") or []
    if not set(zones) <= {"1", "2", "3"}:
        raise invalid(f"The zones {zones} are not valid: they are 1, 2 and 3.", "InvalidAvailabilityZone")
