"""`azure`: the cluster and the network around it. Ours; the seed has no such keys."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stacks.schema.base import KubernetesVersion, Section, shaped


def _network(text: str) -> str:
    try:
        IPv4Network(text)
    except ValueError as error:
        raise PydanticCustomError("bad_format", "is no IPv4 network: {why}", {"why": str(error)}) from error
    return text


def _range(text: str) -> str:
    try:
        IPv6Network(text) if ":" in text else IPv4Network(text)
    except ValueError as error:
        raise PydanticCustomError("bad_format", "is no address range: {why}", {"why": str(error)}) from error
    return text


Cidr = Annotated[str, AfterValidator(_network)]
"""An IPv4 network such as `10.40.0.0/16`, without host bits."""

AddressRange = Annotated[str, AfterValidator(_range)]
"""An IPv4 or IPv6 range that may reach the API server."""

Zone = Annotated[str, shaped("^[1-3]$", 'a zone: "1", "2" or "3"')]
"""An availability zone of a region: "1", "2" or "3"."""


GROUP_CHARACTERS = "letters, digits, -, _, ., ( and ), no . at the end"

DnsPrefix = Annotated[
    str,
    shaped(
        "^[a-zA-Z0-9]([-a-zA-Z0-9]{0,52}[a-zA-Z0-9])?$",
        "at most 54 letters, digits and -, a letter or digit at both ends",
    ),
]
"""Begin of the API server's host name."""

NodeGroup = Annotated[str, shaped(r"^[-\w.()]{0,79}[-\w()]$", f"at most 80 {GROUP_CHARACTERS}")]
"""The resource group of the nodes; AKS takes ten characters fewer than of any other."""


class Tier(StrEnum):
    """The service level of the AKS control plane."""

    FREE = "Free"
    STANDARD = "Standard"
    PREMIUM = "Premium"


class WeekDay(StrEnum):
    """A day of the week as AKS names it."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


class Network(Section):
    """Address ranges, all fixed for the life of the cluster."""

    address_space: Cidr = Field("10.40.0.0/16", description="The virtual network.")
    node_subnet: Cidr = Field("10.40.0.0/22", description="The nodes' subnet inside it.")
    pod_cidr: Cidr = Field("10.244.0.0/16", description="The pods' overlay network.")
    service_cidr: Cidr = Field("10.41.0.0/16", description="The Services' network.")
    dns_service_ip: Annotated[str, shaped(r"^[0-9]+(\.[0-9]+){3}$", "an IPv4 address, such as 10.41.0.10")] = Field(
        "10.41.0.10", description="The cluster's DNS server, inside serviceCidr."
    )
    outbound_idle_minutes: int = Field(
        30, ge=4, le=120, description="Idle time in minutes after which the load balancer drops an outbound connection."
    )


class MaintenanceWindow(Section):
    """When AKS may touch the cluster on its own; AKS may break it for critical fixes."""

    day_of_week: WeekDay = Field(WeekDay.SUNDAY, description="Day of the week.")
    start_time: Annotated[str, shaped("^([01][0-9]|2[0-3]):[0-5][0-9]$", 'a time in quotes, such as "02:00"')] = Field(
        "02:00", description="Start, hours and minutes."
    )
    utc_offset: Annotated[str, shaped(r"^[+-][01][0-9]:[0-5][0-9]$", 'an offset in quotes, such as "+01:00"')] = Field(
        "+00:00", description="Offset from UTC."
    )
    duration_hours: int = Field(4, ge=4, le=24, description="Length in hours (AKS: 4 to 24).")


class AzureSettings(Section):
    """The cluster and the network around it."""

    subscription_id: Annotated[
        str, shaped("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "the id of a subscription, in lower case")
    ] = Field(description="The subscription to deploy into; named here so that no login can point elsewhere.")
    location: Annotated[str, shaped("^[a-z0-9]+$", "a region's short name, such as westeurope")] = Field(
        description="Azure region, such as westeurope."
    )
    resource_group: Annotated[str, shaped(r"^[-\w.()]{0,89}[-\w()]$", f"at most 90 {GROUP_CHARACTERS}")] = Field(
        description="The resource group; made and owned by this stack."
    )
    cluster_name: Annotated[
        str,
        shaped(
            "^[a-zA-Z0-9]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$",
            "at most 63 letters, digits, - and _, a letter or digit at both ends",
        ),
    ] = Field(description="The AKS cluster.")
    dns_prefix: DnsPrefix | None = Field(
        None, description="Prefix of the API server's host name; unset is the cluster's name. Fixed for its life."
    )
    node_resource_group: NodeGroup | None = Field(
        None, description="Where AKS keeps nodes and disks; unset is the resource group's name and `-nodes`. Fixed."
    )
    kubernetes_version: KubernetesVersion = Field(description="Kubernetes version of the control plane.")
    tier: Tier = Field(Tier.STANDARD, description="Service level of the control plane.")
    zones: tuple[Zone, ...] = Field(("1", "2", "3"), description="Zones of the public address.")
    authorized_ip_ranges: tuple[AddressRange, ...] = Field(
        (), max_length=200, description="Who may reach the API server; empty is everyone (AKS: at most 200)."
    )
    network: Network = Field(default_factory=Network, description="Address ranges.")
    maintenance: MaintenanceWindow = Field(default_factory=MaintenanceWindow, description="The maintenance window.")

    @property
    def cluster_id(self) -> str:
        """The cluster's ARM id, from configuration alone: the same before the cluster exists and for its whole life."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.ContainerService/managedClusters/{self.cluster_name}"
        )
