"""Which pools grow for which pods, without a cluster: the simulation alone."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.azure.autoscaler import GPU, Plan, is_unschedulable, plan
from sandbox.azure.catalogue import AGENT_POOL
from sandbox.azure.fitting import Host, can_run, host_of
from sandbox.azure.quantity import Amounts, amounts
from sandbox.azure.store import Record

Json = dict[str, Any]

ROOM: Amounts = amounts({"cpu": "4", "memory": "16Gi", "pods": "110"})
TAINT = {"key": "sku", "value": "gpu", "effect": "NoSchedule"}
TOLERATION = {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}


def pod(name: str = "p", cpu: str = "1", gpus: int = 0, labels: Json | None = None, **spec: Any) -> Json:
    requests = {"cpu": cpu} | ({GPU: str(gpus)} if gpus else {})
    containers = [{"name": "main", "resources": {"requests": requests}}]
    meta = {"name": name, "namespace": "default", "uid": name, "labels": labels or {"app": name}}
    return {"metadata": meta, "spec": {"containers": containers} | spec}


def host(name: str = "h", **changes: Any) -> Host:
    labels = {"kubernetes.io/hostname": name, "zone": "1"} | changes.pop("labels", {})
    return Host(labels, **({"taints": [], "allocatable": ROOM} | changes))


def pool(name: str, count: int = 1, most: int = 3) -> Record:
    return Record(name, AGENT_POOL.token, {"count": count, "maxCount": most, "enableAutoScaling": True})


def grown(found: Plan) -> dict[str, int]:
    return {growth.pool.id: growth.count for growth in found.growth}


def test_a_pod_that_fits_somewhere_needs_no_machine() -> None:
    assert grown(plan([pod()], [host()], [pool("a")], {"a": host()})) == {}


def test_pods_are_packed_on_new_machines() -> None:
    full = host(pods=[pod("old", "4")])
    pending = [pod(f"p{n}", "2") for n in range(3)]
    assert grown(plan(pending, [full], [pool("a")], {"a": host()})) == {"a": 2}
    assert full.pods == [full.pods[0]], "the simulation must not change what it is given"


def test_no_pool_outgrows_its_maximum() -> None:
    found = plan([pod(f"p{n}", "4") for n in range(5)], [], [pool("a", count=1, most=3)], {"a": host()})
    assert grown(found) == {"a": 2}
    assert {reason for _, reason in found.hopeless} == {"1 max node group size reached"}
    assert len(found.hopeless) == 3


def test_the_pool_that_suits_grows() -> None:
    templates = {"cpu": host(), "gpu": host(taints=[TAINT], allocatable=ROOM | amounts({GPU: "1"}))}
    wanted = pod(gpus=1, tolerations=[TOLERATION])
    assert grown(plan([wanted], [], [pool("cpu"), pool("gpu")], templates)) == {"gpu": 1}


def test_without_a_pool_the_pod_is_told() -> None:
    assert plan([pod()], [], [], {}).hopeless == [(pod(), "no node group can grow")]


@pytest.mark.parametrize(
    ("wanted", "where", "reason"),
    [
        (pod(), host(), None),
        (pod(cpu="5"), host(), "Insufficient cpu"),
        (pod(gpus=1), host(), f"Insufficient {GPU}"),
        (pod(), host(unschedulable=True), "node(s) were unschedulable"),
        (pod(nodeSelector={"zone": "1"}), host(), None),
        (pod(nodeSelector={"zone": "2"}), host(), "node(s) didn't match Pod's node affinity/selector"),
        (pod(), host(taints=[TAINT]), "node(s) had untolerated taint {sku: gpu}"),
        (pod(), host(taints=[TAINT | {"effect": "PreferNoSchedule"}]), None),
        (pod(tolerations=[TOLERATION]), host(taints=[TAINT]), None),
        (pod(tolerations=[{"operator": "Exists"}]), host(taints=[TAINT]), None),
        (
            pod(tolerations=[TOLERATION | {"value": "other"}]),
            host(taints=[TAINT]),
            "node(s) had untolerated taint {sku: gpu}",
        ),
        (
            pod(tolerations=[TOLERATION | {"effect": "NoExecute"}]),
            host(taints=[TAINT]),
            "node(s) had untolerated taint {sku: gpu}",
        ),
    ],
)
def test_what_keeps_a_pod_from_a_node(wanted: Json, where: Host, reason: str | None) -> None:
    assert can_run(wanted, where, []) == reason


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ({"key": "zone", "operator": "In", "values": ["1", "2"]}, True),
        ({"key": "zone", "operator": "In", "values": ["2"]}, False),
        ({"key": "zone", "operator": "NotIn", "values": ["1"]}, False),
        ({"key": "missing", "operator": "NotIn", "values": ["1"]}, True),
        ({"key": "zone", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "DoesNotExist"}, False),
        ({"key": "zone", "operator": "Gt", "values": ["0"]}, True),
        ({"key": "zone", "operator": "Lt", "values": ["1"]}, False),
        ({"key": "missing", "operator": "Gt", "values": ["0"]}, False),
    ],
)
def test_node_affinity(expression: Json, matches: bool) -> None:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    assert (can_run(pod(affinity=affinity), host(), []) is None) == matches


def apart(key: str = "kubernetes.io/hostname", kind: str = "podAntiAffinity") -> Json:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": "same"}}}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


SAME = {"app": "same"}


def test_pods_kept_apart_get_a_machine_each() -> None:
    pending = [pod(f"p{n}", "100m", labels=SAME, affinity=apart()) for n in range(3)]
    assert grown(plan(pending, [host()], [pool("a")], {"a": host("next")})) == {"a": 2}


def test_a_pod_is_kept_from_one_that_wants_to_be_alone() -> None:
    alone = host(pods=[pod("alone", labels={"app": "x"}, affinity=apart())])
    assert can_run(pod(labels=SAME), alone, []) == "node(s) didn't satisfy existing pods anti-affinity rules"
    assert can_run(pod(labels={"app": "other"}), alone, []) is None


def test_kept_apart_by_zone() -> None:
    there = host("other", pods=[pod("first", labels=SAME)])
    wanted = pod(labels=SAME, affinity=apart("zone"))
    assert can_run(wanted, host(), [there]) == "node(s) didn't match pod anti-affinity rules"
    assert can_run(wanted, host(labels={"zone": "2"}), [there]) is None


def test_kept_together() -> None:
    there = host("other", pods=[pod("first", labels=SAME)])
    wanted = pod(affinity=apart(kind="podAffinity"))
    assert can_run(wanted, host(), [there]) == "node(s) didn't match pod affinity rules"
    assert can_run(wanted, there, [host()]) is None
    first = pod(labels=SAME, affinity=apart(kind="podAffinity"))
    assert can_run(first, host(), []) is None, "the first of a group has nobody to be with"


def test_gpus_a_plugin_will_report_count() -> None:
    node = {
        "metadata": {"labels": {}},
        "spec": {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]},
        "status": {"allocatable": {"cpu": "4", "pods": "30", GPU: "0"}},
    }
    assert can_run(pod(gpus=1), host_of(node, [], amounts({GPU: "1"})), []) is None
    assert can_run(pod(gpus=1), host_of(node, [], {}), []) == f"Insufficient {GPU}"
    taken = host_of(node, [pod("other", gpus=1)], amounts({GPU: "1"}))
    assert can_run(pod(gpus=1), taken, []) == f"Insufficient {GPU}"


def test_only_pods_the_scheduler_gave_up_on_count() -> None:
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    waiting = pod() | {"status": {"conditions": [refused]}}
    assert is_unschedulable(waiting)
    assert not is_unschedulable(pod())
    assert not is_unschedulable(pod() | {"status": {"conditions": [refused | {"reason": "SchedulingGated"}]}})
    assert not is_unschedulable(waiting | {"spec": waiting["spec"] | {"nodeName": "n"}})
    assert not is_unschedulable(waiting | {"metadata": waiting["metadata"] | {"deletionTimestamp": "t"}})
