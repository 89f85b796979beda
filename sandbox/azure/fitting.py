"""Whether a pod could run on a node: the part of the scheduler's rules that the cluster autoscaler simulates. Pure.

Node selector, required node affinity, taints, resources, ports aside, and required pod (anti-)affinity are judged.
Topology spread and volumes are not: where they alone keep a pod from a node, the simulation says that it fits, and no
machine is added for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.azure.quantity import Amounts, add, amounts, fits, pod_requests
from sandbox.kube import Json


@dataclass
class Host:
    """A node, real or to be, with the pods on it."""

    labels: dict[str, str]
    taints: list[Json]
    allocatable: Amounts
    unschedulable: bool = False
    pods: list[Json] = field(default_factory=list)

    def free(self) -> Amounts:
        used: Amounts = {}
        for pod in self.pods:
            used = add(used, pod_requests(pod))
        return {name: value - used.get(name, 0) for name, value in self.allocatable.items()}


def host_of(node: Json, pods: Sequence[Json], more: Amounts) -> Host:
    """A real node. `more` are resources it is about to report, GPUs whose plugin has not started."""
    spec, meta = node["spec"], node["metadata"]
    not_yet = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    taints = [taint for taint in spec.get("taints") or [] if taint["key"] not in not_yet]
    allocatable = more | amounts(node["status"].get("allocatable"))
    allocatable |= {name: value for name, value in more.items() if not allocatable[name]}
    return Host(meta.get("labels") or {}, taints, allocatable, bool(spec.get("unschedulable")), list(pods))


def can_run(pod: Json, host: Host, others: Sequence[Host]) -> str | None:
    """Why the pod cannot run on the host; None when it can. `others` are all other hosts of the cluster."""
    spec = pod["spec"]
    if host.unschedulable:
        return "node(s) were unschedulable"
    if any(host.labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return "node(s) didn't match Pod's node affinity/selector"
    affinity = spec.get("affinity") or {}
    required = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is not None and not any(_term_matches(term, host.labels) for term in required["nodeSelectorTerms"]):
        return "node(s) didn't match Pod's node affinity/selector"
    for taint in host.taints:
        hard = taint["effect"] in ("NoSchedule", "NoExecute")
        if hard and not any(_tolerates(toleration, taint) for toleration in spec.get("tolerations") or []):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    asked, free = pod_requests(pod), host.free()
    if not fits(asked, free):
        short = sorted(name for name, value in asked.items() if value > free.get(name, 0))
        return f"Insufficient {', '.join(short)}"
    return _pod_affinity(pod, host, others)


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or "")


def _term_matches(term: Json, labels: dict[str, str]) -> bool:
    expressions = term.get("matchExpressions") or []
    return bool(expressions) and all(_expression(one, labels) for one in expressions)


def _expression(expression: Json, labels: dict[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    operator = expression["operator"]
    if operator in ("Gt", "Lt"):
        if value is None or not value.lstrip("-").isdigit():
            return False
        return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[operator]


def _pod_affinity(pod: Json, host: Host, others: Sequence[Host]) -> str | None:
    affinity = pod["spec"].get("affinity") or {}
    apart = (affinity.get("podAntiAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or []
    together = (affinity.get("podAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or []
    for term in apart:
        if any(_selected(term, pod, other) for other in _neighbours(term, host, others)):
            return "node(s) didn't match pod anti-affinity rules"
    for other in _all_pods(host, others):
        for term in _anti_terms(other[1]):
            near = other[0] is host or _same_place(term, host, other[0])
            if near and _selected(term, other[1], pod):
                return "node(s) didn't satisfy existing pods anti-affinity rules"
    for term in together:
        if any(_selected(term, pod, other) for other in _neighbours(term, host, others)):
            continue
        anywhere = any(_selected(term, pod, other) for _, other in _all_pods(host, others))
        if anywhere or not _selected(term, pod, pod):
            return "node(s) didn't match pod affinity rules"
    return None


def _anti_terms(pod: Json) -> list[Json]:
    affinity = (pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}
    return affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or []


def _all_pods(host: Host, others: Sequence[Host]) -> list[tuple[Host, Json]]:
    return [(one, pod) for one in [host, *others] for pod in one.pods]


def _same_place(term: Json, left: Host, right: Host) -> bool:
    key = term["topologyKey"]
    return key in left.labels and left.labels.get(key) == right.labels.get(key)


def _neighbours(term: Json, host: Host, others: Sequence[Host]) -> list[Json]:
    near = [host, *(other for other in others if _same_place(term, host, other))]
    return [pod for one in near for pod in one.pods]


def _selected(term: Json, owner: Json, other: Json) -> bool:
    """Whether a pod is one that an affinity term of `owner` speaks of."""
    namespaces = term.get("namespaces") or [owner["metadata"]["namespace"]]
    if other["metadata"]["namespace"] not in namespaces:
        return False
    selector = term.get("labelSelector")
    return selector is not None and selects(selector, other["metadata"].get("labels") or {})


def selects(selector: Json, labels: dict[str, str]) -> bool:
    """Whether a label selector matches."""
    same = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return same and all(_expression(one, labels) for one in selector.get("matchExpressions") or [])
