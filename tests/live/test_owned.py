"""Pruning an object to what the provider applied."""

from __future__ import annotations

from tests.live.owned import Json, owned


def test_what_the_server_or_others_filled_in_is_left_out() -> None:
    container = {"name": "a", "image": "i", "imagePullPolicy": "Always", "env": [{"name": "X", "value": "1"}]}
    variable: Json = {".": {}, "f:name": {}, "f:value": {}}
    of_container = {".": {}, "f:name": {}, "f:image": {}, "f:env": {'k:{"name":"X"}': variable}}
    ours = {
        "f:metadata": {"f:labels": {"f:app": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:empty": {".": {}},
            "f:containers": {'k:{"name":"a"}': of_container},
            "f:finalizers": {'v:"mine"': {}},
            "f:atomic": {},
        },
    }
    obj = {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {
            "name": "n",
            "namespace": "ns",
            "uid": "u",
            "labels": {"app": "a", "other": "o"},
            "managedFields": [
                {"manager": "pulumi-kubernetes-1a", "operation": "Apply", "fieldsV1": ours},
                {"manager": "someone", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}},
            ],
        },
        "spec": {
            "replicas": 1,
            "paused": True,
            "empty": {"filled": "in"},
            "containers": [container, {"name": "injected", "image": "j"}],
            "finalizers": ["mine", "theirs"],
            "atomic": [{"as": "it is"}],
        },
    }
    assert owned(obj) == {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {"name": "n", "namespace": "ns", "labels": {"app": "a"}},
        "spec": {
            "replicas": 1,
            "empty": {},
            "containers": [{"name": "a", "image": "i", "env": [{"name": "X", "value": "1"}]}],
            "finalizers": ["mine"],
            "atomic": [{"as": "it is"}],
        },
    }
