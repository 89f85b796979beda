"""`resourceManager.configMap` of a service that calls the resource manager: how it learns the address."""

from __future__ import annotations

from pydantic import Field

from stacks.schema.base import DnsLabel, HttpUrl, Section


class AddressMap(Section):
    """The ConfigMap with the resource manager's address."""

    enabled: bool = Field(
        True,
        description="Read resource-manager server information from configMap; otherwise it is `global.resourceManager"
        ".url`, and a change of the address changes the pods.",
    )
    name: DnsLabel | None = Field(None, description="A ConfigMap of the operator's; unset is the release's own.")


class ResourceManagerAddress(Section):
    """How a service learns the resource manager's address."""

    config_map: AddressMap = Field(default_factory=AddressMap, description="The ConfigMap with the address.")
    url: HttpUrl | None = Field(
        None, description="The address itself where the ConfigMap is off; unset is `global.resourceManager.url`."
    )
