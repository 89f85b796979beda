"""Whether a step may be done, given what was found in the cluster. Pure: each answer is None or the reason against."""

from __future__ import annotations

from collections.abc import Sequence

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


def takeover_refusal(what: str, name: str | None, wanted: int | None, setting: str, reading: Reading) -> str | None:
    """Why scaling must not be switched off now: the configured number of pods would replace the controller's own.

    `setting` is the YAML path of the number. More pods than there are take nothing away and are allowed; fewer are
    refused with or without sessions, because one may begin at any moment.
    """
    if reading.problem is not None:
        return unknown(what, reading.problem)
    found = [group for group in reading.groups if name in (group.name, None)]
    if all(wanted is not None and group.replicas is not None and wanted >= group.replicas for group in found):
        return None
    counts = listed([f"{group.name}: {group.replicas} pods, configured {wanted}" for group in found])
    live = max((group.replicas for group in found if group.replicas is not None), default=None)
    return (
        f"{what} is refused: its pods are as many as its controller wanted, and the configuration has fewer.{counts}\n"
        f"Keep what is there; a smaller number is taken once the group is idle:\n"
        f"  pulumi config set --path '{setting}' {'NUMBER' if live is None else live}"
    )
