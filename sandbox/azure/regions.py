"""Which regions there are, and in which of them T4 machines are offered.

From the retail price list of 2026-06-18 (Azure/karpenter-provider-azure): a region without a price for NC4as_T4_v3 is
taken for one that does not offer it.
"""

from __future__ import annotations

from sandbox.azure.errors import ArmError

WITH_T4 = frozenset(
    [
        "eastus",
        "eastus2",
        "westus2",
        "westus3",
        "centralus",
        "southcentralus",
        "canadacentral",
        "northeurope",
        "westeurope",
        "uksouth",
        "swedencentral",
        "francecentral",
        "germanywestcentral",
        "australiaeast",
        "japaneast",
        "southeastasia",
        "centralindia",
        "koreacentral",
        "brazilsouth",
    ]
)
WITHOUT_T4 = frozenset(
    [
        "switzerlandnorth",
        "eastasia",
        "spaincentral",
        "norwayeast",
        "uaenorth",
        "mexicocentral",
        "southafricanorth",
        "qatarcentral",
        "canadaeast",
        "ukwest",
        "austriaeast",
        "chilecentral",
        "newzealandnorth",
        "indonesiacentral",
    ]
)


def check(location: str, arm_type: str) -> None:
    """Refuse a region that does not exist. `location` is in its short form, `westeurope`."""
    known = WITH_T4 | WITHOUT_T4
    if location not in known:
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{location}' is not available for resource type '{arm_type}'. List of available "
            f"regions for the resource type is '{','.join(sorted(known))}'.",
        )


def check_size(location: str, size: str, gpus: int) -> None:
    """Refuse a machine that the region does not offer."""
    if gpus and location not in WITH_T4:
        raise ArmError(
            400,
            "SkuNotAvailable",
            f"The requested VM size {size} is currently not available in location '{location}'. Please try another "
            "size or deploy to a different location.",
        )
