"""What of a session's path has stopped serving it. Pure; the table is in `docs/explanation/drill.md`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sandbox.sessions.clocks import Clocks
from sandbox.sessions.model import Hop, Role, Session
from sandbox.sessions.objects import END_UNKNOWN, Pod
from sandbox.sessions.rows import BusySigterm, Rows, Without
from sandbox.sessions.view import View

SIGTERM = "did not survive SIGTERM"
NODE_LOST = "node lost"
SHUTDOWN = "worker-shutdown-timeout"

WHOLE_SECONDS = 1.0
"""Timestamps of the API server are cut to whole seconds: a grace may seem to end so much too early."""


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
    if pod is None:
        return _gone(hop, view.gone.get(hop.uid), view, now, factor)
    if view.lost(pod):
        return NODE_LOST
    if pod.ended:
        return f"pod gone: {pod.ended}"
    if hop.life and pod.life and hop.life != pod.life:
        return "pod gone: a container was restarted"
    if pod.stopping and not survives(pod, rows):
        return SIGTERM
    return None


def survives(pod: Pod, rows: Rows) -> bool:
    """Whether the pod, told to stop, serves its sessions as long as its grace lets it."""
    return pod.role not in END_UNKNOWN or pod.waits or rows.busy_sigterm is BusySigterm.FINISHES


def _gone(hop: Hop, last: Pod | None, view: View, now: float, factor: float) -> str:
    if last is None:
        return "pod gone: it was never seen"
    if view.lost(last):
        return NODE_LOST
    if last.ended:
        return f"pod gone: {last.ended}"
    if not last.stopping or last.grace == 0:
        return "pod gone: deleted without grace"
    if now >= last.asked + last.grace / factor - WHOLE_SECONDS:
        return f"pod gone: its grace of {last.grace:g} s was over"
    return "pod gone: its processes ended before its grace was over"
