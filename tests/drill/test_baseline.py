"""What the naive way makes of a preview's steps."""

from __future__ import annotations

from typing import Any

from sandbox.drill.baseline import plan

Json = dict[str, Any]


def step(op: str, kind: str, name: str, **inputs: object) -> Json:
    package = "kubernetes:speechmatics.com/v1" if kind == "SessionGroup" else "kubernetes:core/v1"
    obj = {"kind": kind, "metadata": {"namespace": "s", "name": name}, **inputs}
    state = {"inputs": obj, "outputs": {"__fieldManager": "engine"}}
    urn = f"urn:pulumi:sandbox::p::sm-realtime:speech:X${package}:{kind}::logical-{name}"
    found: Json = {"op": op, "urn": urn}
    if op != "delete":
        found["newState"] = {"inputs": obj}
    if op != "create":
        found["oldState"] = state
    return found


def test_changed_objects_are_applied_and_old_ones_deleted() -> None:
    found = plan([
        step("update", "SessionGroup", "en"),
        step("create", "SessionGroup", "cy"),
        step("delete", "SessionGroup", "uk"),
        step("same", "ConfigMap", "kept"),
        step("update", "Secret", "key", data={"a": "[secret]"}),
        {"op": "update", "urn": "urn:pulumi:sandbox::p::azure-native:containerservice:AgentPool::pool", "newState": {}},
    ])  # fmt: skip
    assert [(each.op, each.name[2], each.manager) for each in found.applied] == [
        ("update", "en", "engine"),
        ("create", "cy", ""),
    ]
    assert [each.name for each in found.deleted] == [("SessionGroup", "s", "uk")]
    assert found.groups == [("s", "en"), ("s", "uk")], "a group that is new has no pods to end"
