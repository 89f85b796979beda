"""What to do about one SessionGroup now: a pure function from what is known to actions, each with its reason.

No busy pod is ever removed. The group never has more replicas than `replicas`, or `replicas + allowedSurge` while
pods of an older template remain (what is there already and busy stays). Pods on their way out and pods of lost nodes
are no replicas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.sessions.rows import SafeToEvict
from sandbox.twin import scaling
from sandbox.twin.model import Group, Pod, RefusedError


@dataclass(frozen=True)
class SetReplicas:
    """Write `spec.replicas`."""

    replicas: int
    reason: str


@dataclass(frozen=True)
class Create:
    """Create one pod of the current template."""

    reason: str


@dataclass(frozen=True)
class Delete:
    """Delete an idle pod, in exactly the state it was seen in."""

    pod: Pod
    reason: str


@dataclass(frozen=True)
class MarkIdle:
    """Write on the pod since when it holds no session (None: it holds some)."""

    pod: Pod
    since: float | None


@dataclass(frozen=True)
class MarkSafe:
    """Write the label `speechmatics.io/safe-to-evict` on the pod (None: take it off)."""

    pod: Pod
    value: str | None


@dataclass(frozen=True)
class Refuse:
    """Tell the user what is not played."""

    reason: str
    message: str


Action = SetReplicas | Create | Delete | MarkIdle | MarkSafe | Refuse


@dataclass(frozen=True)
class Plan:
    """Actions in the order to do them, and in how many seconds to look again though nothing changed."""

    actions: tuple[Action, ...] = ()
    again_in: float | None = None


def plan(group: Group, version: int, pods: Sequence[Pod], now: float, time_factor: float = 1.0) -> Plan:
    """What to do about `group`, whose current template is `version`, owning `pods`, at `now` (seconds since epoch)."""
    if group.deleting:
        return Plan()
    if group.unreadable:
        return Plan((Refuse(group.unreadable.reason, f"{group.unreadable.message}; this group is left as it is"),))
    if group.defrag:
        return Plan((Refuse("DefragNotPlayed", "spec.defrag.enabled is not played: this group is left as it is"),))
    actions: list[Action] = []
    if group.features is None and not group.scaling.enabled:
        actions.append(Refuse("CapacityUnknown", "no container has REGISTER_FEATURES: a pod's capacity counts as 0"))
    surge = group.allowed_surge if _rolls(group, version, pods) else 0
    replicas = sum(pod.counts for pod in pods)
    goal = scaling.Target(group.replicas)
    if group.scaling.enabled:
        try:
            goal = scaling.target(group, pods, replicas <= group.replicas + surge, now, time_factor)
        except RefusedError as refused:
            actions.append(Refuse(refused.reason, refused.message))
    if goal.replicas != group.replicas:
        actions.append(SetReplicas(goal.replicas, goal.reason or "scaling"))
    removals = _removals(group, version, pods, goal.replicas, now, time_factor)
    left = [pod for pod in pods if pod.counts and pod.uid not in {removal.pod.uid for removal in removals}]
    if group.scaling.enabled:
        actions += _idle_marks(left, now)
    actions += removals
    actions += _creations(group, version, left, goal.replicas)
    return Plan(tuple(actions), goal.again_in)


def safe_marks(pods: Sequence[Pod], row: SafeToEvict) -> list[MarkSafe]:
    """The label of each pod that is not as its sessions would have it; none where the controller keeps off it.

    To be done before anything else is decided: a pod that has just become busy must not be taken for an idle one.
    """
    if row is SafeToEvict.KEPT:
        return []
    wanted = [(pod, "false" if pod.sessions else None) for pod in pods if pod.counts]
    return [MarkSafe(pod, value) for pod, value in wanted if pod.safe_to_evict != value]


def _rolls(group: Group, version: int, pods: Sequence[Pod]) -> bool:
    """Whether pods of an older template are to be replaced new-first."""
    return not group.recreate and any(pod.counts and pod.version != version for pod in pods)


def _idle_marks(left: Sequence[Pod], now: float) -> list[Action]:
    """Write down which pods became idle or busy since the last look."""
    turned = [pod for pod in left if pod.idle == (pod.idle_since is None)]
    return [MarkIdle(pod, now if pod.idle else None) for pod in turned]


def _removals(
    group: Group, version: int, pods: Sequence[Pod], replicas: int, now: float, time_factor: float
) -> list[Delete]:
    """Which idle pods go: dead ones, then those of an older template, then those beyond `replicas`."""
    removals = [
        Delete(pod, "its containers have ended" if pod.finished else "its node does not answer")
        for pod in pods
        if not pod.counts and not pod.terminating and pod.idle
    ]
    live = [pod for pod in pods if pod.counts]
    outdated = _outdated(group, version, live, replicas)
    removals += outdated
    gone = {removal.pod.uid for removal in removals}
    left = [pod for pod in live if pod.uid not in gone]
    if group.scaling.enabled:
        candidates = scaling.idle_long_enough(group, left, now, time_factor)
    else:
        candidates = [pod for pod in left if pod.idle]
    surge = group.allowed_surge if _rolls(group, version, left) else 0
    leaving = sum(pod.terminating and pod.idle for pod in pods)
    count = min(len(left) - replicas - surge, group.scaling.max_down_at_once - leaving)
    return removals + _surplus(candidates, version, left, replicas, count)


def _outdated(group: Group, version: int, live: Sequence[Pod], replicas: int) -> list[Delete]:
    """Idle pods of an older template: unready ones at once, ready ones while enough others are Ready."""
    old = sorted((pod for pod in live if pod.version != version and pod.idle), key=lambda p: (p.created, p.name))
    if group.recreate:
        return [Delete(pod, f"template version {pod.version} is not {version}, strategyRecreate") for pod in old]
    unready = [pod for pod in old if not pod.ready]
    spare = max(0, sum(pod.ready for pod in live) - replicas)
    ready = [pod for pod in old if pod.ready][:spare]
    return [
        *(Delete(pod, f"template version {pod.version} is not {version}, and it is not Ready") for pod in unready),
        *(Delete(pod, f"template version {pod.version} is not {version}, enough others are Ready") for pod in ready),
    ]


def _surplus(candidates: list[Pod], version: int, left: Sequence[Pod], replicas: int, count: int) -> list[Delete]:
    """Up to `count` of the candidates; Ready ones only while as many Ready pods as replicas remain."""
    order = sorted(candidates, key=lambda p: (p.ready, p.version == version, scaling.since(p), -p.created, p.name))
    spare = max(0, sum(pod.ready for pod in left) - replicas)
    unready = [pod for pod in order if not pod.ready]
    takeable = unready + [pod for pod in order if pod.ready][:spare]
    return [Delete(pod, f"{len(left)} pods, {replicas} wanted") for pod in takeable[: max(0, count)]]


def _creations(group: Group, version: int, left: Sequence[Pod], replicas: int) -> list[Action]:
    """New pods: no more on their way to Ready at once than `maxPodsCreateAtOnce`."""
    current = sum(pod.version == version for pod in left)
    starting = sum(not pod.ready for pod in left)
    surge = group.allowed_surge if _rolls(group, version, left) else 0
    count = min(replicas - current, replicas + surge - len(left), group.max_create_at_once - starting)
    why = f"{current} of {replicas} pods have template version {version}"
    return [Create(why) for _ in range(max(0, count))]
