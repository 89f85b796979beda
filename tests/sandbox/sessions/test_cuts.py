"""What cuts a session, clocks included, and what does not."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.sessions.clocks import Clocks
from sandbox.sessions.cuts import cut, next_deadline
from sandbox.sessions.model import Hop, Kind, Refused, Session
from sandbox.sessions.objects import told_before
from sandbox.sessions.placement import place
from sandbox.sessions.rows import FRIENDLY, HOSTILE, BusySigterm, Rows, Without
from sandbox.sessions.view import View
from tests.sandbox.sessions import objects
from tests.sandbox.sessions.objects import Json
from tests.sandbox.sessions.views import SPACE, including, nodes, pod, transcriber, whole, without, workload

NOON = datetime.fromisoformat("2026-11-27T12:00:00Z").timestamp()
BEGAN = NOON - 600
FOREVER = Clocks(silence=300, load_balancer=math.inf, read=math.inf, send=math.inf, shutdown=math.inf)
GONE_BY_NOON = ("2026-11-27T12:00:00Z", 120)
"""Told to stop at 11:58, with a grace of two minutes."""


def session(view: View, length: float = 3600) -> Session:
    path = place(view, {}, Kind.TRANSCRIPTION, "en", FRIENDLY)
    assert not isinstance(path, Refused), path.reason
    return Session(1, Kind.TRANSCRIPTION, "en", BEGAN, length, path)


def why(view: View, of: Session, rows: Rows = FRIENDLY, **given: Any) -> str | None:
    found = cut(of, view, rows, given.pop("clocks", FOREVER), given.pop("now", NOON), **given)
    return None if found is None else f"{found[0].pod}: {found[1]}"


def running(container: str, identity: str) -> Json:
    return {"containerStatuses": [{"name": container, "containerID": identity, "state": {"running": {}}}]}


def gone(view: View, last: Any) -> View:
    return dataclasses.replace(without(view, last.name), gone={last.uid: last})


def test_nothing_cuts_a_session_whose_pods_run() -> None:
    view = whole(transcriber("t1"))
    assert why(view, session(view), HOSTILE) is None
    assert next_deadline(session(view), view, FOREVER) == math.inf


@pytest.mark.parametrize("name", ["ingress", "proxy-a", "t1", "triton"])
def test_every_pod_of_the_path_counts(name: str) -> None:
    view = whole(transcriber("t1"))
    last = next(each for each in view.pods.values() if each.name == name)
    assert why(gone(view, last), session(view)) == f"{name}: pod gone: deleted without grace"


def test_what_ended_a_pod_that_is_gone_is_said() -> None:
    view = whole(transcriber("t1"))
    told = transcriber("t1", stopping=GONE_BY_NOON)
    assert why(gone(view, told), session(view)) == "t1: pod gone: its grace of 120 s was over"
    early = why(gone(view, told), session(view), now=NOON - 60)
    assert early == "t1: pod gone: its processes ended before its grace was over"
    assert (
        why(gone(view, told), session(view), now=NOON - 60, factor=60.0) == "t1: pod gone: its grace of 120 s was over"
    )
    forced = transcriber("t1", stopping=("2026-11-27T12:00:00Z", 0))
    assert why(gone(view, forced), session(view)) == "t1: pod gone: deleted without grace"
    failed = transcriber("t1", status={"phase": "Failed", "reason": "Evicted"})
    assert why(gone(view, failed), session(view)) == "t1: pod gone: the pod has failed: Evicted"


def test_a_container_that_serves_the_session_counts_and_others_do_not() -> None:
    view = whole(transcriber("t1", status=running("rt-asr-transcriber", "containerd://1")))
    live = session(view)
    ended = {"containerStatuses": [{"name": "rt-asr-transcriber", "state": {"terminated": {"exitCode": 137}}}]}
    seen = including(view, transcriber("t1", status=ended))
    assert why(seen, live) == "t1: pod gone: container rt-asr-transcriber ended with exit code 137"
    again = including(view, transcriber("t1", status=running("rt-asr-transcriber", "containerd://2")))
    assert why(again, live) == "t1: pod gone: a container was restarted"
    tracker = running("rt-asr-transcriber", "containerd://1")
    tracker["containerStatuses"].append({"name": "readiness-tracker", "state": {"terminated": {"exitCode": 1}}})
    assert why(including(view, transcriber("t1", status=tracker)), live) is None
    proxy = {"initContainerStatuses": [{"name": "worker-proxy", "state": {"terminated": {"exitCode": 1}}}]}
    assert why(including(view, transcriber("t1", status=proxy)), live) == (
        "t1: pod gone: container worker-proxy ended with exit code 1"
    )


def test_a_node_that_is_gone_or_silent() -> None:
    view = whole(transcriber("t1", node="n2"), nodes=nodes("n1", "n2"))
    live = session(view)
    assert why(dataclasses.replace(view, nodes=nodes("n1")), live) == "t1: node lost"
    assert why(dataclasses.replace(view, nodes=nodes("n1", "n2", lost=("n2",))), live) == "t1: node lost"
    collected = gone(view, view.pods["uid-t1"])
    assert why(dataclasses.replace(collected, nodes=nodes("n1")), live) == "t1: node lost"
    assert why(dataclasses.replace(view, nodes=nodes("n1", "n2", cordoned=("n2",))), live) is None


def test_row_busy_sigterm() -> None:
    view = whole(transcriber("t1"))
    live = session(view)
    told = including(view, transcriber("t1", stopping=GONE_BY_NOON))
    assert why(told, live, Rows(busy_sigterm=BusySigterm.FINISHES)) is None
    assert why(told, live, Rows(busy_sigterm=BusySigterm.ENDS)) == "t1: did not survive SIGTERM"
    # known to live on until their grace is over: nginx, and what a preStop hook keeps SIGTERM from
    others = including(
        view,
        pod("proxy-a", objects.proxy(), stopping=GONE_BY_NOON),
        pod("ingress", objects.ingress_controller(SPACE), stopping=GONE_BY_NOON),
    )
    assert why(others, live, HOSTILE) is None
    spec = objects.inference()
    assert why(including(view, pod("triton", spec, stopping=GONE_BY_NOON)), live, HOSTILE) is not None
    spec["containers"][0]["lifecycle"] = {"preStop": {"exec": {"command": ["/bin/bash"]}}}
    assert why(including(view, pod("triton", spec, stopping=GONE_BY_NOON)), live, HOSTILE) is None


@pytest.mark.parametrize(
    ("hostile", "spec", "said"),
    [
        (Rows(without_redis=Without.CUT), objects.redis(), "without Redis"),
        (Rows(without_resource_manager=Without.CUT), objects.resource_manager(), "without resource manager"),
    ],
)
def test_row_without_redis_and_without_resource_manager(hostile: Rows, spec: Json, said: str) -> None:
    part = workload("StatefulSet", "part", spec)
    view = whole(transcriber("t1"))
    live = session(view)
    there = dataclasses.replace(including(view, pod("p", spec)), workloads={**view.workloads, part.uid: part})
    away = including(without(there, "rm"), pod("p", spec, ready=False))
    assert why(there, live, hostile) is None
    assert why(away, live, Rows()) is None
    assert why(away, live, hostile) == f"triton: {said}"


def test_row_lapsed_registration() -> None:
    """The clock itself; whether it counts is the row's to say, when a session begins (test_traffic)."""
    view = whole(transcriber("t1"))
    live = session(view)
    found = dataclasses.replace(FOREVER, lease=300)
    assert why(view, live, clocks=found, now=NOON * 2) is None, "a Redis answers"
    away = dataclasses.replace(view, without_redis=NOON)
    assert next_deadline(live, away, found) == NOON + 300
    assert why(away, live, clocks=found, now=NOON + 299) is None
    assert why(away, live, clocks=found, now=NOON + 300) == "triton: lease of a registration of 300 s"
    assert why(away, live, clocks=FOREVER, now=NOON * 2) is None


@pytest.mark.parametrize(
    ("spec", "grace", "said"),
    [
        # a turn of 10 s, asked for at the end of the 10 s in which the address is still known
        (objects.llm_proxy(turn=10, leaves=10), 20, None),
        (objects.llm_proxy(turn=10, leaves=10), 19, "p: pod gone: its grace of 19 s was over"),
        (objects.vllm(leaves=15), 15, None),
        (objects.vllm(leaves=15), 14, "p: pod gone: its grace of 14 s was over"),
    ],
)
def test_a_pod_that_is_called_by_the_turn_cuts_when_its_grace_is_shorter(spec: Json, grace: int, said: str) -> None:
    view = whole(transcriber("t1"), pod("other", objects.llm_proxy(turn=10, leaves=10)))
    end = datetime.fromtimestamp(NOON, UTC).isoformat()
    there, told = pod("p", spec), pod("p", spec, stopping=(end, grace))
    assert there.role is not None
    hop = Hop(there.role, SPACE, "p", there.uid)
    live = dataclasses.replace(session(view), path=(hop,))
    assert why(including(view, there), live) is None
    assert why(gone(view, told), live) == said
    ended = {"containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 137}}}]}
    assert why(including(view, pod("p", spec, stopping=(end, grace), status=ended)), live) == said
    assert why(gone(view, there), live) == "p: pod gone: deleted without grace", "nobody told it"


def test_a_container_that_a_grace_has_ended_is_the_graces() -> None:
    view = whole(transcriber("t1", status=running("rt-asr-transcriber", "containerd://1")))
    ended = {"containerStatuses": [{"name": "rt-asr-transcriber", "state": {"terminated": {"exitCode": 137}}}]}
    seen = including(view, transcriber("t1", status=ended, stopping=GONE_BY_NOON))
    assert why(seen, session(view)) == "t1: pod gone: its grace of 120 s was over"
    early = "t1: pod gone: container rt-asr-transcriber ended with exit code 137"
    assert why(seen, session(view), now=NOON - 60) == early


def test_a_kubelets_last_deletion_is_not_who_told_the_pod_to_stop() -> None:
    told = transcriber("t1", stopping=GONE_BY_NOON)
    ended = {"phase": "Failed", "reason": "Killed"}
    last = transcriber("t1", status=ended, stopping=("2026-11-27T12:00:01Z", 0))
    kept = told_before(last, told, NOON)
    assert (kept.asked, kept.grace, kept.ended) == (told.asked, 120, last.ended)
    forced = transcriber("t1", stopping=("2026-11-27T12:00:01Z", 0))
    assert told_before(forced, told, NOON) == forced, "its processes live: somebody wishes it gone at once"
    assert told_before(last, transcriber("t1"), last.asked) == last
    assert told_before(last, None, NOON) == last


@pytest.mark.parametrize(("later", "known"), [(0.0, 0.0), (0.7, 0.7), (30.0, 1.0), (-5.0, 0.0)])
def test_a_pod_was_told_to_stop_when_it_was_seen_told_within_the_second_of_its_timestamp(
    later: float, known: float
) -> None:
    """Of what came later the timestamp says that it was told before; a clock that is behind changes nothing."""
    told = transcriber("t1", stopping=GONE_BY_NOON)
    seen = told_before(told, transcriber("t1"), told.asked + later)
    assert seen.asked == told.asked + known
    assert told_before(told, seen, told.asked + 60).asked == seen.asked, "the next look changes nothing"


def test_a_pod_that_is_told_anew_to_be_quicker_was_told_then() -> None:
    seen = told_before(transcriber("t1", stopping=GONE_BY_NOON), transcriber("t1"), NOON - 119.5)
    anew = transcriber("t1", stopping=("2026-11-27T12:00:00Z", 10))
    assert told_before(anew, seen, NOON - 9.5).asked == NOON - 9.5


def test_no_redis_of_the_clusters_own_is_no_outage() -> None:
    view = whole(transcriber("t1"))
    assert why(view, session(view), HOSTILE) is None


# --- clocks


def test_the_proxys_deadlines_cut() -> None:
    view = whole(transcriber("t1"))
    live = session(view)
    longest = dataclasses.replace(FOREVER, longest=500)
    assert why(view, live, clocks=longest, now=BEGAN + 499) is None
    assert why(view, live, clocks=longest, now=BEGAN + 500) == "proxy-a: the proxy's deadline of a session of 500 s"
    silent = "proxy-a: the proxy's deadline of a session in which nothing happens of 299 s"
    assert why(view, live, clocks=dataclasses.replace(FOREVER, zombie=299), now=BEGAN + 299) == silent
    assert why(view, live, clocks=dataclasses.replace(FOREVER, zombie=300), now=NOON * 2) is None, "a ping is first"


@pytest.mark.parametrize(
    ("shorter", "said"),
    [
        ({"load_balancer": 240}, "load balancer idle timeout of 240 s"),
        ({"read": 60}, "proxy-read-timeout of 60 s"),
        ({"send": 299}, "proxy-send-timeout of 299 s"),
        ({"read": 200, "load_balancer": 240}, "proxy-read-timeout of 200 s"),
    ],
)
def test_a_clock_shorter_than_the_silence_cuts(shorter: dict[str, float], said: str) -> None:
    view = whole(transcriber("t1"))
    live = session(view)
    found = dataclasses.replace(FOREVER, **shorter)
    limit = min(shorter.values())
    assert next_deadline(live, view, found) == BEGAN + limit
    assert why(view, live, clocks=found, now=BEGAN + limit - 1) is None
    assert why(view, live, clocks=found, now=BEGAN + limit) == f"ingress: {said}"


def test_a_clock_as_long_as_the_silence_does_not_cut() -> None:
    view = whole(transcriber("t1"))
    assert why(view, session(view), clocks=dataclasses.replace(FOREVER, read=300), now=NOON * 2) is None


def test_a_worker_that_was_told_to_stop_drops_its_sessions_when_its_time_is_over() -> None:
    view = whole(transcriber("t1"))
    live = session(view)
    found = dataclasses.replace(FOREVER, shutdown=100)
    assert why(view, live, clocks=found) is None, "nobody told it"
    assert why(view, live, clocks=found, reloaded=NOON - 99) is None
    assert why(view, live, clocks=found, reloaded=NOON - 100) == "ingress: worker-shutdown-timeout of 100 s"
    # told at 11:58; its preStop hook sleeps for 30 s
    stopping = including(view, pod("ingress", objects.ingress_controller(SPACE), stopping=GONE_BY_NOON))
    assert next_deadline(live, stopping, found) == NOON - 120 + 30 + 100
    assert why(stopping, live, clocks=found, now=NOON + 10) == "ingress: worker-shutdown-timeout of 100 s"
    assert why(stopping, live, clocks=FOREVER, now=NOON + 10) is None, "nginx waits for ever: the grace cuts"


def test_a_pod_that_nobody_ever_saw_is_gone() -> None:
    view = whole(transcriber("t1"))
    live = session(view)
    stranger = dataclasses.replace(live, path=(*live.path, Hop(live.path[0].role, SPACE, "x", "uid-x")))
    assert why(view, stranger) == "x: pod gone: it was never seen"
