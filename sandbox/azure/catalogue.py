"""The resource types the stand-in knows: what the SDK says of each, and what only azure-native's source says.

Properties, requiredness, enums and API versions come from the Python SDK (`schema.py`). What the SDK does not hold is
here, with its source: the id's form, how a missing name is made up, and which properties force a replacement
(pulumi-azure-native provider/pkg/gen/replacement.go at 1b7112af).
"""

from __future__ import annotations

import functools
import importlib
import re
import threading
import typing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.azure import ids
from sandbox.azure.errors import ProviderError


class AutoName(StrEnum):
    """How azure-native names a resource whose name is not given (provider.go, `getDefaultName`)."""

    RANDOM = "random"
    COPY = "copy"
    UUID = "uuid"


_LOADING = threading.Lock()
"""The SDK's modules load at the first look into them (`importlib.util.LazyLoader`): a second thread that looks
meanwhile would see half a module."""


def _sdk_class(module: str, *names: str) -> type[object]:
    """The first class of these names in a module of the SDK. Raises `AttributeError` where there is none."""
    with _LOADING:
        loaded = importlib.import_module(f"pulumi_azure_native.{module}")
        held = [name for name in names if hasattr(loaded, name)]
        found: type[object] = getattr(loaded, held[0] if held else names[-1])
        return found


@dataclass(frozen=True)
class Kind:
    """One resource type. `path` is the id with the names of the inputs that fill it."""

    token: str
    path: str
    naming: AutoName
    replaces: frozenset[str] = frozenset()

    @property
    def module(self) -> str:
        return self.token.split(":")[1]

    @property
    def label(self) -> str:
        return self.token.rsplit(":", 1)[1]

    @functools.cached_property
    def path_inputs(self) -> tuple[str, ...]:
        """The inputs the id is made of, the subscription aside."""
        return tuple(name for name in re.findall(r"{(\w+)}", self.path) if name != "subscriptionId")

    @property
    def name_input(self) -> str:
        """The input that holds the resource's own name."""
        return self.path_inputs[-1]

    @functools.cached_property
    def args_type(self) -> type[object]:
        """The SDK's class of inputs (`…InitArgs` where a nested type of the API has the plain name)."""
        return _sdk_class(self.module, f"{self.label}InitArgs", f"{self.label}Args")

    @functools.cached_property
    def resource_type(self) -> type[object]:
        return _sdk_class(self.module, self.label)

    @functools.cached_property
    def api_version(self) -> str:
        """The API version the SDK's documentation names for the type."""
        texts = [overload.__doc__ or "" for overload in typing.get_overloads(self.resource_type.__init__)]
        found = re.search(r"Uses Azure REST API version (\S+?)\.\s", "\n".join(texts))
        if found is None:
            raise ProviderError(f"the SDK names no API version for {self.token}")
        return found.group(1)

    def build_id(self, inputs: dict[str, Any]) -> str:
        """The resource's id from its inputs (crud.go, `PrepareAzureRESTIdAndQuery`)."""
        values = {name: str(inputs[name]).strip("/") for name in self.path_inputs}
        return self.path.format(subscriptionId=ids.SUBSCRIPTION_ID, **values)

    def parse_id(self, resource_id: str) -> dict[str, str]:
        """The inputs an id of this type holds. Raises `ProviderError` for an id of another form."""
        pattern = re.sub(
            r"{(\w+)}", lambda m: f"(?P<{m[1]}>.+)" if m[1] == "scope" else f"(?P<{m[1]}>[^/]+)", self.path
        )
        found = re.fullmatch(pattern, "/" + resource_id.strip("/"), re.IGNORECASE)
        if found is None:
            raise ProviderError(f"{resource_id} is no id of a {self.token}: {self.path}")
        return {name: value for name, value in found.groupdict().items() if name != "subscriptionId"}


_GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
_NETWORK = _GROUP + "/providers/Microsoft.Network"
_CLUSTER = _GROUP + "/providers/Microsoft.ContainerService/managedClusters/{resourceName}"

RESOURCE_GROUP = Kind("azure-native:resources:ResourceGroup", _GROUP, AutoName.RANDOM, frozenset({"location"}))
VIRTUAL_NETWORK = Kind(
    "azure-native:network:VirtualNetwork",
    _NETWORK + "/virtualNetworks/{virtualNetworkName}",
    AutoName.RANDOM,
    frozenset({"location"}),
)
SUBNET = Kind(
    "azure-native:network:Subnet",
    _NETWORK + "/virtualNetworks/{virtualNetworkName}/subnets/{subnetName}",
    AutoName.COPY,
)
PUBLIC_IP = Kind(
    "azure-native:network:PublicIPAddress",
    _NETWORK + "/publicIPAddresses/{publicIpAddressName}",
    AutoName.RANDOM,
    frozenset({"location", "publicIPAddressVersion", "publicIPPrefix", "sku"}),
)
IDENTITY = Kind(
    "azure-native:managedidentity:UserAssignedIdentity",
    _GROUP + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}",
    AutoName.RANDOM,
    frozenset({"location"}),
)
ROLE_ASSIGNMENT = Kind(
    "azure-native:authorization:RoleAssignment",
    "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    AutoName.UUID,
    frozenset({"principalId"}),
)
LOCK = Kind(
    "azure-native:authorization:ManagementLockByScope",
    "/{scope}/providers/Microsoft.Authorization/locks/{lockName}",
    AutoName.COPY,
)
MANAGED_CLUSTER = Kind(
    "azure-native:containerservice:ManagedCluster",
    _CLUSTER,
    AutoName.RANDOM,
    frozenset(
        {
            "diskEncryptionSetID",
            "dnsPrefix",
            "fqdnSubdomain",
            "linuxProfile",
            "location",
            "nodeResourceGroup",
            "windowsProfile",
            *(
                f"networkProfile.{name}"
                for name in (
                    "serviceCidr",
                    "serviceCidrs",
                    "dnsServiceIP",
                    "networkMode",
                    "networkPlugin",
                    "networkPluginMode",
                    "podCidr",
                    "networkDataplane",
                    "networkPolicy",
                    "outboundType",
                )
            ),
        }
    ),
)
AGENT_POOL = Kind(
    "azure-native:containerservice:AgentPool",
    _CLUSTER + "/agentPools/{agentPoolName}",
    AutoName.COPY,
    frozenset({"gpuInstanceProfile", "vmSize", "networkProfile.nodePublicIPTags"}),
)
MAINTENANCE = Kind(
    "azure-native:containerservice:MaintenanceConfiguration",
    _CLUSTER + "/maintenanceConfigurations/{configName}",
    AutoName.COPY,
)

KINDS = {
    kind.token: kind
    for kind in (
        RESOURCE_GROUP,
        VIRTUAL_NETWORK,
        SUBNET,
        PUBLIC_IP,
        IDENTITY,
        ROLE_ASSIGNMENT,
        LOCK,
        MANAGED_CLUSTER,
        AGENT_POOL,
        MAINTENANCE,
    )
}

USER_CREDENTIALS = "azure-native:containerservice:listManagedClusterUserCredentials"


def load() -> None:
    """Import the SDK's classes of every kind: seconds that the first request would wait for otherwise."""
    for kind in KINDS.values():
        _ = kind.args_type, kind.resource_type


def kind_of(urn: str) -> Kind:
    """The type of the resource a URN names. Raises `ProviderError` for a type the stand-in does not know."""
    token = urn.split("::")[2].rsplit("$", 1)[-1]
    if token not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise ProviderError(f"the local Azure stand-in does not know the resource type {token}; it knows {known}")
    return KINDS[token]
