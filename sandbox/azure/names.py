"""Which names Azure takes: one table, because the SDK holds no patterns.

Source of every row without another one: "Naming rules and restrictions for Azure resources"
(learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.rpc import UNKNOWN, Json


@dataclass(frozen=True)
class NameRule:
    """A pattern over the whole name, its length, and how a person reads it."""

    pattern: str
    shortest: int
    longest: int
    words: str


_NETWORK = r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_NETWORK_WORDS = "letters, digits, _ . -; starts with a letter or digit, ends with a letter, digit or _"

RULES: dict[tuple[str, str], NameRule] = {
    ("ResourceGroup", "resourceGroupName"): NameRule(
        r"[\w().-]*[\w()-]", 1, 90, "letters, digits, _ ( ) - . ; not ending with a full stop"
    ),
    ("VirtualNetwork", "virtualNetworkName"): NameRule(_NETWORK, 2, 64, _NETWORK_WORDS),
    ("Subnet", "subnetName"): NameRule(_NETWORK, 1, 80, _NETWORK_WORDS),
    ("PublicIPAddress", "publicIpAddressName"): NameRule(_NETWORK, 1, 80, _NETWORK_WORDS),
    ("UserAssignedIdentity", "resourceName"): NameRule(
        r"[A-Za-z0-9][A-Za-z0-9_-]*", 3, 128, "letters, digits, _ -; starts with a letter or digit"
    ),
    ("RoleAssignment", "roleAssignmentName"): NameRule(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", 36, 36, "a GUID"
    ),
    ("ManagementLockByScope", "lockName"): NameRule(
        r"[^<>%&:?/\x00-\x1f]*[^<>%&:?/\x00-\x1f .]", 1, 90, "no < > % & : ? / ; not ending with a space or full stop"
    ),
    ("ManagedCluster", "resourceName"): NameRule(
        r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?",
        1,
        63,
        "letters, digits, _ -; starts and ends with a letter or digit",
    ),
    # AKS REST API 2025-09-01, ManagedClusterProperties.dnsPrefix and fqdnSubdomain
    ("ManagedCluster", "dnsPrefix"): NameRule(
        r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", 1, 54, "letters, digits, -; starts and ends with a letter or digit"
    ),
    # AKS documentation, "Can I provide my own name for the AKS node resource group": at most 80 characters
    ("ManagedCluster", "nodeResourceGroup"): NameRule(
        r"[\w().-]*[\w()-]", 1, 80, "letters, digits, _ ( ) - . ; not ending with a full stop"
    ),
    # Linux pools; Windows pools, at most 6 characters, are not played
    ("AgentPool", "agentPoolName"): NameRule(
        r"[a-z][a-z0-9]*", 1, 12, "lower-case letters and digits; starts with a letter"
    ),
    # AKS documentation, planned-maintenance: the only three names there are
    ("MaintenanceConfiguration", "configName"): NameRule(
        r"default|aksManagedAutoUpgradeSchedule|aksManagedNodeOSUpgradeSchedule",
        1,
        63,
        "one of default, aksManagedAutoUpgradeSchedule, aksManagedNodeOSUpgradeSchedule",
    ),
}


def problem(label: str, property_name: str, value: str) -> str | None:
    """Why Azure would not take the name; None when it would."""
    rule = RULES[label, property_name]
    if not rule.shortest <= len(value) <= rule.longest:
        span = f"{rule.shortest} to {rule.longest}" if rule.shortest != rule.longest else str(rule.longest)
        return f"'{property_name}' is {value!r}, {len(value)} characters long: {span} are allowed"
    if re.fullmatch(rule.pattern, value) is None:
        return f"'{property_name}' is {value!r}: allowed is {rule.words}"
    return None


def check(label: str, inputs: Json) -> list[tuple[str, str]]:
    """Every name among a resource's inputs that Azure would not take: (path, reason). Inline pools and subnets too."""
    named = [(label, name, name, inputs.get(name)) for kind, name in RULES if kind == label]
    inline = {"ManagedCluster": ("agentPoolProfiles", "AgentPool"), "VirtualNetwork": ("subnets", "Subnet")}
    if label in inline:
        where, kind = inline[label]
        children = inputs.get(where)
        rule_name = {"AgentPool": "agentPoolName", "Subnet": "subnetName"}[kind]
        for index, child in enumerate(children if isinstance(children, list) else []):
            value = child.get("name") if isinstance(child, dict) else None
            named.append((kind, rule_name, f"{where}[{index}].name", value))
    found = []
    for kind, name, path, value in named:
        if isinstance(value, str) and value != UNKNOWN:
            reason = problem(kind, name, value)
            if reason is not None:
                found.append((path, reason))
    return found
