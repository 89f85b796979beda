"""When an object is ready, by kind, as pulumi-kubernetes 4.34 decides it: pure functions of what the API server says.

A question names what to look at and how to judge it; `sandbox.kubernetes.awaiting` asks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes import waitfor
from sandbox.kubernetes.objects import annotations_of, is_true, metadata_of, name_of, namespace_of
from sandbox.kubernetes.views import Look, Verdict, View

Json = dict[str, Any]

WORKLOAD_SECONDS = 600.0
VOLUME_SECONDS = 300.0
QUOTA_SECONDS = 60.0
TOKEN_SECONDS = 5.0


@dataclass(frozen=True)
class Question:
    """Whether an object is ready: what to look at, how to judge it, how long to wait unless told otherwise."""

    target: tuple[str, str]
    looks: tuple[Look, ...]
    judge: Callable[[View], Verdict]
    seconds: float = WORKLOAD_SECONDS
    read: bool = True
    """Whether a refresh asks as well."""


def question_for(inputs: Json, live: Json) -> Question | None:
    """The question for an object; None for kinds and annotations that wait for nothing.

    `pulumi.com/waitFor` takes the place of what the kind would wait for. Raises `RefusedError` for an unreadable one.
    """
    if is_true(inputs, "pulumi.com/skipAwait"):
        return None
    kind, name, namespace = str(live["kind"]), name_of(live), namespace_of(live) or None
    own = Look(str(live["apiVersion"]), kind, namespace, fields=f"metadata.name={name}")
    annotation = annotations_of(inputs).get("pulumi.com/waitFor")
    if annotation:
        expectations = waitfor.parse(str(annotation))
        return Question((kind, name), (own,), _on_target(lambda obj: _expected(obj, expectations)))
    entry = _KINDS.get((str(live["apiVersion"]), kind))
    if entry is None or (kind == "Secret" and live.get("type") != "kubernetes.io/service-account-token"):
        return None
    looks = (own, *(Look(v, k, namespace if in_namespace else None) for v, k, in_namespace in entry.others))
    return Question((kind, name), looks, entry.judge, entry.seconds, entry.read)


def timeout_seconds(requested: float, inputs: Json, question: Question) -> float:
    """The resource's custom timeout, else the annotation, else the kind's own."""
    if requested:
        return requested
    annotated = str(annotations_of(inputs).get("pulumi.com/timeoutSeconds", ""))
    return float(annotated) if annotated.isdigit() else question.seconds


def _on_target(judge: Callable[[Json], list[str]]) -> Callable[[View], Verdict]:
    def judged(view: View) -> Verdict:
        target = view.target
        return Verdict(("it does not exist",)) if target is None else Verdict(tuple(judge(target)))

    return judged


def _expected(obj: Json, expectations: list[waitfor.Expectation]) -> list[str]:
    return [f"not yet {one.text}" for one in expectations if not one.met(obj)]


def _stale(obj: Json) -> bool:
    """Whether the controller has not yet seen the object as it is."""
    return int((obj.get("status") or {}).get("observedGeneration") or 0) < int(metadata_of(obj).get("generation") or 0)


def _condition(obj: Json, kind: str) -> Json:
    for condition in (obj.get("status") or {}).get("conditions") or []:
        if condition.get("type") == kind:
            return dict(condition)
    return {}


def _counts(status: Json, wanted: int, **named: str) -> list[str]:
    return [
        f"{said}: {int(status.get(key) or 0)} of {wanted} Pods"
        for key, said in named.items()
        if int(status.get(key) or 0) < wanted
    ]


def deployment(obj: Json) -> list[str]:
    """The new ReplicaSet is available, and nothing of an older one is left to replace."""
    status, wanted = obj.get("status") or {}, int(obj["spec"].get("replicas", 1))
    if _stale(obj):
        return ["the controller has not seen the change yet"]
    missing = _counts(status, wanted, updatedReplicas="of the new ReplicaSet", availableReplicas="available")
    progressing = _condition(obj, "Progressing")
    unfinished = progressing.get("reason", "NewReplicaSetAvailable") != "NewReplicaSetAvailable"
    if progressing.get("status") == "False" or (unfinished and not missing):
        missing.append(f"[{progressing.get('reason')}] {progressing.get('message')}")
    available = _condition(obj, "Available")
    if missing and available.get("status") == "False":
        missing.append(f"[{available.get('reason')}] {available.get('message')}")
    return missing


def stateful_set(obj: Json) -> list[str]:
    """All replicas ready, all on the update revision."""
    status, wanted = obj.get("status") or {}, int(obj["spec"].get("replicas", 1))
    if _stale(obj):
        return ["the controller has not seen the change yet"]
    missing = _counts(status, wanted, readyReplicas="ready")
    if status.get("currentRevision") != status.get("updateRevision"):
        missing.append(f"not every Pod is on revision {status.get('updateRevision')}")
    return missing


def daemon_set(obj: Json) -> list[str]:
    """A Pod of the newest template available on every node that wants one."""
    status = obj.get("status") or {}
    if _stale(obj):
        return ["the controller has not seen the change yet"]
    wanted = int(status.get("desiredNumberScheduled") or 0)
    if obj["spec"].get("updateStrategy", {}).get("type") == "OnDelete":
        return _counts(status, wanted, numberAvailable="available")
    return _counts(status, wanted, updatedNumberScheduled="of the newest template", numberAvailable="available")


def pod(obj: Json) -> list[str]:
    status = obj.get("status") or {}
    if status.get("phase") == "Succeeded" or _condition(obj, "Ready").get("status") == "True":
        return []
    ready = _condition(obj, "Ready") or _condition(obj, "PodScheduled")
    return [f"Pod is {status.get('phase', 'unknown')}: [{ready.get('reason')}] {ready.get('message')}"]


def volume_claim(view: View) -> Verdict:
    """Bound; only Pending where the class waits for the first consumer."""
    claim = view.target
    if claim is None:
        return Verdict(("it does not exist",))
    phase, wanted = (claim.get("status") or {}).get("phase"), "Bound"
    for storage_class in view.all("StorageClass"):
        if name_of(storage_class) == claim["spec"].get("storageClassName"):
            waits = storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
            wanted = "Pending" if waits else "Bound"
    done = phase in (wanted, "Bound")
    return Verdict() if done else Verdict((f"the claim is {phase}, not {wanted}",))


def volume(obj: Json) -> list[str]:
    phase = (obj.get("status") or {}).get("phase")
    return [] if phase in ("Available", "Bound") else [f"the volume is {phase}"]


def quota(obj: Json) -> list[str]:
    same = (obj.get("status") or {}).get("hard") == obj["spec"].get("hard")
    return [] if same else ["status.hard does not repeat spec.hard"]


def token(obj: Json) -> list[str]:
    return [] if obj.get("data") else ["the controller has not filled in the token"]


def replication_controller(obj: Json) -> list[str]:
    return _counts(obj.get("status") or {}, int(obj["spec"].get("replicas", 1)), availableReplicas="available")


def job(view: View) -> Verdict:
    target = view.target
    if target is None:
        return Verdict(("it does not exist",))
    failed = _condition(target, "Failed")
    if failed.get("status") == "True":
        return Verdict((f"Job failed: [{failed.get('reason')}] {failed.get('message')}",), final=True)
    if _condition(target, "Complete").get("status") == "True":
        return Verdict()
    return Verdict(("the Job is not complete",))


def service(view: View) -> Verdict:
    """Ready endpoints behind it, and an address for a load balancer; headless, external and bare ones need none."""
    target = view.target
    if target is None:
        return Verdict(("it does not exist",))
    spec, missing = target["spec"], []
    bare = spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName" or not spec.get("selector")
    if not bare and not has_ready_endpoint(view, name_of(target)):
        missing.append(
            "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not "
            "match labels on any Pods"
        )
    if spec.get("type") == "LoadBalancer" and not _load_balancer(target):
        missing.append("Service was not allocated an IP address; does your cloud provider support this?")
    return Verdict(tuple(missing))


def ingress(view: View) -> Verdict:
    """An address, and endpoints behind every Service it names (external ones excepted)."""
    target = view.target
    if target is None:
        return Verdict(("it does not exist",))
    types = {name_of(item): item["spec"].get("type") for item in view.all("Service")}
    missing = [
        f'Ingress has a rule that does not target any Pods: Service "{name}" has no ready endpoint'
        for name in sorted(_backends(target["spec"]))
        if types.get(name) != "ExternalName" and not has_ready_endpoint(view, name)
    ]
    if not _load_balancer(target):
        missing.append("Ingress was not allocated an address; is there an ingress controller for its class?")
    return Verdict(tuple(missing))


def has_ready_endpoint(view: View, service_name: str) -> bool:
    return any(
        (endpoint.get("conditions") or {}).get("ready", True) is not False
        for piece in view.all("EndpointSlice")
        if (metadata_of(piece).get("labels") or {}).get("kubernetes.io/service-name") == service_name
        for endpoint in piece.get("endpoints") or []
    )


def _load_balancer(obj: Json) -> Any:
    return ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress")


def _backends(spec: Json) -> set[str]:
    backends = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or []:
        backends += [path.get("backend") or {} for path in (rule.get("http") or {}).get("paths") or []]
    return {backend["service"]["name"] for backend in backends if "service" in backend}


@dataclass(frozen=True)
class _Kind:
    judge: Callable[[View], Verdict]
    seconds: float = WORKLOAD_SECONDS
    read: bool = True
    others: tuple[tuple[str, str, bool], ...] = ()


_SLICES = ("discovery.k8s.io/v1", "EndpointSlice", True)

_KINDS: dict[tuple[str, str], _Kind] = {
    ("apps/v1", "Deployment"): _Kind(_on_target(deployment)),
    ("apps/v1", "StatefulSet"): _Kind(_on_target(stateful_set)),
    ("apps/v1", "DaemonSet"): _Kind(_on_target(daemon_set)),
    ("v1", "Pod"): _Kind(_on_target(pod)),
    ("batch/v1", "Job"): _Kind(job),
    ("v1", "Service"): _Kind(service, others=(_SLICES,)),
    ("networking.k8s.io/v1", "Ingress"): _Kind(ingress, others=(_SLICES, ("v1", "Service", True))),
    ("v1", "PersistentVolumeClaim"): _Kind(
        volume_claim, VOLUME_SECONDS, read=False, others=(("storage.k8s.io/v1", "StorageClass", False),)
    ),
    ("v1", "PersistentVolume"): _Kind(_on_target(volume), VOLUME_SECONDS, read=False),
    ("v1", "ResourceQuota"): _Kind(_on_target(quota), QUOTA_SECONDS, read=False),
    ("v1", "ReplicationController"): _Kind(_on_target(replication_controller), read=False),
    ("v1", "Secret"): _Kind(_on_target(token), TOKEN_SECONDS, read=False),
}
