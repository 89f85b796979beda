"""`azure`: the cluster and the network around it. Ours; the seed has no such keys."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from stacks.schema.base import KubernetesVersion, Section


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

Zone = Annotated[str, StringConstraints(pattern="^[1-3]$")]
"""An availability zone of a region: "1", "2" or "3"."""


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
    dns_service_ip: str = Field(
        "10.41.0.10", pattern=r"^[0-9]+(\.[0-9]+){3}$", description="The cluster's DNS server, inside serviceCidr."
    )
    outbound_idle_minutes: int = Field(
        30, ge=4, le=120, description="Idle time in minutes after which the load balancer drops an outbound connection."
    )


class MaintenanceWindow(Section):
    """When AKS may touch the cluster on its own; AKS may break it for critical fixes."""

    day_of_week: WeekDay = Field(WeekDay.SUNDAY, description="Day of the week.")
    start_time: str = Field("02:00", pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Start, hours and minutes.")
    utc_offset: str = Field("+00:00", pattern=r"^[+-][01][0-9]:[0-5][0-9]$", description="Offset from UTC.")
    duration_hours: int = Field(4, ge=4, le=24, description="Length in hours (AKS: 4 to 24).")


class AzureSettings(Section):
    """The cluster and the network around it."""

    subscription_id: str = Field(
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="The subscription to deploy into; named here so that no login can point elsewhere.",
    )
    location: str = Field(pattern="^[a-z0-9]+$", description="Azure region, such as westeurope.")
    resource_group: str = Field(
        pattern=r"^[-\w.()]{0,89}[-\w()]$", description="The resource group; made and owned by this stack."
    )
    cluster_name: str = Field(pattern="^[a-zA-Z0-9]([-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$", description="The AKS cluster.")
    dns_prefix: str | None = Field(
        None,
        pattern="^[a-zA-Z0-9]([-a-zA-Z0-9]{0,52}[a-zA-Z0-9])?$",
        description="Prefix of the API server's host name; unset is the cluster's name. Fixed for its life.",
    )
    node_resource_group: str | None = Field(
        None,
        pattern=r"^[-\w.()]{0,79}[-\w()]$",
        description="Where AKS keeps nodes and disks; unset is the resource group's name and `-nodes`. Fixed.",
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
