"""Rules of the address ranges."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv4Network

from stacks.problem import Problem, set_command
from stacks.schema import Settings


def networks(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    network = settings.azure.network
    space, subnet = IPv4Network(network.address_space), IPv4Network(network.node_subnet)
    pods, services = IPv4Network(network.pod_cidr), IPv4Network(network.service_cidr)
    if not subnet.subnet_of(space):
        path = "azure.network.nodeSubnet"
        reason = f"{subnet} is not inside addressSpace {space}"
        first = next(space.subnets(new_prefix=max(space.prefixlen, 22)))
        yield Problem(path, "subnet-outside", reason, set_command(path, first))
    for path, one, other in (
        ("azure.network.podCidr", pods, space),
        ("azure.network.serviceCidr", services, space),
        ("azure.network.serviceCidr", services, pods),
    ):
        if one.overlaps(other):
            reason = f"{one} overlaps {other}; both are fixed for the life of the cluster"
            yield Problem(path, "overlapping-networks", reason, set_command(path, "RANGE"))
    try:
        inside = IPv4Address(network.dns_service_ip) in services
    except ValueError:
        inside = False
    if not inside:
        path = "azure.network.dnsServiceIp"
        reason = f"{network.dns_service_ip} is not an address inside serviceCidr {services}"
        yield Problem(path, "dns-outside", reason, set_command(path, services[10]))
