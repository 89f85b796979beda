"""What AKS refuses of a managed cluster.

Sources: AKS documentation concepts-network-cni-overlay, azure-cni-powered-by-cilium, configure-azure-cni,
cluster-autoscaler, use-managed-identity; property descriptions of the AKS REST API 2025-09-01.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from sandbox.azure import versions
from sandbox.azure.errors import NotPlayedError, change_not_allowed, invalid
from sandbox.azure.rules import played, upgrade
from sandbox.azure.rules.network import Network, network
from sandbox.azure.rules.played import ANY
from sandbox.rpc import Json

_PLAYED = {
    "agentPoolProfiles": ANY,
    "apiServerAccessProfile": ANY,
    "autoScalerProfile": ANY,
    "autoUpgradeProfile": ANY,
    "disableLocalAccounts": (False,),
    "dnsPrefix": ANY,
    "enableRBAC": (True,),
    "identity": ANY,
    "kubernetesVersion": ANY,
    "location": ANY,
    "metricsProfile": ANY,
    "networkProfile": ANY,
    "nodeResourceGroup": ANY,
    "nodeResourceGroupProfile": ANY,
    "oidcIssuerProfile": ANY,
    "publicNetworkAccess": ("Enabled",),
    "securityProfile": ANY,
    "sku": ANY,
    "storageProfile": ANY,
    "supportPlan": ANY,
    "tags": ANY,
    "upgradeSettings": ANY,
}
_API_SERVER = {"disableRunCommand": ANY, "authorizedIPRanges": ANY, "enablePrivateCluster": (False,)}
_SECURITY = {"workloadIdentity": ANY, "imageCleaner": ANY}
_NETWORK = {
    "networkPlugin": ("azure",),
    "networkPluginMode": ("overlay",),
    "networkDataplane": ("cilium", "azure"),
    "networkPolicy": ("cilium", "none"),
    "podCidr": ANY,
    "podCidrs": ANY,
    "serviceCidr": ANY,
    "serviceCidrs": ANY,
    "dnsServiceIP": ANY,
    "outboundType": ("loadBalancer", "managedNATGateway", "userAssignedNATGateway"),
    "loadBalancerSku": ("standard",),
    "loadBalancerProfile": ANY,
    "ipFamilies": (["IPv4"],),
}
_MINUTES = r"\d+m"
_AUTOSCALER = {
    "balanceSimilarNodeGroups": r"true|false",
    "skipNodesWithLocalStorage": r"true|false",
    "skipNodesWithSystemPods": r"true|false",
    "maxEmptyBulkDelete": r"[1-9]\d*",
    "maxGracefulTerminationSec": r"\d+",
    "maxNodeProvisionTime": _MINUTES,
    "maxTotalUnreadyPercentage": r"\d{1,2}|100",
    "newPodScaleUpDelay": r"\d+[smh]",
    "okTotalUnreadyCount": r"\d+",
    "scaleDownDelayAfterAdd": _MINUTES,
    "scaleDownDelayAfterDelete": _MINUTES,
    "scaleDownDelayAfterFailure": _MINUTES,
    "scaleDownUnneededTime": _MINUTES,
    "scaleDownUnreadyTime": _MINUTES,
    "scaleDownUtilizationThreshold": r"0(\.\d+)?|1(\.0+)?",
    "scanInterval": r"\d+s?",
}
_FORBIDDEN = tuple(map(Network, ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")))
"""Ranges a cluster may not use for services, pods or nodes (configure-azure-cni)."""


def with_defaults(body: Json, name: str, resource_group: str, location: str) -> Json:
    """The cluster as Azure answers for it: what was not given filled in, full version resolved."""
    given = {key: value for key, value in body.items() if value is not None}
    filled = {
        "enableRBAC": True,
        "disableLocalAccounts": False,
        "publicNetworkAccess": "Enabled",
        "supportPlan": "KubernetesOfficial",
        "sku": {"name": "Base", "tier": "Free"},
        "nodeResourceGroup": f"MC_{resource_group}_{name}_{location}"[:80],
        "autoUpgradeProfile": {"nodeOSUpgradeChannel": "NodeImage"},
        "powerState": {"code": "Running"},
    }
    networking = {
        "podCidr": "10.244.0.0/16",
        "serviceCidr": "10.0.0.0/16",
        "dnsServiceIP": "10.0.0.10",
        "outboundType": "loadBalancer",
        "loadBalancerSku": "standard",
        "ipFamilies": ["IPv4"],
    }
    merged: Json = filled | given
    merged["networkProfile"] = networking | {k: v for k, v in (given.get("networkProfile") or {}).items() if v}
    merged["networkProfile"]["podCidrs"] = [merged["networkProfile"]["podCidr"]]
    merged["networkProfile"]["serviceCidrs"] = [merged["networkProfile"]["serviceCidr"]]
    return merged


def check(body: Json, offers: Sequence[str], running: str | None = None) -> None:
    """Everything about a cluster that can be judged by itself. `body` is what the user sent.

    `offers` are the versions that AKS offers, `running` is the Kubernetes version of one that exists.
    """
    played.only("a managed cluster", body, _PLAYED)
    played.only("a managed cluster's API server access", body.get("apiServerAccessProfile") or {}, _API_SERVER)
    played.only("a managed cluster's security profile", body.get("securityProfile") or {}, _SECURITY)
    if not body.get("kubernetesVersion"):
        raise NotPlayedError(
            f"a cluster without kubernetesVersion (Azure would take 1.36); set {versions.playable(offers)}"
        )
    versions.resolve(body["kubernetesVersion"], offers, running)
    upgrade.check_override(body)
    if not body.get("dnsPrefix"):
        raise invalid("Required parameter dnsPrefix is missing (null).")
    _check_identity(body.get("identity") or {})
    _check_sku(body)
    profiles = body.get("agentPoolProfiles") or []
    if not any(profile.get("mode") == "System" for profile in profiles):
        raise invalid("There has to be at least one system agent pool in agentPoolProfiles.")
    for given in (body.get("apiServerAccessProfile") or {}).get("authorizedIPRanges") or []:
        network(given, "apiServerAccessProfile.authorizedIPRanges")
    names = [profile["name"] for profile in profiles]
    if len(set(names)) != len(names):
        raise invalid(f"agentPoolProfiles names a pool twice: {', '.join(names)}.")
    check_autoscaler(body.get("autoScalerProfile") or {})
    restriction = (body.get("nodeResourceGroupProfile") or {}).get("restrictionLevel")
    if restriction not in (None, "ReadOnly", "Unrestricted"):
        raise invalid(f"nodeResourceGroupProfile.restrictionLevel is {restriction!r}.")


def _check_identity(identity: Json) -> None:
    if identity.get("type") != "UserAssigned":
        if identity.get("type") in ("SystemAssigned", None):
            raise NotPlayedError("a managed cluster without a user-assigned identity")
        raise invalid(f"identity.type {identity['type']!r} is not supported for managed clusters.")
    if len(identity.get("userAssignedIdentities") or []) != 1:
        raise invalid("A managed cluster takes exactly one user-assigned identity.", "InvalidUserAssignedIdentities")


def _check_sku(body: Json) -> None:
    sku = body.get("sku") or {}
    if sku.get("name") not in (None, "Base"):
        raise NotPlayedError(f"a managed cluster with sku {sku['name']!r}")
    if body.get("supportPlan") == "AKSLongTermSupport" and sku.get("tier") != "Premium":
        raise invalid("supportPlan AKSLongTermSupport needs sku.tier Premium.")


def check_autoscaler(profile: Json) -> None:
    """The profile's values are strings of a fixed form, three booleans and an enum aside."""
    for name, value in profile.items():
        pattern = _AUTOSCALER.get(name)
        if pattern is not None and value is not None and re.fullmatch(pattern, value) is None:
            raise invalid(f"autoScalerProfile.{name} is {value!r}: it must match {pattern}.")


def check_network(profile: Json, node_ranges: list[Network], custom_subnet: bool) -> None:
    """Judge plugin combination and ranges. `profile` has its defaults; `node_ranges` are the network's own."""
    if profile.get("networkPlugin") is None:
        raise NotPlayedError("a managed cluster without networkProfile.networkPlugin")
    if profile.get("networkPluginMode") != "overlay":
        raise NotPlayedError("a managed cluster without networkProfile.networkPluginMode overlay")
    if profile.get("networkPolicy") == "cilium" and profile.get("networkDataplane") != "cilium":
        raise invalid("networkPolicy cilium needs networkDataplane cilium.", "NetworkPolicyCiliumNotSupported")
    played.only("a managed cluster's network", profile, _NETWORK)
    if profile["outboundType"] == "managedNATGateway" and custom_subnet:
        raise invalid("outboundType managedNATGateway cannot be used with a subnet of one's own.")
    if profile["outboundType"] == "userAssignedNATGateway":
        raise NotPlayedError("outboundType userAssignedNATGateway, since no NAT gateway is played")
    services, pods = network(profile["serviceCidr"], "serviceCidr"), network(profile["podCidr"], "podCidr")
    dns = ipaddress.IPv4Address(profile["dnsServiceIP"])
    if dns not in services or dns in (services.network_address, services.network_address + 1):
        raise invalid(f"dnsServiceIP {dns} must lie in serviceCidr {services} and be neither its first address nor .1.")
    if services.prefixlen < 12:
        raise invalid(f"serviceCidr {services} must be smaller than a /12.", "InvalidServiceCidr")
    named = [("serviceCidr", services), ("podCidr", pods), *(("the virtual network", one) for one in node_ranges)]
    for index, (name, one) in enumerate(named):
        for other_name, other in named[:index]:
            if one.overlaps(other) and name != other_name:
                raise invalid(f"{name} {one} overlaps {other_name} {other}.", "CidrOverlap")
        if any(one.overlaps(forbidden) for forbidden in _FORBIDDEN):
            raise invalid(f"{name} {one} overlaps a range AKS keeps: {', '.join(map(str, _FORBIDDEN))}.")


def check_change(body: Json, current: Json) -> None:
    """Refuse a PUT on an existing cluster that changes what may not change, or what is not played."""
    for name in ("identity", "networkProfile", "nodeResourceGroup", "dnsPrefix"):
        if name == "identity":
            before = sorted((current["identity"].get("userAssignedIdentities") or {}).keys(), key=str.lower)
            now = sorted((body.get("identity") or {}).get("userAssignedIdentities") or [], key=str.lower)
            if [one.lower() for one in before] != [one.lower() for one in now]:
                raise NotPlayedError("a change of a cluster's identity")
            continue
        value = body.get(name)
        if isinstance(value, dict):
            fixed = {key: item for key, item in value.items() if item is not None and key != "loadBalancerProfile"}
            changed = sorted(key for key, item in fixed.items() if item != current[name].get(key))
            if changed:
                raise change_not_allowed(f"properties.{name}.{changed[0]}")
        elif value is not None and value != current[name]:
            raise change_not_allowed(f"properties.{name}")
    was = (current.get("oidcIssuerProfile") or {}).get("enabled")
    if was and (body.get("oidcIssuerProfile") or {}).get("enabled") is False:
        raise invalid("OIDC issuer feature cannot be disabled once enabled.", "OIDCIssuerFeatureCannotBeDisabled")
