"""When an object is ready, and what `pulumi.com/waitFor` can say."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kubernetes import readiness, waitfor
from sandbox.kubernetes.objects import RefusedError
from sandbox.kubernetes.views import View

Json = dict[str, Any]


def condition(kind: str, status: str = "True", reason: str = "r") -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": "m"}


def missing(obj: Json, **others: list[Json]) -> list[str]:
    """What an object lacks to be ready, with other objects beside it."""
    live = {"apiVersion": "v1", "metadata": {"name": "a", "namespace": "n", "generation": 2}, **obj}
    question = readiness.question_for({}, live)
    assert question is not None
    seen: dict[str, dict[str, Json]] = {look.kind: {} for look in question.looks}
    seen[live["kind"]]["a"] = live
    for kind, items in others.items():
        seen[kind] |= {item["metadata"]["name"]: item for item in items}
    return list(question.judge(View(question.target, seen)).missing)


DONE: Json = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("change", "ready"),
    [
        ({}, True),
        ({"observedGeneration": 1}, False),
        ({"updatedReplicas": 1}, False),
        ({"availableReplicas": 1}, False),
        ({"conditions": [condition("Progressing", reason="NewReplicaSetAvailable")]}, True),
        ({"conditions": [condition("Progressing", reason="ReplicaSetUpdated")]}, False),
        ({"conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded")]}, False),
    ],
)
def test_deployments(change: Json, ready: bool) -> None:
    obj: Json = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2}, "status": {**DONE, **change}}
    assert (missing(obj) == []) is ready


@pytest.mark.parametrize(
    ("change", "ready"),
    [({}, True), ({"readyReplicas": 1}, False), ({"updateRevision": "new"}, False), ({"observedGeneration": 1}, False)],
)
def test_stateful_sets(change: Json, ready: bool) -> None:
    status = {"observedGeneration": 2, "readyReplicas": 2, "currentRevision": "old", "updateRevision": "old", **change}
    obj: Json = {"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": {"replicas": 2}, "status": status}
    assert (missing(obj) == []) is ready


@pytest.mark.parametrize(
    ("change", "ready"), [({}, True), ({"numberAvailable": 2}, False), ({"updatedNumberScheduled": 2}, False)]
)
def test_daemon_sets(change: Json, ready: bool) -> None:
    counts = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}
    status = {"observedGeneration": 2, **counts, **change}
    obj: Json = {"apiVersion": "apps/v1", "kind": "DaemonSet", "spec": {}, "status": status}
    assert (missing(obj) == []) is ready


def piece(service: str, **conditions: Any) -> Json:
    labels = {"kubernetes.io/service-name": service}
    return {"metadata": {"name": f"{service}-x", "labels": labels}, "endpoints": [{"conditions": conditions}]}


SELECTS: Json = {"selector": {"app": "a"}, "type": "ClusterIP"}
ADDRESS: Json = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}


@pytest.mark.parametrize(
    ("spec", "status", "pieces", "ready"),
    [
        (SELECTS, {}, [piece("a", ready=True)], True),
        (SELECTS, {}, [piece("a", ready=None)], True),
        (SELECTS, {}, [piece("a", ready=False)], False),
        (SELECTS, {}, [piece("b", ready=True)], False),
        (SELECTS, {}, [], False),
        ({**SELECTS, "clusterIP": "None"}, {}, [], True),
        ({"type": "ExternalName"}, {}, [], True),
        ({"type": "ClusterIP"}, {}, [], True),
        ({**SELECTS, "type": "LoadBalancer"}, ADDRESS, [piece("a", ready=True)], True),
        ({**SELECTS, "type": "LoadBalancer"}, {}, [piece("a", ready=True)], False),
        ({**SELECTS, "type": "LoadBalancer"}, ADDRESS, [], False),
    ],
)
def test_services(spec: Json, status: Json, pieces: list[Json], ready: bool) -> None:
    assert (missing({"kind": "Service", "spec": spec, "status": status}, EndpointSlice=pieces) == []) is ready


@pytest.mark.parametrize(
    ("status", "pieces", "kind", "ready"),
    [
        (ADDRESS, [piece("b", ready=True)], "ClusterIP", True),
        (ADDRESS, [], "ClusterIP", False),
        (ADDRESS, [], "ExternalName", True),
        ({}, [piece("b", ready=True)], "ClusterIP", False),
    ],
)
def test_ingresses(status: Json, pieces: list[Json], kind: str, ready: bool) -> None:
    paths = [{"backend": {"service": {"name": "b"}}}]
    obj = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "spec": {"rules": [{"http": {"paths": paths}}]},
        "status": status,
    }
    services = [{"metadata": {"name": "b"}, "spec": {"type": kind}}]
    assert (missing(obj, EndpointSlice=pieces, Service=services) == []) is ready


@pytest.mark.parametrize(
    ("phase", "mode", "ready"),
    [
        ("Bound", "Immediate", True),
        ("Pending", "Immediate", False),
        ("Pending", "WaitForFirstConsumer", True),
        ("Lost", "WaitForFirstConsumer", False),
    ],
)
def test_claims(phase: str, mode: str, ready: bool) -> None:
    classes = [{"metadata": {"name": "c"}, "volumeBindingMode": mode}]
    obj: Json = {"kind": "PersistentVolumeClaim", "spec": {"storageClassName": "c"}, "status": {"phase": phase}}
    assert (missing(obj, StorageClass=classes) == []) is ready


@pytest.mark.parametrize(
    ("obj", "ready"),
    [
        ({"kind": "Pod", "status": {"phase": "Running", "conditions": [condition("Ready")]}}, True),
        ({"kind": "Pod", "status": {"phase": "Running", "conditions": [condition("Ready", "False")]}}, False),
        ({"kind": "Pod", "status": {"phase": "Succeeded", "conditions": [condition("Ready", "False")]}}, True),
        ({"kind": "PersistentVolume", "status": {"phase": "Available"}}, True),
        ({"kind": "PersistentVolume", "status": {"phase": "Failed"}}, False),
        ({"kind": "ResourceQuota", "spec": {"hard": {"pods": "1"}}, "status": {"hard": {"pods": "1"}}}, True),
        ({"kind": "ResourceQuota", "spec": {"hard": {"pods": "1"}}, "status": {}}, False),
        ({"kind": "Secret", "type": "kubernetes.io/service-account-token", "data": {"token": "t"}}, True),
        ({"kind": "Secret", "type": "kubernetes.io/service-account-token"}, False),
        ({"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [condition("Complete")]}}, True),
        ({"apiVersion": "batch/v1", "kind": "Job", "status": {}}, False),
    ],
)
def test_other_kinds(obj: Json, ready: bool) -> None:
    assert (missing(obj) == []) is ready


def test_a_failed_job_is_not_waited_for() -> None:
    live: Json = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}
    question = readiness.question_for({}, live)
    assert question is not None
    failed = {**live, "status": {"conditions": [condition("Failed")]}}
    assert question.judge(View(question.target, {"Job": {"a": failed}})).final


@pytest.mark.parametrize("kind", ["ConfigMap", "ServiceAccount", "Namespace", "Secret", "Thing"])
def test_kinds_that_are_ready_at_once(kind: str) -> None:
    assert readiness.question_for({}, {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}}) is None


def test_the_time_is_the_custom_timeout_then_the_annotation_then_the_kinds() -> None:
    live: Json = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    question = readiness.question_for({}, live)
    assert question is not None
    annotated = {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "7"}}}
    assert readiness.timeout_seconds(3, annotated, question) == 3
    assert readiness.timeout_seconds(0, annotated, question) == 7
    assert readiness.timeout_seconds(0, {}, question) == 600


OBJECT: Json = {
    "metadata": {"generation": 2, "labels": {"a.b/c": "x"}},
    "spec": {"n": 3, "on": True},
    "status": {
        "phase": "Up",
        "conditions": [condition("Ready"), condition("Idle", "False"), {**condition("Old"), "observedGeneration": 1}],
        "addresses": [{"ip": "1.2.3.4"}, {"ip": "5.6.7.8"}],
    },
}


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("condition=Ready", True),
        ("condition=ready", True),
        ("condition=Idle", False),
        ("condition=Idle=False", True),
        ("condition=Old", False),
        ("condition=Other", False),
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.phase}=Up", True),
        ("jsonpath={.status.phase}=Down", False),
        ("jsonpath=.status.phase=Up", True),
        ("jsonpath={.spec.n}=3", True),
        ("jsonpath={.spec.on}=true", True),
        ("jsonpath={.status.other}", False),
        ("jsonpath={.status.addresses[1].ip}=5.6.7.8", True),
        ("jsonpath={.status.addresses[*].ip}=5.6.7.8", False),
        ("jsonpath={.status.addresses[*].ip}", True),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
        ("jsonpath={.metadata.labels['a.b/c']}=x", True),
        ("jsonpath={.metadata.labels.a\\.b/c}=x", True),
        ('["condition=Ready", "jsonpath={.status.phase}=Up"]', True),
        ('["condition=Ready", "jsonpath={.status.phase}=Down"]', False),
    ],
)
def test_what_can_be_waited_for(text: str, met: bool) -> None:
    assert all(expectation.met(OBJECT) for expectation in waitfor.parse(text)) is met


@pytest.mark.parametrize("text", ["Ready", "[]", "[1]", "jsonpath=", "jsonpath={.a[?(@.b>1)]}", "jsonpath={..a}"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="waitFor"):
        waitfor.parse(text)
