"""Which Ingress has which host, and what becomes of the others (internal/k8s/configuration.go). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.hosted.host import Json
from sandbox.hosted.times import timestamp
from sandbox.ingress.validation import is_type, problems

CLASS_ANNOTATION = "kubernetes.io/ingress.class"


@dataclass(frozen=True)
class Problem:
    """Why the controller does not take an Ingress, or not all of it."""

    ingress: Json
    reason: str
    message: str


@dataclass
class Accepted:
    """An Ingress that has at least one host. A master's paths are its minions'."""

    ingress: Json
    hosts: frozenset[str]
    minions: list[tuple[Json, frozenset[str]]] = field(default_factory=list)
    """Each with the paths that are its own."""

    @property
    def all(self) -> list[Json]:
        return [self.ingress, *(minion for minion, _ in self.minions)]


@dataclass
class Decided:
    """What the controller makes of all Ingresses of its class."""

    accepted: list[Accepted] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def key(ingress: Json) -> str:
    return f"{ingress['metadata']['namespace']}/{ingress['metadata']['name']}"


def has_class(ingress: Json, name: str) -> bool:
    """By the old annotation where there is one, else by `ingressClassName`."""
    annotated = (ingress["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION)
    return bool(name == (annotated or ingress["spec"].get("ingressClassName")))


def _age(ingress: Json) -> tuple[float, list[int]]:
    """Oldest first; of two of one second the one with the greater uid."""
    return timestamp(ingress["metadata"]["creationTimestamp"]), [-ord(c) for c in ingress["metadata"]["uid"]]


def _hosts(ingress: Json) -> list[str]:
    return [rule["host"] for rule in ingress["spec"]["rules"]]


def decide(ingresses: Iterable[Json], ingress_class: str) -> Decided:
    """Of several Ingresses on one host the oldest has it."""
    decided = Decided()
    mine = sorted((each for each in ingresses if has_class(each, ingress_class)), key=_age)
    valid: list[Json] = []
    for each in mine:
        wrong = problems(each)
        if wrong:
            decided.problems.append(Problem(each, "Rejected", f"{key(each)} was rejected: {'; '.join(wrong)}"))
        else:
            valid.append(each)
    taken: dict[str, Accepted] = {}
    for each in (one for one in valid if not is_type(one, "minion")):
        free = frozenset(host for host in _hosts(each) if host not in taken)
        if not free:
            decided.problems.append(Problem(each, "Rejected", "All hosts are taken by other resources"))
            continue
        accepted = Accepted(each, free)
        decided.accepted.append(accepted)
        taken |= dict.fromkeys(free, accepted)
        lost = sorted(set(_hosts(each)) - free)
        if lost:
            text = f"host {', '.join(lost)} is taken by another resource"
            decided.problems.append(Problem(each, "AddedOrUpdatedWithWarning", text))
    for each in (one for one in valid if is_type(one, "minion")):
        master = taken.get(_hosts(each)[0])
        if master is None or not is_type(master.ingress, "master"):
            text = "Ingress master is invalid or doesn't exist"
            decided.problems.append(Problem(each, "NoIngressMasterFound", text))
            continue
        others = {path for _, paths in master.minions for path in paths}
        paths = {path.get("path") or "/" for path in each["spec"]["rules"][0]["http"]["paths"]}
        master.minions.append((each, frozenset(paths - others)))
        for path in sorted(paths & others):
            text = f"path {path} is taken by another resource"
            decided.problems.append(Problem(each, "AddedOrUpdatedWithWarning", text))
    return decided
