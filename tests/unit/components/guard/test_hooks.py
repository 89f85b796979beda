"""The hooks themselves: what they are told, when they read, how they refuse."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.guard.decision import Fixed
from components.guard.hooks import Guard, real_name
from components.guard.names import Kind, Step, hook_name
from components.guard.reading import NOTHING, Group, Reading, SessionPod
from components.guard.refusals import RefusedError
from tests.unit.graph import Graph

GROUP_TYPE = "kubernetes:speechmatics.com/v1:SessionGroup"
BUSY = Reading((Group("speechmatics", "rt-transcriber-en", 1, 1, replicas=1),))


class Cluster:
    """What a hook reads."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.reads = reading, 0

    async def __call__(self) -> Reading:
        self.reads += 1
        return self.reading


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks that register nowhere."""
    monkeypatch.setattr("pulumi.resource_hooks.register_resource_hook", lambda _: SimpleNamespace())


def arguments(resource_type: str, **inputs: Any) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs(urn="urn", id="id", name="logical", type=resource_type, **inputs)


def spec(count: int, scaled: bool = False) -> dict[str, Any]:
    return {"metadata": {"name": "rt-transcriber-en"}, "spec": {"replicas": count, "scaling": {"enabled": scaled}}}


async def run(hook: Any, args: pulumi.ResourceHookArgs) -> None:
    await hook.callback(args)


@pytest.mark.usefixtures("hooks")
async def test_a_delete_is_refused_with_the_name_the_user_knows() -> None:
    cluster = Cluster(BUSY)
    (hook,) = Guard(cluster).binding(Kind.SESSION_GROUP).before_delete or []
    with pytest.raises(RefusedError, match="deleting SessionGroup rt-transcriber-en is refused"):
        await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1)))
    assert cluster.reads == 1


@pytest.mark.usefixtures("hooks")
async def test_every_step_reads_anew() -> None:
    cluster = Cluster(BUSY)
    (hook,) = Guard(cluster).binding(Kind.WORKLOAD).before_delete or []
    with pytest.raises(RefusedError):
        await run(hook, arguments("kubernetes:core/v1:ConfigMap"))
    cluster.reading = NOTHING
    await run(hook, arguments("kubernetes:core/v1:ConfigMap"))
    assert cluster.reads == 2


@pytest.mark.usefixtures("hooks")
async def test_an_update_looks_at_the_pods_that_are_there_unless_their_number_is_the_controllers() -> None:
    cluster = Cluster(Reading((Group("speechmatics", "rt-transcriber-en", 1, 1, replicas=1),)))
    (hook,) = Guard(cluster).binding(Kind.SESSION_GROUP).before_update or []
    await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1, scaled=True), new_inputs=spec(1, scaled=True)))
    assert cluster.reads == 0
    await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1), new_inputs=spec(1)))
    await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1), new_inputs=spec(2)))
    assert cluster.reads == 2
    with pytest.raises(RefusedError, match="from 2 to 1 pods"):
        await run(hook, arguments(GROUP_TYPE, old_inputs=spec(2), new_inputs=spec(1)))


@pytest.mark.usefixtures("hooks")
@pytest.mark.parametrize("side", ["old_inputs", "new_inputs"])
async def test_numbers_that_cannot_be_read_may_be_fewer(side: str) -> None:
    two = Reading((Group("speechmatics", "rt-transcriber-en", 1, 1, replicas=2),))
    (hook,) = Guard(Cluster(two)).binding(Kind.SESSION_GROUP).before_update or []
    inputs = {"old_inputs": spec(1), "new_inputs": spec(1)}
    inputs[side] = {**spec(1), "spec": {"replicas": object(), "scaling": {"enabled": False}}}
    with pytest.raises(RefusedError, match="an unknown number of"):
        await run(hook, arguments(GROUP_TYPE, **inputs))
    inputs[side] = {**spec(1), "spec": object()}
    with pytest.raises(RefusedError, match="is refused"):
        await run(hook, arguments(GROUP_TYPE, **inputs))


@pytest.mark.usefixtures("hooks")
async def test_scaling_is_switched_off_only_with_the_number_of_pods_that_are_there() -> None:
    """What the program had before says nothing: while scaling was on the number was the controller's."""
    cluster = Cluster(Reading((Group("speechmatics", "rt-transcriber-en", 0, 0, replicas=7),)))
    guard = Guard(cluster, {"rt-transcriber-en": Fixed("transcribers.sessionGroups.replicas", 1)})
    (hook,) = guard.binding(Kind.SESSION_GROUP).before_update or []
    with pytest.raises(RefusedError) as refused:
        await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1, scaled=True), new_inputs=spec(1)))
    assert "7 pods, configured 1" in str(refused.value)
    assert "pulumi config set --path 'transcribers.sessionGroups.replicas' 7" in str(refused.value)
    await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1, scaled=True), new_inputs=spec(7)))
    await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1), new_inputs=spec(1, scaled=True)))
    await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1, scaled=True), new_inputs=spec(1, scaled=True)))
    assert cluster.reads == 2
    cluster.reading = Reading(problem="the API server answered 503")
    with pytest.raises(RefusedError, match="the API server answered 503"):
        await run(hook, arguments(GROUP_TYPE, old_inputs=spec(1, scaled=True), new_inputs=spec(7)))


@pytest.mark.usefixtures("hooks")
async def test_what_the_first_refusal_has_told_is_not_told_again() -> None:
    """Updates of several groups are under way at once, and each of them asks its hook."""
    names = ("rt-transcriber-en", "rt-transcriber-cy")
    groups = tuple(Group("speechmatics", name, 0, 0, replicas=7, scaled=True) for name in names)
    guard = Guard(Cluster(Reading(groups)), {name: Fixed(f"a.{name}", 1) for name in names})
    (hook,) = guard.binding(Kind.SESSION_GROUP).before_update or []
    said = []
    for name in names:
        before, after = ({**spec(1, scaled), "metadata": {"name": name}} for scaled in (True, False))
        with pytest.raises(RefusedError) as refused:
            await run(hook, arguments(GROUP_TYPE, old_inputs=before, new_inputs=after))
        said.append(str(refused.value))
    first, second = said
    for name in names:
        assert f"pulumi config set --path 'a.{name}' 7" in first
    assert (
        second == "scaling SessionGroup rt-transcriber-cy is refused as well; its command stands in the refusal before."
    )


@pytest.mark.usefixtures("hooks")
async def test_a_group_or_pool_whose_name_cannot_be_read_may_be_any() -> None:
    pods = (SessionPod("speechmatics", "rt-transcriber-en-x", "trans01aaaaa"),)
    for kind, resource_type, reading in (
        (Kind.SESSION_GROUP, GROUP_TYPE, BUSY),
        (Kind.NODE_POOL, "azure-native:containerservice:AgentPool", Reading(pods=pods)),
    ):
        (hook,) = Guard(Cluster(reading)).binding(kind).before_delete or []
        with pytest.raises(RefusedError, match="logical is refused"):
            await run(hook, arguments(resource_type, old_inputs={"metadata": object(), "agentPoolName": object()}))


@pytest.mark.usefixtures("hooks")
def test_only_session_groups_have_an_update_hook() -> None:
    guard = Guard(Cluster(NOTHING))
    assert [kind for kind in Kind if guard.binding(kind).before_update] == [Kind.SESSION_GROUP]
    for kind in Kind:
        (hook,) = guard.binding(kind).before_delete or []
        assert hook.name == hook_name(kind, Step.DELETE)


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        ({"old_inputs": {"agentPoolName": "infer01aaaaa"}}, "infer01aaaaa"),
        ({"old_inputs": {"metadata": {"name": "x"}}}, "x"),
        ({"new_inputs": {"metadata": {"name": "x"}}}, "x"),
        ({"old_inputs": {"metadata": {}}}, None),
        ({"old_inputs": {"metadata": object()}}, None),
        ({}, None),
    ],
)
def test_real_name(inputs: dict[str, Any], name: str | None) -> None:
    assert real_name(arguments("t", **inputs)) == name


def test_the_transform_reaches_every_child_of_every_component(graph: Graph) -> None:
    real = [e for e in graph.resources if e.custom and not e.type.startswith("pulumi:providers:")]
    assert len(real) > 40
    assert [each.urn for each in real if not each.before_delete] == []
