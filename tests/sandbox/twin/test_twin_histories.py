"""Made-up histories in which the twin must never cut a session, and after which the group must come to rest."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.twin.model import Group, Pod, Scaling
from sandbox.twin.plan import Create, Delete, MarkIdle, Plan, Refuse, SetReplicas, plan
from tests.sandbox.twin.test_twin_plan import NOW, TWO, created, replicas

EVENTS = st.one_of(
    st.tuples(st.sampled_from(["ready", "gone", "busy", "free", "fail", "silent", "kill"]), st.integers(0, 9)),
    st.tuples(st.sampled_from(["replicas", "wait"]), st.integers(0, 6)),
    st.tuples(st.just("template"), st.just(0)),
)
BURSTS = st.lists(st.lists(EVENTS, min_size=1, max_size=4), max_size=15)
"""What happens between one look of the twin and the next."""
GROUPS = st.builds(
    Group,
    namespace=st.just("n"),
    name=st.just("g"),
    uid=st.just("u"),
    replicas=st.integers(0, 6),
    scaling=st.builds(
        Scaling,
        enabled=st.booleans(),
        minimum=st.integers(0, 3),
        maximum=st.integers(3, 8),
        down_delay=st.integers(0, 50).map(float),
        capacity_left=st.integers(-1, 5),
        pods_left=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.5]),
        max_down_at_once=st.integers(1, 4),
    ),
    features=st.just(TWO),
    allowed_surge=st.integers(1, 3),
    max_create_at_once=st.integers(1, 4),
    recreate=st.booleans(),
)


class World:
    """A group and its pods as they would be in a cluster: the plan's actions done, and everything else happening."""

    def __init__(self, start: Group) -> None:
        self.group, self.version, self.now = start, 1, NOW
        self.pods: dict[str, Pod] = {}
        self.names = 0

    def happen(self, what: str, number: int) -> None:
        if what == "replicas":
            self.group = replace(self.group, replicas=number)
        elif what == "template":
            self.version += 1
        elif what == "wait":
            self.now += 20 * number
        elif self.pods:
            name = sorted(self.pods)[number % len(self.pods)]
            self.to_pod(what, self.pods[name])

    def to_pod(self, what: str, pod: Pod) -> None:
        live = pod.counts
        if what == "ready" and live:
            self.pods[pod.name] = replace(pod, ready=True)
        elif what == "busy" and live and pod.ready and pod.sessions < 2:
            self.pods[pod.name] = replace(pod, sessions=pod.sessions + 1)
        elif what == "free":
            self.pods[pod.name] = replace(pod, sessions=max(0, pod.sessions - 1))
        elif what == "fail" and live:
            self.pods[pod.name] = replace(pod, finished=True, ready=False, sessions=0)
        elif what == "silent" and live:
            self.pods[pod.name] = replace(pod, lost=True, ready=False)
        elif what == "kill":
            self.pods[pod.name] = replace(pod, terminating=True, ready=False)
        elif what == "gone" and pod.terminating:
            del self.pods[pod.name]

    def act(self) -> Plan:
        before = list(self.pods.values())
        decided = plan(self.group, self.version, before, self.now)
        self.check(before, decided)
        for action in decided.actions:
            match action:
                case SetReplicas():
                    self.group = replace(self.group, replicas=action.replicas)
                case Create():
                    self.names += 1
                    name = f"p{self.names:04}"
                    self.pods[name] = Pod(name, name, self.version, features=TWO, created=self.now)
                case Delete():
                    self.pods[action.pod.name] = replace(self.pods[action.pod.name], terminating=True, ready=False)
                case MarkIdle():
                    pod = self.pods[action.pod.name]
                    self.pods[pod.name] = replace(pod, idle_since=action.since)
                case Refuse():
                    raise AssertionError(action)
        return decided

    def check(self, before: list[Pod], decided: Plan) -> None:
        going = [action.pod for action in decided.actions if isinstance(action, Delete)]
        target = replicas(decided)
        goal = self.group.replicas if target is None else target
        assert all(pod.idle for pod in going), "a busy pod was to be deleted"
        assert all(not pod.terminating for pod in going), "a pod was to be deleted twice"
        assert len({pod.uid for pod in going}) == len(going)
        live = [pod for pod in before if pod.counts]
        left = [pod for pod in live if pod not in going]
        old = any(pod.version != self.version for pod in left)
        surge = self.group.allowed_surge if old and not self.group.recreate else 0
        made = created(decided)
        assert made == 0 or len(left) + made <= goal + surge, "more than replicas + surge"
        starting = sum(not pod.ready for pod in left) + made
        assert made == 0 or starting <= self.group.max_create_at_once
        self.check_service(live, left, going, goal)
        if target is not None:
            assert self.group.scaling.enabled, "replicas are the user's while scaling is off"
            bounds = self.group.scaling
            assert bounds.minimum <= target <= max(bounds.maximum, self.group.replicas - 1)

    def check_service(self, live: list[Pod], left: list[Pod], going: list[Pod], goal: int) -> None:
        if not self.group.recreate:
            served = min(goal, sum(pod.ready for pod in live))
            assert sum(pod.ready for pod in left) >= served, "fewer Ready pods than replicas by our own doing"
        if self.group.scaling.enabled:
            for pod in going:
                rolled = pod.version != self.version
                idle_for = self.now - (pod.idle_since if pod.idle_since is not None else self.now)
                assert rolled or not pod.counts or idle_for >= self.group.scaling.down_delay

    def settle(self) -> None:
        """All sessions end, every pod starts and stops as it should: the group must come to rest."""
        for name in list(self.pods):
            self.pods[name] = replace(self.pods[name], sessions=0)
        for _ in range(100):
            for name in list(self.pods):
                self.to_pod("gone", self.pods[name])
            for name in list(self.pods):
                self.to_pod("ready", self.pods[name])
            decided = self.act()
            if decided.again_in is not None:
                self.now += decided.again_in + 1e-3
            elif decided.actions == () and not any(pod.terminating for pod in self.pods.values()):
                return
        raise AssertionError("the group does not come to rest")


@settings(max_examples=300, deadline=None)
@given(GROUPS, st.booleans(), BURSTS)
def test_whatever_happens_no_session_is_cut_and_the_group_comes_to_rest(
    start: Group, at_rest: bool, bursts: list[list[tuple[str, int]]]
) -> None:
    world = World(start)
    if at_rest:
        world.settle()
    for burst in bursts:
        for what, number in burst:
            world.happen(what, number)
        world.act()
    world.settle()
    assert all(pod.ready and pod.version == world.version for pod in world.pods.values())
    assert len(world.pods) == world.group.replicas
    scaling = world.group.scaling
    if scaling.enabled and (scaling.capacity_left >= 0 or scaling.pods_left >= 0):
        buffer = max(math.ceil(scaling.capacity_left / TWO.capacity), math.ceil(scaling.pods_left))
        assert world.group.replicas == min(max(buffer, scaling.minimum), scaling.maximum)
    elif scaling.enabled:
        assert scaling.minimum <= world.group.replicas <= scaling.maximum
