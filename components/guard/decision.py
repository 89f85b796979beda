"""Whether a step may be done, given what was found in the cluster. Pure: each answer is None or the reason against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.guard.names import Kind
from components.guard.reading import Group, Reading

WAIT = "Wait until `kubectl get sessiongroups -A` shows usage 0 everywhere, then run it again."


def advice(live: Sequence[Group]) -> str:
    """What makes the groups free to go: those with a count by waiting, those without a status by mending it."""
    silent = next((group for group in live if group.silent), None)
    parts = [] if all(group.silent for group in live) else [WAIT]
    if silent is not None:
        parts.append(
            "A group without a status has no controller that reconciles it, and pods that may be its own. See why:\n"
            f"  kubectl describe sessiongroup {silent.name} -n {silent.namespace}\n"
            f"  kubectl get pods -n {silent.namespace} -l control-plane=sessiongroups-controller\n"
            "It is free to go once it shows usage 0, or once no pod is left that may be its own: those of\n"
            f"  kubectl get pods -n {silent.namespace}\n"
            "that no Deployment, StatefulSet, DaemonSet, Job or other SessionGroup has made."
        )
    return "\n".join(parts)


def listed(lines: list[str], most: int = 10) -> str:
    """Indented lines, the first ones."""
    more = [f"... and {len(lines) - most} more"] if len(lines) > most else []
    return "".join(f"\n  {line}" for line in [*lines[:most], *more])


def unknown(what: str, problem: str) -> str:
    """The refusal when the cluster could not be read."""
    return (
        f"{what} is refused: the live sessions could not be read, and what is unknown counts as live.\n"
        f"  {problem}\nMend the connection to the cluster and run it again."
    )


def delete_refusal(kind: Kind, what: str, name: str | None, reading: Reading) -> str | None:
    """Why this resource must not be deleted now.

    `name` is its name in Azure or in the cluster; None is a name that cannot be read, and may be any of them.
    """
    if reading.problem is not None:
        return unknown(what, reading.problem)
    if kind is Kind.NODE_POOL:
        return _pool(what, name, reading)
    live = [group for group in reading.live if kind is not Kind.SESSION_GROUP or name in (group.name, None)]
    if not live:
        return _orphans(what, reading) if kind is Kind.GATE else None
    return f"{what} is refused: sessions are live.{listed([group.text for group in live])}\n{advice(live)}"


def _orphans(what: str, reading: Reading) -> str | None:
    """Session pods whose groups are all gone: nothing says any more how many sessions they hold.

    For the gate, before anything is deleted. Later in a destroy such pods are stopping because their idle groups went.
    """
    if reading.groups or not reading.pods:
        return None
    pods = listed([f"{pod.namespace}/{pod.name}" for pod in reading.pods])
    return (
        f"{what} is refused: session pods are left without their SessionGroups.{pods}\nRun it again when they are gone."
    )


def _pool(what: str, name: str | None, reading: Reading) -> str | None:
    """A pool goes only when no session pod is left on its nodes: absence, not a count that changes a second later."""
    left = [pod for pod in reading.pods if name is None or pod.pool in (name, "?")]
    if not left:
        return None
    pods = listed([f"{pod.namespace}/{pod.name}" for pod in left])
    return (
        f"{what} is refused: session pods are still on its nodes.{pods}\n"
        "Make another generation of the pool active; the sessiongroups-controller moves idle pods there, and busy ones "
        "when their last session ends. Then run it again."
    )


def keeps_its_pods(before: int | None, after: int | None) -> bool:
    """Whether it is known that a group gets no fewer pods. None is a number that cannot be read."""
    return before is not None and after is not None and after >= before


def scale_refusal(what: str, name: str | None, before: int | None, after: int | None, reading: Reading) -> str | None:
    """Why the group must not get fewer pods now; more pods and other changes of the template are always allowed.

    Fewer than the program wanted before, or fewer than somebody else has made it meanwhile.
    """
    counts = [before, *(group.replicas for group in reading.groups if name in (group.name, None))]
    known = [count for count in counts if count is not None]
    most = max(known) if len(known) == len(counts) else None
    if reading.problem is None and keeps_its_pods(most, after):
        return None
    old, new = ("an unknown number of" if number is None else number for number in (most, after))
    return delete_refusal(Kind.SESSION_GROUP, f"{what} from {old} to {new} pods", name, reading)


@dataclass(frozen=True)
class Fixed:
    """The number of pods of a session group whose scaling is off in the configuration."""

    setting: str
    """YAML path of the number."""
    pods: int | None
    """None is a number that cannot be read."""


@dataclass(frozen=True)
class Takeover:
    """A group that would lose pods when its scaling is switched off: the number would replace the controller's own."""

    group: Group
    fixed: Fixed

    @property
    def text(self) -> str:
        """For a person: `rt-transcriber-en: 7 pods, configured 1`."""
        return f"{self.group.name}: {self.group.replicas} pods, configured {self.fixed.pods}"

    @property
    def command(self) -> str:
        """What keeps the pods that are there."""
        live = self.group.replicas
        return f"pulumi config set --path '{self.fixed.setting}' {'NUMBER' if live is None else live}"


def takeovers(name: str | None, wanted: int | None, fixed: Mapping[str, Fixed], reading: Reading) -> list[Takeover]:
    """Every group of which scaling must not be switched off now; none where this one's may be.

    `name` is the group that is being updated and `wanted` its number of pods from now on; None is what cannot be read,
    and such a name may be any of them. `fixed` are all groups of the configuration without scaling, by name: the engine
    stops at the first refusal, so whoever reads it is to hear of the others as well. More pods than there are take
    nothing away and are allowed; fewer are refused with or without sessions, because one may begin at any moment.
    """
    mine = [group for group in reading.groups if name in (group.name, None)]
    others = [group for group in reading.groups if group not in mine and group.scaled and group.name in fixed]
    own = [Takeover(group, Fixed(_setting(group, fixed), wanted)) for group in mine]
    if not any(_loses(each) for each in own):
        return []
    return [each for each in (*own, *(Takeover(group, fixed[group.name]) for group in others)) if _loses(each)]


def _setting(group: Group, fixed: Mapping[str, Fixed]) -> str:
    return fixed[group.name].setting if group.name in fixed else "sessionGroups.replicas"


def _loses(each: Takeover) -> bool:
    return not keeps_its_pods(each.group.replicas, each.fixed.pods)


def takeover_refusal(what: str, lost: Sequence[Takeover]) -> str:
    """The refusal to switch scaling off, with every group of which that is so and its command."""
    counts = "".join(f"\n  {each.text}" for each in lost)
    commands = "".join(f"\n  {each.command}" for each in lost)
    return (
        f"{what} is refused: pods are as many as their controller wanted, and the configuration has fewer.{counts}\n"
        f"Keep what is there; a smaller number is taken once the group is idle:{commands}"
    )
