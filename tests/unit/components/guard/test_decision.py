"""Every answer of the guard, for what may be found in a cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.guard.decision import Fixed, delete_refusal, scale_refusal, takeover_refusal, takeovers
from components.guard.names import Kind
from components.guard.reading import NOTHING, Group, Reading, SessionPod

IDLE = Group("speechmatics", "rt-transcriber-en", 0, 0)
BUSY = Group("speechmatics", "rt-transcriber-cy", 2, 2)
SILENT = Group("speechmatics", "rt-transcriber-eu", None, None)
EVERYTHING_ELSE = [Kind.WORKLOAD, Kind.CLUSTER_OBJECT, Kind.AZURE, Kind.GATE]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("reading", [NOTHING, Reading((IDLE,))], ids=["nothing", "idle"])
def test_without_sessions_everything_may_go(kind: Kind, reading: Reading) -> None:
    assert delete_refusal(kind, "deleting it", "rt-transcriber-en", reading) is None


@pytest.mark.parametrize("kind", list(Kind))
def test_what_could_not_be_read_is_live(kind: Kind) -> None:
    refusal = delete_refusal(kind, "deleting it", "x", Reading(problem="the API server answered 503"))
    assert refusal is not None
    assert "the API server answered 503" in refusal
    assert "counts as live" in refusal


@pytest.mark.parametrize("kind", EVERYTHING_ELSE)
def test_any_session_keeps_everything_in_its_path(kind: Kind) -> None:
    refusal = delete_refusal(kind, "deleting Service resource-manager", "resource-manager", Reading((IDLE, BUSY)))
    assert refusal is not None
    assert refusal.startswith("deleting Service resource-manager is refused")
    assert "rt-transcriber-cy: 2 sessions, usage 2" in refusal
    assert "rt-transcriber-en" not in refusal
    assert "kubectl get sessiongroups -A" in refusal


def test_a_group_is_kept_by_its_own_sessions_alone() -> None:
    reading = Reading((IDLE, BUSY))
    assert delete_refusal(Kind.SESSION_GROUP, "deleting it", IDLE.name, reading) is None
    assert delete_refusal(Kind.SESSION_GROUP, "deleting it", BUSY.name, reading) is not None


@pytest.mark.parametrize("usage", [(1, 0), (0, 1), (None, 0), (0, None), (None, None)])
def test_either_count_and_an_unknown_one_are_live(usage: tuple[int | None, int | None]) -> None:
    group = Group("speechmatics", "g", *usage)
    assert group.live
    refusal = delete_refusal(Kind.GATE, "deleting all", "gate", Reading((group,)))
    assert refusal is not None
    assert ("unknown" in refusal) is (None in usage)


def test_a_missing_status_is_named_as_such() -> None:
    refusal = delete_refusal(Kind.GATE, "deleting all", "gate", Reading((SILENT,)))
    assert refusal is not None
    assert "rt-transcriber-eu: unknown, its status is missing" in refusal


def test_what_is_advised_for_a_missing_status_can_be_followed() -> None:
    """Usage 0 never shows for a group that no controller reconciles."""
    refusal = delete_refusal(Kind.GATE, "deleting all", "gate", Reading((IDLE, SILENT)))
    assert refusal is not None
    assert "Wait until" not in refusal
    assert "kubectl describe sessiongroup rt-transcriber-eu -n speechmatics" in refusal
    assert "kubectl get pods -n speechmatics -l control-plane=sessiongroups-controller" in refusal


def test_each_kind_of_live_group_gets_its_own_advice() -> None:
    both = delete_refusal(Kind.GATE, "deleting all", "gate", Reading((BUSY, SILENT)))
    busy = delete_refusal(Kind.GATE, "deleting all", "gate", Reading((BUSY, IDLE)))
    assert both is not None
    assert busy is not None
    assert "shows usage 0 everywhere" in both
    assert "kubectl describe sessiongroup rt-transcriber-eu" in both
    assert "shows usage 0 everywhere" in busy
    assert "kubectl describe" not in busy


def test_session_pods_without_any_group_stop_a_destroy_before_it_begins() -> None:
    pods = (SessionPod("speechmatics", "rt-transcriber-en-x", "trans01aaaaa"),)
    refusal = delete_refusal(Kind.GATE, "deleting all", "gate", Reading(pods=pods))
    assert refusal is not None
    assert "speechmatics/rt-transcriber-en-x" in refusal
    assert delete_refusal(Kind.GATE, "deleting all", "gate", Reading((IDLE,), pods)) is None


def test_a_pool_is_kept_by_session_pods_on_its_nodes_idle_ones_too() -> None:
    reading = Reading((IDLE,), (SessionPod("speechmatics", "rt-transcriber-en-x", "trans01aaaaa"),))
    refusal = delete_refusal(Kind.NODE_POOL, "deleting AgentPool trans01aaaaa", "trans01aaaaa", reading)
    assert refusal is not None
    assert "speechmatics/rt-transcriber-en-x" in refusal
    assert "another generation" in refusal


def test_a_pool_is_not_kept_by_pods_elsewhere_nor_by_sessions_elsewhere() -> None:
    reading = Reading((BUSY,), (SessionPod("speechmatics", "p", "trans02bbbbb"), SessionPod("speechmatics", "q", "")))
    assert delete_refusal(Kind.NODE_POOL, "deleting it", "trans01aaaaa", reading) is None


def test_a_pod_on_a_node_that_is_not_listed_counts_for_every_pool() -> None:
    reading = Reading((), (SessionPod("speechmatics", "p", "?"),))
    assert delete_refusal(Kind.NODE_POOL, "deleting it", "trans01aaaaa", reading) is not None


def test_a_long_list_is_cut_and_says_so() -> None:
    groups = tuple(Group("speechmatics", f"rt-transcriber-{n:02d}", 1, 1) for n in range(14))
    refusal = delete_refusal(Kind.GATE, "deleting all", "gate", Reading(groups))
    assert refusal is not None
    assert "rt-transcriber-09" in refusal
    assert "rt-transcriber-10" not in refusal
    assert "... and 4 more" in refusal


@pytest.mark.parametrize(
    ("before", "there", "after", "refused"),
    [
        (3, 3, 2, True),
        (3, 3, 0, True),
        (3, 3, 3, False),
        (2, 2, 3, False),
        (None, 1, 1, True),
        (1, 1, None, True),
        # somebody has made more of them, which the update would take back
        (1, 5, 1, True),
        (1, 5, 5, False),
        (5, 1, 5, False),
        (1, None, 1, True),
    ],
)
def test_fewer_pods_only_without_sessions(
    before: int | None, there: int | None, after: int | None, refused: bool
) -> None:
    busy, idle = replace(BUSY, replicas=there), replace(IDLE, replicas=there)
    refusal = scale_refusal("scaling", BUSY.name, before, after, Reading((busy,)))
    assert (refusal is not None) is refused
    assert scale_refusal("scaling", IDLE.name, before, after, Reading((idle, busy))) is None
    assert scale_refusal("scaling", IDLE.name, before, after, Reading(problem="x")) is not None


def test_the_number_of_pods_that_would_go_is_told() -> None:
    refusal = scale_refusal("scaling", BUSY.name, 1, 1, Reading((replace(BUSY, replicas=5),)))
    assert refusal is not None
    assert refusal.startswith("scaling from 5 to 1 pods is refused")


@pytest.mark.parametrize(
    ("wanted", "there", "refused"),
    [(7, 7, False), (8, 7, False), (6, 7, True), (0, 1, True), (None, 7, True), (7, None, True)],
)
def test_the_number_of_pods_is_taken_over_without_taking_one_away(
    wanted: int | None, there: int | None, refused: bool
) -> None:
    reading = Reading((Group("speechmatics", "rt-transcriber-en", 0, 0, replicas=there),))
    assert bool(takeovers("rt-transcriber-en", wanted, {}, reading)) is refused
    assert bool(takeovers(None, wanted, {}, reading)) is refused
    assert takeovers("rt-transcriber-de", wanted, {}, reading) == []


def test_the_first_refusal_tells_every_group_that_would_lose_pods() -> None:
    """However many there are: nobody should need an update for each."""
    names = [f"rt-transcriber-{number:02d}" for number in range(55)]
    groups = {name: Group("speechmatics", name, 0, 0, replicas=3, scaled=True) for name in names}
    fixed = {name: Fixed(f"a.{name}", 1) for name in names}
    groups["off"] = Group("speechmatics", "off", 0, 0, replicas=3, scaled=False)
    groups["more"] = Group("speechmatics", "more", 0, 0, replicas=3, scaled=True)
    groups["stays"] = Group("speechmatics", "stays", 0, 0, replicas=3, scaled=True)
    fixed |= {"off": Fixed("a.off", 1), "more": Fixed("a.more", 4)}
    lost = takeovers(names[7], 1, fixed, Reading(tuple(groups.values())))
    refusal = takeover_refusal("scaling it", lost)
    assert refusal.startswith("scaling it is refused")
    for name in names:
        assert refusal.count(f"\n  {name}: 3 pods, configured 1") == 1
        assert refusal.count(f"\n  pulumi config set --path 'a.{name}' 3") == 1
    assert len(lost) == len(names)
    assert takeovers(names[7], 3, fixed, Reading(tuple(groups.values()))) == []


def test_a_number_that_is_not_known_is_asked_for() -> None:
    silent = Group("speechmatics", "rt-transcriber-en", 0, 0)
    (lost,) = takeovers(silent.name, 1, {silent.name: Fixed("a.b", 1)}, Reading((silent,)))
    assert lost.command == "pulumi config set --path 'a.b' NUMBER"
