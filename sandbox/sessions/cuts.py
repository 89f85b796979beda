"""What of a session's path has stopped serving it. Pure; the table is in `docs/explanation/drill.md`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sandbox.sessions.clocks import Clocks
from sandbox.sessions.model import Hop, Role, Session
from sandbox.sessions.objects import BY_TURN, END_UNKNOWN, WHOLE_SECONDS, Pod
from sandbox.sessions.rows import BusySigterm, Rows, Without
from sandbox.sessions.view import View

SIGTERM = "did not survive SIGTERM"
NODE_LOST = "node lost"
SHUTDOWN = "worker-shutdown-timeout"
LONGEST = "the proxy's deadline of a session"
ZOMBIE = "the proxy's deadline of a session in which nothing happens"
LEASE = "lease of a registration"


def cut(
    session: Session,
    view: View,
    rows: Rows,
    clocks: Clocks,
    now: float,
    reloaded: float | None = None,
    factor: float = 1.0,
) -> tuple[Hop, str] | None:
    """The hop that has cut the session by `now` and why; None: it lives.

    `clocks` are those of the session's beginning, which its worker keeps; `reloaded` is when that worker was first
    told to stop because the configuration changed, if it was (both in seconds since the epoch, as `now` is).
    """
    for hop in session.path:
        if why := _hop(hop, view, rows, now, factor):
            return hop, why
    for role, row in (
        (Role.REDIS, rows.without_redis),
        (Role.RESOURCE_MANAGER, rows.without_resource_manager),
    ):
        if row is Without.CUT and view.away(role):
            return session.path[-1], f"without {role}"
    due = [each for each in deadlines(session, view, clocks, reloaded, factor) if each[0] <= now]
    if not due:
        return None
    _, hop, reason = min(due, key=lambda each: each[0])
    return hop, reason


def next_deadline(
    session: Session, view: View, clocks: Clocks, reloaded: float | None = None, factor: float = 1.0
) -> float:
    """When the first clock on the path runs out, as things are; infinite: none will."""
    return min((when for when, _, _ in deadlines(session, view, clocks, reloaded, factor)), default=math.inf)


def deadlines(
    session: Session, view: View, clocks: Clocks, reloaded: float | None, factor: float
) -> Iterator[tuple[float, Hop, str]]:
    """When each clock on the path runs out, at which hop, and its name."""
    entrance = session.path[0]
    if clocks.shortest is not None:
        name, limit = clocks.shortest
        yield session.began + limit, entrance, f"{name} of {limit * factor:g} s"
    proxy = next((hop for hop in session.path if hop.role is Role.PROXY), entrance)
    if clocks.longest < math.inf:
        yield session.began + clocks.longest, proxy, f"{LONGEST} of {clocks.longest * factor:g} s"
    if clocks.zombie < clocks.silence:
        yield session.began + clocks.zombie, proxy, f"{ZOMBIE} of {clocks.zombie * factor:g} s"
    if view.without_redis is not None and clocks.lease < math.inf:
        yield view.without_redis + clocks.lease, session.path[-1], f"{LEASE} of {clocks.lease * factor:g} s"
    told = [] if reloaded is None else [reloaded]
    pod = view.pods.get(entrance.uid)
    if pod is not None and pod.stopping:
        # the controller tells its workers when its preStop hook is over
        told.append(pod.asked + pod.leaves_after / factor)
    if told and clocks.shutdown < math.inf:
        yield min(told) + clocks.shutdown, entrance, f"{SHUTDOWN} of {clocks.shutdown * factor:g} s"


def _hop(hop: Hop, view: View, rows: Rows, now: float, factor: float) -> str | None:
    """Why this pod serves the session no longer."""
    pod = view.pods.get(hop.uid)
    last = view.gone.get(hop.uid) if pod is None else pod
    if last is not None and told_in_time(last, view):
        return None
    if pod is None:
        return _gone(last, view, now, factor)
    if view.lost(pod):
        return NODE_LOST
    if pod.ended:
        return _told(pod, now, factor) or f"pod gone: {pod.ended}"
    if hop.life and pod.life and hop.life != pod.life:
        return "pod gone: a container was restarted"
    if pod.stopping and not survives(pod, rows):
        return SIGTERM
    return None


def survives(pod: Pod, rows: Rows) -> bool:
    """Whether the pod, told to stop, serves its sessions as long as its grace lets it."""
    return pod.role not in END_UNKNOWN or pod.waits or rows.busy_sigterm is BusySigterm.FINISHES


def told_in_time(pod: Pod, view: View) -> bool:
    """Whether a pod that is called for one turn at a time was told to stop, and its grace lets a turn end.

    The conversation's next turn goes to another pod. Every conversation is taken to be in the longest turn there can
    be, asked for at the last moment at which the pod's address is still known.
    """
    if pod.role not in BY_TURN or not pod.stopping:
        return False
    turn = max((each.turn for each in view.by_role[Role.LLM_PROXY]), default=0.0)
    # vLLM's preStop hook lasts as long as such a turn, the LLM proxy's until its address is forgotten
    return pod.grace >= (pod.leaves_after + turn if pod.role is Role.LLM_PROXY else max(pod.leaves_after, turn))


def _gone(last: Pod | None, view: View, now: float, factor: float) -> str:
    if last is None:
        return "pod gone: it was never seen"
    if view.lost(last):
        return NODE_LOST
    if told := _told(last, now, factor):
        return told
    return f"pod gone: {last.ended or 'deleted without grace'}"


def _told(pod: Pod, now: float, factor: float) -> str:
    """How a pod ended that was told to stop; empty: it was not told, or given no time."""
    if not pod.stopping or pod.grace == 0:
        return ""
    if now >= pod.asked + pod.grace / factor - WHOLE_SECONDS:
        return f"pod gone: its grace of {pod.grace:g} s was over"
    return f"pod gone: {pod.ended or 'its processes ended before its grace was over'}"
