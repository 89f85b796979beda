"""What an update waits for, and what it says and keeps when that does not come.

One program with everything in it is brought up once. A kubelet of the test's own makes the pods ready that ask for
it; everything that is expected to fail has a custom timeout of a few seconds.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest

from sandbox.kube import Kube, KubeError
from tests.conformance.harness import (
    DEFINITION,
    Cluster,
    Engine,
    Object,
    Outcome,
    choose,
    definition,
    play_addresses,
    provider,
)
from tests.sandbox.twin.world import eventually

Json = dict[str, Any]
NAMESPACE = "await"
NODE = "conformance"
KUBELET = "conformance.example/kubelet"
FAILS_AFTER = "6s"
SUCCEEDS_WITHIN = "60s"
THING = "awaited.example/v1"
PLAYED, NOBODY = "conformance.example/played", "conformance.example/nobody"
PLAYED_CLASS = "played"
"""Classes of load balancers, and the class of Ingresses, that get an address here."""
INGRESS = "networking.k8s.io/v1:Ingress"


@dataclass(frozen=True)
class Case:
    """An object, whether the update waits for it in vain, and a word of the reason it must give."""

    name: str
    token: str
    body: Json
    fails: str = ""
    annotations: tuple[tuple[str, str], ...] = ()
    timeout: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def properties(self) -> Json:
        meta: Json = {"name": self.name, "namespace": NAMESPACE, "labels": dict(self.labels)}
        if self.annotations:
            meta["annotations"] = {f"pulumi.com/{key}": value for key, value in self.annotations}
        return {**self.body, "metadata": meta}


def pods(name: str, *, kubelet: str) -> Json:
    labels = {"app": name, KUBELET: kubelet}
    spec: Json = {"containers": [{"name": "main", "image": "registry.example/x:1", "ports": [{"containerPort": 80}]}]}
    if kubelet != "absent":
        spec["nodeName"] = NODE
    return {"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": labels}, "spec": spec}}


def deployment(name: str, *, kubelet: str) -> Json:
    return {"spec": {**pods(name, kubelet=kubelet), "replicas": 1}}


def service(name: str, **spec: Any) -> Json:
    return {"spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec}}


def job(fate: str) -> Json:
    spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/x:1"}]}
    return {"spec": {"backoffLimit": 0, "template": {"metadata": {"labels": {KUBELET: fate}}, "spec": spec}}}


def claim(storage_class: str) -> Json:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"spec": {"storageClassName": storage_class, **asked}}


def pod(**spec: Any) -> Json:
    return {"spec": {"containers": [{"name": "main", "image": "registry.example/x:1"}], **spec}}


def ingress(backend: str, ingress_class: str) -> Json:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": backend, "port": {"number": 80}}}}
    return {"spec": {"ingressClassName": ingress_class, "rules": [{"host": "x.example", "http": {"paths": [path]}}]}}


def balancer(name: str, balancer_class: str) -> Json:
    return service(name, type="LoadBalancer", loadBalancerClass=balancer_class)


DEPLOYMENT, SERVICE, CUSTOM = "apps/v1:Deployment", "core/v1:Service", f"{THING}:Awaited"

CASES = [
    Case("deployment-ready", DEPLOYMENT, deployment("deployment-ready", kubelet="ready")),
    Case("deployment-never", DEPLOYMENT, deployment("deployment-never", kubelet="absent"), fails="deployment-never"),
    Case(
        "deployment-skipped",
        DEPLOYMENT,
        deployment("deployment-skipped", kubelet="unready"),
        annotations=(("skipAwait", "true"),),
    ),
    Case(
        "deployment-annotated-timeout",
        DEPLOYMENT,
        deployment("deployment-annotated-timeout", kubelet="absent"),
        fails="deployment-annotated-timeout",
        annotations=(("timeoutSeconds", "6"),),
        timeout="none",
    ),
    Case("stateful-set-ready", "apps/v1:StatefulSet", {"spec": {**pods("stateful-set-ready", kubelet="ready")}}),
    Case(
        "stateful-set-never",
        "apps/v1:StatefulSet",
        {"spec": pods("stateful-set-never", kubelet="absent")},
        fails="stateful-set-never",
    ),
    Case("service-ready", SERVICE, service("deployment-ready")),
    Case("service-not-ready", SERVICE, service("deployment-skipped"), fails="service-not-ready"),
    Case("service-headless", SERVICE, service("deployment-skipped", clusterIP="None")),
    Case("service-without-selector", SERVICE, {"spec": {"ports": [{"port": 80}]}}),
    Case("service-external", SERVICE, {"spec": {"type": "ExternalName", "externalName": "example.org"}}),
    Case("service-skipped", SERVICE, service("deployment-skipped"), annotations=(("skipAwait", "true"),)),
    Case("balancer-ready", SERVICE, balancer("deployment-ready", PLAYED)),
    Case("balancer-without-address", SERVICE, balancer("deployment-ready", NOBODY), fails="balancer-without-address"),
    Case("balancer-without-pods", SERVICE, balancer("deployment-skipped", PLAYED), fails="balancer-without-pods"),
    Case("ingress-ready", INGRESS, ingress("service-ready", PLAYED_CLASS)),
    Case("ingress-without-address", INGRESS, ingress("service-ready", "nobody"), fails="ingress-without-address"),
    Case("ingress-without-pods", INGRESS, ingress("service-skipped", PLAYED_CLASS), fails="ingress-without-pods"),
    Case("job-done", "batch/v1:Job", job("done")),
    Case("job-failed", "batch/v1:Job", job("failed"), fails="job-failed", timeout=SUCCEEDS_WITHIN),
    Case("pod-ready", "core/v1:Pod", pod(nodeName=NODE), labels=((KUBELET, "ready"),)),
    Case("pod-done", "core/v1:Pod", pod(nodeName=NODE, restartPolicy="Never"), labels=((KUBELET, "done"),)),
    Case("pod-never", "core/v1:Pod", pod(), fails="pod-never"),
    Case("claim-waits-for-a-pod", "core/v1:PersistentVolumeClaim", claim("lazy")),
    Case("claim-never", "core/v1:PersistentVolumeClaim", claim("eager"), fails="claim-never"),
    Case("custom-unannotated", CUSTOM, {"spec": {}}),
    Case("custom-condition", CUSTOM, {"spec": {"ready": True}}, annotations=(("waitFor", "condition=Ready"),)),
    Case("custom-path", CUSTOM, {"spec": {"ready": True}}, annotations=(("waitFor", "jsonpath={.status.phase}=Up"),)),
    Case(
        "custom-both",
        CUSTOM,
        {"spec": {"ready": True}},
        annotations=(("waitFor", '["condition=Ready", "jsonpath={.status.phase}"]'),),
    ),
    Case(
        "custom-never",
        CUSTOM,
        {"spec": {}},
        fails="custom-never",
        annotations=(("waitFor", "condition=Ready"),),
    ),
]


def world(kubeconfig: str) -> None:
    opts = provider("p", kubeconfig, cluster_identifier="one")
    namespace = Object("core/v1:Namespace", "namespace", {"metadata": {"name": NAMESPACE}}, opts)
    body = definition("awaiteds", "awaited.example", "Awaited", subresources={"status": {}})
    crd = Object(DEFINITION, "crd", body, opts)
    classes = [
        Object(
            "storage.k8s.io/v1:StorageClass",
            name,
            {"metadata": {"name": name}, "provisioner": "nobody.example", "volumeBindingMode": mode},
            opts,
        )
        for name, mode in (("lazy", "WaitForFirstConsumer"), ("eager", "Immediate"))
    ]
    for case in CASES:
        limit = case.timeout or (FAILS_AFTER if case.fails else SUCCEEDS_WITHIN)
        more = {} if limit == "none" else {"custom_timeouts": pulumi.CustomTimeouts(create=limit)}
        Object(case.token, case.name, case.properties, choose(opts, depends_on=[namespace, crd, *classes], **more))


def of_played_class(spec: Json) -> bool:
    return bool(spec["ingressClassName"] == PLAYED_CLASS)


async def kubelet_and_controller(kube: Kube) -> None:
    """Makes the pods ready, or done, that ask for it, and sets the status of the custom resources that do.

    A Service counts only pods on nodes that exist.
    """
    await kube.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    await asyncio.gather(
        play_pods(kube),
        play_customs(kube),
        play_addresses(kube, NAMESPACE, "v1", "Service", lambda spec: spec.get("loadBalancerClass") == PLAYED),
        play_addresses(kube, NAMESPACE, "networking.k8s.io/v1", "Ingress", of_played_class),
    )


async def play_pods(kube: Kube) -> None:
    """A pod's label says what becomes of it: `ready`, running but `unready`, `done` or `failed`."""
    phases = {"done": "Succeeded", "failed": "Failed"}
    async for event, pod in kube.watch("v1", "Pod", labels=f"{KUBELET} in (ready,unready,done,failed)"):
        if event in ("ADDED", "MODIFIED") and pod.get("status", {}).get("phase") == "Pending":
            meta = pod["metadata"]
            fate = meta["labels"][KUBELET]
            status = {
                "phase": phases.get(fate, "Running"),
                "podIP": "10.1.2.3",
                "podIPs": [{"ip": "10.1.2.3"}],
                "conditions": [{"type": "Ready", "status": "True" if fate == "ready" else "False"}],
            }
            await kube.merge("v1", "Pod", meta["name"], {"status": status}, meta["namespace"], subresource="status")


async def play_customs(kube: Kube) -> None:
    await until_served(kube)
    async for event, thing in kube.watch(THING, "Awaited"):
        if event in ("ADDED", "MODIFIED") and thing["spec"].get("ready") and not thing.get("status"):
            status = {"phase": "Up", "conditions": [{"type": "Ready", "status": "True"}]}
            meta = thing["metadata"]
            await kube.merge(
                THING, "Awaited", meta["name"], {"status": status}, meta["namespace"], subresource="status"
            )


async def until_served(kube: Kube) -> None:
    """Wait until the kind is served, which it is a moment after its definition is established."""

    async def served() -> bool:
        try:
            await kube.list(THING, "Awaited")
        except KubeError as error:
            if error.code in (404, 429, 503):
                return False
            raise
        return True

    await eventually(served, "the kind is served")


@dataclass(frozen=True)
class Update:
    """What the one update did, how long it took, and what the state holds after it."""

    outcome: Outcome
    seconds: float
    resources: dict[str, Json]


@pytest.fixture(scope="module")
def update(engine: Engine, cluster: Cluster) -> Update:
    stack = engine.stack("await")
    with cluster.meanwhile(kubelet_and_controller):
        started = time.monotonic()
        outcome = stack.up(lambda: world(cluster.kubeconfig), fails=True)
        seconds = time.monotonic() - started
    return Update(outcome, seconds, stack.resources())


@pytest.mark.parametrize("case", [case for case in CASES if not case.fails], ids=lambda case: case.name)
def test_ready_objects_and_those_that_need_not_be_are_done(update: Update, case: Case) -> None:
    assert "initErrors" not in update.resources[case.name]
    assert update.outcome.failed(case.name) == []


@pytest.mark.parametrize("case", [case for case in CASES if case.fails], ids=lambda case: case.name)
def test_objects_that_do_not_become_ready_are_kept_with_the_reason(
    update: Update, case: Case, cluster: Cluster
) -> None:
    kept = update.resources[case.name]
    assert case.fails in " ".join(kept["initErrors"])
    assert update.outcome.failed(case.name) == ["create"]
    api_version = kept["outputs"]["apiVersion"]
    live = cluster.get(api_version, case.token.rsplit(":", 1)[1], case.name, NAMESPACE)
    assert live["metadata"]["uid"] == kept["outputs"]["metadata"]["uid"]


def test_custom_timeouts_bound_the_waiting(update: Update) -> None:
    assert 6 <= update.seconds < 100


def test_readiness_is_what_the_outputs_show(update: Update) -> None:
    assert update.resources["deployment-ready"]["outputs"]["status"]["availableReplicas"] == 1
    assert update.resources["custom-path"]["outputs"]["status"]["phase"] == "Up"
