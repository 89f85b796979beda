"""What the twin decides: each rule by example, then over made-up histories in which it must never cut a session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sandbox.twin.model import Features, Group, Pod, Scaling
from sandbox.twin.plan import Create, Delete, MarkIdle, Plan, Refuse, SetReplicas, plan

NOW = 1_000_000.0
TWO = Features(capacity=2, session_cost=1)
GPU = Features(capacity=480, session_cost=24)
FIXED = Scaling(enabled=False)


def group(replicas: int, scaling: Scaling = FIXED, **more: Any) -> Group:
    return Group(
        namespace="n", name="g", uid="u", replicas=replicas, scaling=scaling, **{"features": TWO, **more}
    )  # fmt: skip


def pods(*sessions: int, version: int = 1, **more: Any) -> list[Pod]:
    """Ready pods holding that many sessions each."""
    made = {"ready": True, "features": TWO, "created": NOW - 1000, **more}
    return [
        Pod(name=f"v{version}-{i}", uid=f"v{version}-{i}", version=version, sessions=n, **made)
        for i, n in enumerate(sessions)
    ]


def deleted(decided: Plan) -> list[str]:
    return [action.pod.name for action in decided.actions if isinstance(action, Delete)]


def created(decided: Plan) -> int:
    return sum(isinstance(action, Create) for action in decided.actions)


def replicas(decided: Plan) -> int | None:
    return next((action.replicas for action in decided.actions if isinstance(action, SetReplicas)), None)


def refusals(decided: Plan) -> list[str]:
    return [action.reason for action in decided.actions if isinstance(action, Refuse)]


def test_missing_pods_are_created_as_many_at_once_as_allowed() -> None:
    assert created(plan(group(5, max_create_at_once=3), 1, [], NOW)) == 3
    starting = pods(0, 0, ready=False)
    assert created(plan(group(5, max_create_at_once=3), 1, starting, NOW)) == 1
    assert plan(group(2), 1, pods(0, 1), NOW) == Plan()


def test_pods_on_their_way_out_are_no_replicas() -> None:
    leaving = pods(1, terminating=True)
    decided = plan(group(1), 1, leaving, NOW)
    assert (created(decided), deleted(decided)) == (1, [])


def test_fewer_replicas_take_idle_pods_only() -> None:
    assert deleted(plan(group(1), 1, pods(1, 0, 2), NOW)) == ["v1-1"]
    assert deleted(plan(group(0), 1, pods(1, 2), NOW)) == []


def test_fewer_replicas_take_unready_then_outdated_then_young_pods() -> None:
    old = pods(0, 0, created=NOW - 500)
    young = replace(old[0], name="young", uid="young", created=NOW - 5)
    unready = replace(old[0], name="unready", uid="unready", ready=False, created=NOW - 900)
    assert deleted(plan(group(2), 1, [*old, young, unready], NOW)) == ["unready", "young"]


def test_no_more_pods_are_on_their_way_out_at_once_than_allowed() -> None:
    few = Scaling(enabled=False, max_down_at_once=2)
    assert len(deleted(plan(group(0, few), 1, pods(0, 0, 0, 0), NOW))) == 2
    leaving = pods(0, version=9, terminating=True)
    assert len(deleted(plan(group(0, few), 1, [*pods(0, 0, 0, 0), *leaving], NOW))) == 1


def test_a_roll_starts_with_a_new_pod() -> None:
    decided = plan(group(2), 2, pods(0, 0), NOW)
    assert (created(decided), deleted(decided)) == (1, [])


def test_an_old_idle_pod_goes_when_the_new_one_is_ready() -> None:
    starting = plan(group(2), 2, [*pods(0, 0), *pods(0, version=2, ready=False)], NOW)
    assert starting == Plan()
    ready = plan(group(2), 2, [*pods(1, 0), *pods(0, version=2)], NOW)
    assert deleted(ready) == ["v1-1"]
    assert created(ready) == 1


def test_a_busy_group_gets_its_surge_and_waits() -> None:
    busy = [*pods(1, 2), *pods(0, version=2)]
    assert created(plan(group(2), 2, pods(1, 2), NOW)) == 1
    assert plan(group(2), 2, busy, NOW) == Plan()


def test_the_surge_is_as_large_as_allowed() -> None:
    decided = plan(group(4, allowed_surge=3, max_create_at_once=9), 2, pods(1, 1, 1, 1), NOW)
    assert created(decided) == 3


def test_old_pods_that_never_became_ready_do_not_hold_up_a_roll() -> None:
    stuck = pods(0, 0, 0, ready=False)
    decided = plan(group(3), 2, stuck, NOW)
    assert len(deleted(decided)) == 3
    assert created(decided) == 3


def test_recreate_takes_idle_pods_first_and_never_surges() -> None:
    decided = plan(group(3, recreate=True), 2, pods(0, 1, 0), NOW)
    assert deleted(decided) == ["v1-0", "v1-2"]
    assert created(decided) == 2
    assert plan(group(2, recreate=True), 2, pods(1, 1), NOW) == Plan()


def test_pods_that_have_ended_or_whose_node_is_silent_are_replaced() -> None:
    failed = pods(0, finished=True, ready=False)
    assert (deleted(plan(group(1), 1, failed, NOW)), created(plan(group(1), 1, failed, NOW))) == (["v1-0"], 1)
    silent = pods(2, lost=True, ready=False)
    assert (deleted(plan(group(1), 1, silent, NOW)), created(plan(group(1), 1, silent, NOW))) == ([], 1)


def test_a_group_that_is_being_deleted_is_left_to_the_garbage_collector() -> None:
    assert plan(group(3, deleting=True), 2, pods(0), NOW) == Plan()


def test_defragmentation_is_refused_and_the_group_left_alone() -> None:
    decided = plan(group(3, defrag=True), 2, pods(0), NOW)
    assert refusals(decided) == ["DefragNotPlayed"]
    assert len(decided.actions) == 1


# ---- scaling


def buffered(**fields: Any) -> Scaling:
    return Scaling(**{"minimum": 1, "maximum": 10, "down_delay": 60.0, **fields})


@pytest.mark.parametrize(
    ("sessions", "left", "expected"),
    [
        # chart README: 3 replicas of 2 connections with scaleOnCapacityLeft 5 scale at more than one session
        ((1, 0, 0), 5, None),
        ((2, 0, 0), 5, 4),
        ((2, 2, 2), 1, 4),
        ((2, 2, 1), 1, None),
        ((2, 2, 2), 0, None),
    ],
)
def test_the_buffer_by_capacity_left(sessions: tuple[int, ...], left: int, expected: int | None) -> None:
    decided = plan(group(3, buffered(capacity_left=left)), 1, pods(*sessions), NOW)
    assert replicas(decided) == expected
    assert created(decided) == (expected - 3 if expected else 0)


@pytest.mark.parametrize(("sessions", "left", "expected"), [((2, 1), 0.5, None), ((2, 2), 0.5, 3), ((0, 0), 2.5, 3)])
def test_the_buffer_by_pods_left(sessions: tuple[int, ...], left: float, expected: int | None) -> None:
    assert replicas(plan(group(2, buffered(pods_left=left)), 1, pods(*sessions), NOW)) == expected


def test_the_larger_of_two_buffers_counts() -> None:
    assert replicas(plan(group(1, buffered(capacity_left=1, pods_left=3)), 1, pods(0), NOW)) == 3


def test_an_inference_server_is_measured_in_model_cost() -> None:
    scaling = buffered(capacity_left=10)
    full = pods(20, features=GPU)
    assert replicas(plan(group(1, scaling, features=GPU), 1, full, NOW)) == 2
    assert replicas(plan(group(1, scaling, features=GPU), 1, pods(19, features=GPU), NOW)) is None


def test_the_buffer_stays_between_minimum_and_maximum() -> None:
    assert replicas(plan(group(1, buffered(minimum=3, capacity_left=1)), 1, pods(0), NOW)) == 3
    assert replicas(plan(group(4, buffered(maximum=5, capacity_left=9)), 1, pods(2, 2, 2, 2), NOW)) == 5


def test_without_a_buffer_only_the_bounds_hold() -> None:
    assert replicas(plan(group(2, buffered()), 1, pods(2, 2), NOW)) is None
    assert replicas(plan(group(2, buffered(minimum=3)), 1, pods(0, 0), NOW)) == 3


def test_replicas_are_the_users_while_scaling_is_off() -> None:
    off = Scaling(enabled=False, minimum=4, maximum=8, capacity_left=50)
    assert plan(group(2, off), 1, pods(2, 2), NOW) == Plan()


def test_scale_down_waits_until_pods_have_been_idle_long_enough() -> None:
    scaling = buffered(capacity_left=0)
    idle = pods(0, 0, idle_since=NOW - 59)
    waiting = plan(group(2, scaling), 1, idle, NOW)
    assert waiting.actions == ()
    assert waiting.again_in == pytest.approx(1)
    ripe = plan(group(2, scaling), 1, pods(0, 0, idle_since=NOW - 61), NOW)
    assert replicas(ripe) == 1
    assert len(deleted(ripe)) == 1


def test_scale_down_takes_the_longest_idle_pod_and_never_a_busy_one() -> None:
    one, two, three = pods(0, 0, 0, idle_since=NOW - 100)
    mixed = [one, replace(two, idle_since=NOW - 200), replace(three, sessions=1, idle_since=None)]
    decided = plan(group(3, buffered(capacity_left=1)), 1, mixed, NOW)
    assert replicas(decided) == 1
    assert deleted(decided) == ["v1-1", "v1-0"]


def test_a_pod_that_has_just_become_busy_is_not_taken_for_idle() -> None:
    idle, busy = pods(0, 1, idle_since=NOW - 100)
    decided = plan(group(1, buffered(capacity_left=0)), 1, [idle, busy], NOW)
    assert deleted(decided) == ["v1-0"]
    assert deleted(plan(group(1, buffered(capacity_left=0)), 1, [busy, replace(busy, uid="b")], NOW)) == []


def test_replicas_go_no_lower_while_pods_of_the_last_step_remain() -> None:
    busy = replace(pods(1)[0], name="busy", uid="busy")
    idle = pods(0, 0, idle_since=NOW - 100)
    scaling = buffered(capacity_left=0, minimum=0)
    assert replicas(plan(group(3, scaling), 1, [busy, *idle], NOW)) == 1
    assert replicas(plan(group(2, scaling), 1, [busy, *idle], NOW)) is None


def test_the_delay_is_divided_by_the_time_factor() -> None:
    idle = pods(0, 0, idle_since=NOW - 2)
    scaling = buffered(capacity_left=0)
    assert replicas(plan(group(2, scaling), 1, idle, NOW, time_factor=60)) == 1
    assert replicas(plan(group(2, scaling), 1, idle, NOW, time_factor=20)) is None


def test_scale_down_goes_in_steps() -> None:
    scaling = buffered(capacity_left=0, max_down_at_once=2)
    idle = pods(0, 0, 0, 0, 0, idle_since=NOW - 100)
    assert replicas(plan(group(5, scaling), 1, idle, NOW)) == 3
    leaving = [replace(pod, terminating=True) for pod in idle[:2]]
    assert replicas(plan(group(3, scaling), 1, [*leaving, *idle[2:]], NOW)) is None


def test_since_when_a_pod_is_idle_is_written_down() -> None:
    fresh, busy = pods(0, 1)
    was_idle = replace(busy, name="was", uid="was", idle_since=NOW - 5)
    decided = plan(group(3, buffered(maximum=3)), 1, [fresh, busy, was_idle], NOW)
    assert decided.actions == (MarkIdle(fresh, NOW), MarkIdle(was_idle, None))


@pytest.mark.parametrize(
    ("scaling", "features", "reason"),
    [
        (buffered(capacity_left=1), None, "CapacityUnknown"),
        (buffered(capacity_left=1), Features(0, 1), "CapacityUnknown"),
        (buffered(minimum=5, maximum=4, capacity_left=1), TWO, "ScalingContradictory"),
    ],
)
def test_scaling_that_cannot_be_computed_is_refused_and_replicas_kept(
    scaling: Scaling, features: Features | None, reason: str
) -> None:
    decided = plan(group(2, scaling, features=features), 1, pods(0, idle_since=NOW), NOW)
    assert refusals(decided) == [reason]
    assert replicas(decided) is None
    assert created(decided) == 1
