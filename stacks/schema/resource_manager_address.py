"""`resourceManager.configMap` of a service that calls the resource manager: how it learns the address."""

from __future__ import annotations

from pydantic import Field

from stacks.schema.base import Section


class AddressMap(Section):
    """The ConfigMap with the resource manager's address."""

    enabled: bool = Field(
        True,
        description="Read resource-manager server information from configMap; otherwise it is `global.resourceManager"
        ".url`, and a change of the address changes the pods.",
    )


class ResourceManagerAddress(Section):
    """How a service learns the resource manager's address."""

    config_map: AddressMap = Field(default_factory=AddressMap, description="The ConfigMap with the address.")
