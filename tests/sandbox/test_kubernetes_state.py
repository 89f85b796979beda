"""Types, names, shapes, and what is secret."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2

from sandbox import rpc
from sandbox.kubernetes import objects, secrets, state
from sandbox.kubernetes.objects import RefusedError

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("token", "api_version", "kind"),
    [
        ("kubernetes:core/v1:Pod", "v1", "Pod"),
        ("kubernetes:apps/v1:Deployment", "apps/v1", "Deployment"),
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", "rbac.authorization.k8s.io/v1", "Role"),
        ("kubernetes:some.group.example/v1alpha1:Thing", "some.group.example/v1alpha1", "Thing"),
    ],
)
def test_types_say_version_and_kind(token: str, api_version: str, kind: str) -> None:
    assert objects.parse_type(token) == objects.TypeToken(api_version, kind)


@pytest.mark.parametrize(
    "token",
    [
        "kubernetes:helm.sh/v3:Release",
        "kubernetes:helm.sh/v4:Chart",
        "kubernetes:yaml:ConfigFile",
        "kubernetes:yaml/v2:ConfigGroup",
        "kubernetes:kustomize/v2:Directory",
        "kubernetes:core/v1:ConfigMapList",
        "kubernetes:v1:Pod",
        "azure-native:core/v1:Pod",
    ],
)
def test_types_that_are_no_single_object_are_refused(token: str) -> None:
    with pytest.raises(RefusedError):
        objects.parse_type(token)


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [("ConfigMapPatch", {"kind": "ConfigMap"}), ("Pod", {"kind": "Job"}), ("Pod", {"apiVersion": "v2"})],
)
def test_inputs_that_contradict_their_type_are_refused(kind: str, inputs: Json) -> None:
    with pytest.raises(RefusedError):
        objects.complete_type(inputs, objects.TypeToken("v1", kind))


def test_annotations_of_the_provider_that_are_not_known_are_refused() -> None:
    objects.refuse_unknown_annotations({"metadata": {"annotations": {"pulumi.com/skipAwait": "true", "x": "y"}}})
    with pytest.raises(RefusedError, match="skipAwaits"):
        objects.refuse_unknown_annotations({"metadata": {"annotations": {"pulumi.com/skipAwaits": "true"}}})


def test_automatic_names_are_the_logical_name_and_eight_digits_fixed_by_the_seed() -> None:
    name = objects.unique_name("map", b"seed")
    assert name == objects.unique_name("map", b"seed") != objects.unique_name("map", b"other")
    head, _, tail = name.rpartition("-")
    assert head == "map"
    assert len(tail) == 8
    assert int(tail, 16) >= 0


def test_a_live_object_is_pruned_to_the_shape_of_the_inputs() -> None:
    live = {"a": {"b": 1, "theirs": 2}, "items": [{"x": 1, "theirs": 2}, {"x": 3}], "status": {}}
    shape = {"a": {"b": 0, "gone": "x", "empty": False}, "items": [{"x": 0}]}
    pruned = {"a": {"b": 1}, "items": [{"x": 1}, {"x": 3}]}
    assert state.prune(live, shape, built_in=False) == pruned
    assert state.prune(live, shape, built_in=True) == {**pruned, "a": {"b": 1, "empty": False}}


def test_fields_of_schemas_change_their_spelling_on_the_way() -> None:
    there: Json = {"schema": [{"x_kubernetes_int_or_string": True, "x_other": None}]}
    assert state.to_wire(there) == {"schema": [{"x-kubernetes-int-or-string": True}]}
    assert state.to_state(state.to_wire(there)) == {"schema": [{"x_kubernetes_int_or_string": True}]}


def test_imported_inputs_leave_out_what_only_the_server_writes() -> None:
    live: Json = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "uid": "u", "resourceVersion": "1", "managedFields": [], "labels": {"x": "y"}},
        "data": {"k": "v"},
        "status": {"s": 1},
    }
    assert state.imported_inputs(live) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {"x": "y"}},
        "data": {"k": "v"},
    }


def struct(value: Json) -> struct_pb2.Struct:
    return rpc.to_struct(value)


def test_what_the_program_marks_secret_is_secret_wherever_it_comes_back() -> None:
    inputs: Json = {"kind": "Pod", "spec": {"a": rpc.secret("hush"), "list": [1, {"b": rpc.secret("hush")}], "c": 1}}
    marks = secrets.marks(struct(inputs))
    clear: Json = {"kind": "Pod", "spec": {"a": "hush", "list": [1, {"b": "hush"}], "c": 1, "more": 2}}
    recorded = state.record(state.Recorded(clear, clear, "m", "v1"), marks)
    hidden = {"a": rpc.secret("hush"), "list": rpc.secret([1, {"b": "hush"}]), "c": 1, "more": 2}
    assert recorded["spec"] == hidden
    assert recorded["__inputs"]["spec"] == hidden


def test_the_data_of_a_secret_is_secret_unasked() -> None:
    applied = {secrets.LAST_APPLIED: '{"data": "hush"}', "x": "y"}
    clear: Json = {"kind": "Secret", "metadata": {"annotations": applied}, "data": {"k": "hush"}, "type": "Opaque"}
    recorded = state.record(state.Recorded({"kind": "Secret", "stringData": {"k": "hush"}}, clear, "m", "v1"), False)
    assert recorded["data"] == rpc.secret({"k": "hush"})
    assert recorded["__inputs"]["stringData"] == rpc.secret({"k": "hush"})
    assert recorded["metadata"]["annotations"] == {secrets.LAST_APPLIED: rpc.secret('{"data": "hush"}'), "x": "y"}
    assert recorded["type"] == "Opaque"


def test_the_recorded_state_reads_back() -> None:
    live: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "aA=="}}
    recorded = state.Recorded({"apiVersion": "v1", "kind": "Secret"}, live, "manager", "v1")
    assert state.recorded_from(rpc.from_struct(struct(state.record(recorded, False)))) == recorded
