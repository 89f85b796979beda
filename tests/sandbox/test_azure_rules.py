"""What Azure refuses for its meaning. Every case breaks one thing about something Azure takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox import settings
from sandbox.azure import catalogue, versions
from sandbox.azure.errors import ArmError, NotPlayedError
from sandbox.azure.live import Live
from sandbox.azure.rules import cluster, maintenance, network, pool
from sandbox.azure.store import Store
from sandbox.home import Home
from tests.sandbox.azure_world import SYSTEM_POOL, Json, NoClusters, inputs

PATH = set(catalogue.AGENT_POOL.path_inputs)


def pool_state(**changes: Any) -> Json:
    body = {name: value for name, value in inputs(catalogue.AGENT_POOL, **changes).items() if name not in PATH}
    return pool.with_defaults(body, "1.35.4")


def judge_pool(**changes: Any) -> None:
    pool.check(pool_state(**changes), "1.35.4", versions.OFFERED)


SYSTEM = {
    "mode": "System",
    "vmSize": "Standard_D4s_v5",
    "nodeTaints": ["CriticalAddonsOnly=true:NoSchedule"],
    "gpuProfile": None,
    "osDiskType": "Managed",
}


def test_good_pools() -> None:
    judge_pool()
    judge_pool(**SYSTEM)
    judge_pool(enableAutoScaling=False, minCount=None, maxCount=None, count=0)
    judge_pool(upgradeSettings={"maxSurge": "33%", "drainTimeoutInMinutes": 1440, "nodeSoakDurationInMinutes": 30})
    judge_pool(upgradeSettings={"maxSurge": "0", "maxUnavailable": "1"})
    judge_pool(osSKU="Ubuntu2404", orchestratorVersion="1.35.4")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"vmSize": "Standard_D4_v9"}, "VM size of Standard_D4_v9 is not allowed"),
        ({"count": None}, "Required parameter properties.count is missing"),
        ({"count": 1001, "maxCount": 1000}, "between 0 and 1000"),
        ({"count": 4}, "must be between minCount (1) and maxCount (3)"),
        ({"minCount": 4}, "minCount (4) and maxCount (3)"),
        ({"maxCount": None}, "minCount and maxCount are required"),
        ({"enableAutoScaling": False}, "can only be set when enableAutoScaling is true"),
        ({"maxPods": 9}, "between 10 and 250"),
        ({"maxPods": 251}, "between 10 and 250"),
        ({"availabilityZones": ["1", "4"]}, "Zones are 1, 2 and 3"),
        ({"availabilityZones": ["1", "1"]}, "Zones are 1, 2 and 3"),
        ({"osDiskSizeGB": 29}, "between 30 and 2048"),
        ({"osDiskSizeGB": 177}, "Ephemeral OS disk of 177 GB does not fit"),
        ({"vmSize": "Standard_E16s_v5", "gpuProfile": None}, "no local disk"),
        ({"vmSize": "Standard_D4s_v5", "osDiskType": "Managed"}, "gpuProfile can only be set for GPU VM sizes"),
        ({"nodeTaints": ["a"]}, "not of the form key=value:effect"),
        ({"nodeTaints": ["a=b:Never"]}, "not of the form key=value:effect"),
        ({"nodeTaints": ["a=b c:NoSchedule"]}, "no valid label value"),
        ({"nodeLabels": {"a b": "c"}}, "no valid Kubernetes label"),
        ({"nodeLabels": {"a": "-"}}, "no valid Kubernetes label"),
        ({"nodeLabels": {"kubernetes.azure.com/mode": "x"}}, "is reserved"),
        ({"upgradeSettings": {"drainTimeoutInMinutes": 4}}, "between 5 and 1440"),
        ({"upgradeSettings": {"drainTimeoutInMinutes": 1441}}, "between 5 and 1440"),
        ({"upgradeSettings": {"nodeSoakDurationInMinutes": 31}}, "between 0 and 30"),
        ({"upgradeSettings": {"maxSurge": "1.5"}}, "whole number or a percentage"),
        ({"upgradeSettings": {"maxSurge": "101%"}}, "whole number or a percentage"),
        ({"upgradeSettings": {"maxSurge": "0", "maxUnavailable": "0"}}, "must not both be 0"),
        ({"orchestratorVersion": "1.35.9"}, "a pool is never newer"),
        ({"orchestratorVersion": "1.35"}, "a pool is never newer"),
        ({"orchestratorVersion": "1.35.7"}, "not supported in this region"),
        (SYSTEM | {"vmSize": "Standard_D2s_v5"}, "at least 4 vCPUs"),
        (SYSTEM | {"maxPods": 29}, "System pools need at least 30"),
        (SYSTEM | {"nodeTaints": ["sku=gpu:NoSchedule"]}, "may only be tainted with CriticalAddonsOnly"),
        (SYSTEM | {"minCount": 0}, "1 <= minCount"),
        (SYSTEM | {"upgradeSettings": {"maxUnavailable": "1"}}, "not allowed on system node pools"),
    ],
)
def test_refused_pools(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ArmError) as refused:
        judge_pool(**changes)
    assert says in refused.value.message
    assert str(refused.value) == f'Status=400 Code="{refused.value.code}" Message="{refused.value.message}"'


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"osType": "Windows"}, "osType 'Windows'"),
        ({"osSKU": "AzureLinux"}, "osSKU 'AzureLinux'"),
        ({"scaleSetPriority": "Spot"}, "scaleSetPriority 'Spot'"),
        ({"type": "AvailabilitySet"}, "type 'AvailabilitySet'"),
        ({"kubeletConfig": {"cpuManagerPolicy": "static"}}, "kubeletConfig"),
        ({"orchestratorVersion": "1.34.12"}, "Kubernetes 1.34.12"),
    ],
)
def test_what_is_not_played_is_said(changes: dict[str, Any], names: str) -> None:
    with pytest.raises(NotPlayedError, match="the local Azure stand-in does not play this") as refused:
        judge_pool(**changes)
    assert names in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"osDiskType": "Managed"}, "osDiskType"),
        ({"osDiskSizeGB": 64}, "osDiskSizeGB"),
        ({"availabilityZones": ["1"]}, "availabilityZones"),
        ({"maxPods": 31}, "maxPods"),
        ({"gpuProfile": {"driver": "None"}}, "gpuProfile.driver"),
        ({"vnetSubnetID": "/other"}, "vnetSubnetID"),
        ({"osSKU": "Ubuntu2204"}, "osSKU"),
        ({"enableFIPS": True}, "enableFIPS"),
    ],
)
def test_immutable_properties_of_a_pool(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(ArmError) as refused:
        pool.check_change({**inputs(catalogue.AGENT_POOL), **changes}, pool_state() | inputs(catalogue.AGENT_POOL))
    assert str(refused.value) == (
        f'Status=400 Code="PropertyChangeNotAllowed" Message="Changing property \'properties.{path}\' is not allowed."'
    )


def test_mutable_properties_of_a_pool() -> None:
    changed = {"nodeLabels": {}, "nodeTaints": ["a=b:NoExecute"], "minCount": 2, "maxCount": 9, "tags": {"a": "b"}}
    pool.check_change({**inputs(catalogue.AGENT_POOL), **changed}, pool_state() | inputs(catalogue.AGENT_POOL))


def test_an_existing_pool_may_be_below_its_new_least_number() -> None:
    state = pool_state(minCount=2)
    pool.check(state, "1.35.4", versions.OFFERED, creating=False)
    with pytest.raises(ArmError, match="must be between minCount"):
        pool.check(state, "1.35.4", versions.OFFERED)


# --- clusters


def cluster_body(**changes: Any) -> Json:
    body = inputs(catalogue.MANAGED_CLUSTER, **changes)
    return {name: value for name, value in body.items() if name not in catalogue.MANAGED_CLUSTER.path_inputs}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dnsPrefix": None}, "dnsPrefix is missing"),
        ({"agentPoolProfiles": None}, "at least one system agent pool"),
        ({"agentPoolProfiles": [SYSTEM_POOL | {"mode": "User"}]}, "at least one system agent pool"),
        ({"agentPoolProfiles": [SYSTEM_POOL, SYSTEM_POOL]}, "names a pool twice"),
        ({"identity": {"type": "UserAssigned"}}, "exactly one user-assigned identity"),
        ({"supportPlan": "AKSLongTermSupport"}, "needs sku.tier Premium"),
        ({"kubernetesVersion": "1.30"}, "not supported in this region"),
        ({"kubernetesVersion": "v1.35"}, "kubernetesVersion is invalid"),
        ({"autoScalerProfile": {"scaleDownUnneededTime": "90s"}}, "scaleDownUnneededTime is '90s'"),
        ({"autoScalerProfile": {"skipNodesWithLocalStorage": "True"}}, "skipNodesWithLocalStorage is 'True'"),
        ({"autoScalerProfile": {"maxGracefulTerminationSec": "1d"}}, "maxGracefulTerminationSec is '1d'"),
        ({"autoScalerProfile": {"scaleDownUtilizationThreshold": "1.5"}}, "scaleDownUtilizationThreshold"),
        ({"apiServerAccessProfile": {"authorizedIPRanges": ["10.0.0.1/8"]}}, "not a valid CIDR"),
    ],
)
def test_refused_clusters(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ArmError) as refused:
        cluster.check(cluster_body(**changes), versions.OFFERED)
    assert says in refused.value.message


@pytest.mark.parametrize(
    "changes",
    [
        {"kubernetesVersion": "1.36.5"},
        {"kubernetesVersion": None},
        {"aadProfile": {"managed": True}},
        {"disableLocalAccounts": True},
        {"identity": {"type": "SystemAssigned"}},
        {"apiServerAccessProfile": {"enablePrivateCluster": True}},
        {"securityProfile": {"defender": {}}},
    ],
)
def test_clusters_that_are_not_played(changes: dict[str, Any]) -> None:
    with pytest.raises(NotPlayedError):
        cluster.check(cluster_body(**changes), versions.OFFERED)


def test_a_good_cluster() -> None:
    body = cluster_body(autoScalerProfile={"maxGracefulTerminationSec": "86400", "scanInterval": "10s"})
    cluster.check(body, versions.OFFERED)


NODES = [network.Network("10.224.0.0/12")]


def profile(**changes: Any) -> Json:
    given = inputs(catalogue.MANAGED_CLUSTER)["networkProfile"] | changes
    found: Json = cluster.with_defaults({"networkProfile": given}, "c", "g", "l")["networkProfile"]
    return found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"serviceCidr": "10.224.0.0/16", "dnsServiceIP": "10.224.0.10"}, "overlaps serviceCidr"),
        ({"podCidr": "10.225.0.0/16"}, "overlaps podCidr"),
        ({"podCidr": "10.0.128.0/17"}, "podCidr 10.0.128.0/17 overlaps serviceCidr 10.0.0.0/16"),
        ({"dnsServiceIP": "10.1.0.10"}, "must lie in serviceCidr"),
        ({"dnsServiceIP": "10.0.0.1"}, "neither its first address nor .1"),
        ({"serviceCidr": "172.31.0.0/16", "dnsServiceIP": "172.31.0.10"}, "a range AKS keeps"),
        ({"serviceCidr": "11.0.0.0/8", "dnsServiceIP": "11.0.0.10"}, "smaller than a /12"),
        ({"networkDataplane": "azure"}, "needs networkDataplane cilium"),
        ({"outboundType": "managedNATGateway"}, "cannot be used with a subnet of one's own"),
    ],
)
def test_refused_networks(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ArmError) as refused:
        cluster.check_network(profile(**changes), NODES, True)
    assert says in refused.value.message


def test_a_good_network() -> None:
    cluster.check_network(profile(), [network.Network("10.224.0.0/13")], True)


def test_versions() -> None:
    assert versions.resolve("1.35", versions.OFFERED) == "1.35.9"
    with pytest.raises(ArmError, match=r"1\.35\.4 which is not supported"):
        versions.resolve("1.35.4", versions.OFFERED)
    assert versions.resolve("1.35.4", versions.OFFERED, "1.35.4") == "1.35.4", "what runs already stays"


def test_a_setting_offers_a_newer_version(tmp_path: Path) -> None:
    home, other = Home(tmp_path / "one"), Home(tmp_path / "other")
    live = Live(home, NoClusters(), Store(home.azure))
    with pytest.raises(ArmError, match=r"1\.35\.10 which is not supported"):
        versions.resolve("1.35.10", live.offers)
    for each in (home, other):
        each.root.mkdir()
    settings.write(settings.Settings(kubernetes_versions="1.35.10"), home)
    settings.write(settings.Settings(kubernetes_versions="1.35.11"), other)
    assert versions.resolve("1.35.10", live.offers) == "1.35.10"
    assert versions.resolve("1.35", live.offers) == "1.35.10", "a minor is its newest patch"
    assert versions.resolve("1.35.9", live.offers) == "1.35.9", "the one before is offered still"


# --- maintenance

WINDOW: Json = inputs(catalogue.MAINTENANCE)["maintenanceWindow"]


def judge_window(name: str = "default", **changes: Any) -> None:
    maintenance.check(name, {"maintenanceWindow": WINDOW | changes})


def test_good_windows() -> None:
    judge_window(
        utcOffset="-07:00", startDate="2026-12-01", notAllowedDates=[{"start": "2026-12-24", "end": "2026-12-26"}]
    )
    judge_window("aksManagedNodeOSUpgradeSchedule", schedule={"daily": {"intervalDays": 2}}, durationHours=24)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"durationHours": 3}, "between 4 and 24"),
        ({"durationHours": 25}, "between 4 and 24"),
        ({"startTime": "24:00"}, "HH:MM"),
        ({"startTime": "2:00"}, "HH:MM"),
        ({"utcOffset": "01:00"}, "+HH:MM or -HH:MM"),
        ({"startDate": "2026-13-01"}, "a date"),
        ({"notAllowedDates": [{"start": "2026-12-26", "end": "2026-12-24"}]}, "ends before it starts"),
        ({"schedule": {}}, "exactly one of"),
        ({"schedule": WINDOW["schedule"] | {"daily": {"intervalDays": 1}}}, "exactly one of"),
        ({"schedule": {"daily": {"intervalDays": 1}}}, "takes a weekly schedule only"),
        ({"schedule": {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 5}}}, "between 1 and 4"),
    ],
)
def test_refused_windows(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ArmError) as refused:
        judge_window(**changes)
    assert says in refused.value.message


# --- network


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sku": {"name": "Basic"}}, "were retired"),
        ({"publicIPAllocationMethod": "Dynamic"}, "AllocationMethod set to Static"),
        ({"idleTimeoutInMinutes": 3}, "between 4 and 30"),
        ({"idleTimeoutInMinutes": 31}, "between 4 and 30"),
        ({"zones": ["4"]}, "not valid"),
    ],
)
def test_refused_addresses(changes: dict[str, Any], says: str) -> None:
    body = inputs(catalogue.PUBLIC_IP, **changes)
    body = {name: value for name, value in body.items() if name not in catalogue.PUBLIC_IP.path_inputs}
    with pytest.raises(ArmError) as refused:
        network.check_public_ip(body)
    assert says in refused.value.message


@pytest.mark.parametrize(
    ("prefix", "says"),
    [
        ("10.0.0.0/24", "outside the IP address range"),
        ("10.224.0.0/30", "is too small"),
        ("10.224.1.128/25", "overlaps with that of an existing subnet 'first'"),
        ("10.224.1.1/24", "not a valid CIDR"),
    ],
)
def test_refused_subnets(prefix: str, says: str) -> None:
    siblings = {"first": network.Network("10.224.1.0/24")}
    with pytest.raises(ArmError) as refused:
        network.check_subnet("second", {"addressPrefix": prefix}, NODES, siblings)
    assert says in refused.value.message
