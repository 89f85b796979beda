"""The kind beyond the contract: what an open pod spec must not lose."""

from __future__ import annotations

import re

from components.speech.crd import DURATION, containers, definition
from tests.unit.graph import Graph


def test_containers_merge_by_name_and_no_variable_comes_twice() -> None:
    schema = containers()
    assert schema["x-kubernetes-list-map-keys"] == ["name"]
    item = schema["items"]
    assert item["x-kubernetes-preserve-unknown-fields"] is True
    assert item["properties"]["env"]["x-kubernetes-list-map-keys"] == ["name"]
    assert item["properties"]["ports"]["items"]["properties"]["protocol"]["default"] == "TCP"


def test_no_volume_comes_twice_and_no_path_is_mounted_twice() -> None:
    item = containers()["items"]["properties"]
    assert item["volumeMounts"]["x-kubernetes-list-map-keys"] == ["mountPath"]
    assert item["volumeMounts"]["items"]["required"] == ["mountPath", "name"]
    spec = definition()["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    pod = spec["properties"]["template"]["properties"]["spec"]["properties"]
    assert pod["volumes"]["x-kubernetes-list-map-keys"] == ["name"]
    assert pod["volumes"]["items"]["x-kubernetes-preserve-unknown-fields"] is True


def test_only_the_pod_spec_is_open() -> None:
    spec = definition()["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert "x-kubernetes-preserve-unknown-fields" not in spec
    template = spec["properties"]["template"]["properties"]
    assert "x-kubernetes-preserve-unknown-fields" not in template["metadata"]
    assert template["spec"]["x-kubernetes-preserve-unknown-fields"] is True


def test_durations() -> None:
    assert all(re.match(DURATION, good) for good in ("1m0s", "5m", "1.5h", "10ms"))
    assert not any(re.match(DURATION, bad) for bad in ("", "5", "m", "5 m", "-1m"))


def test_groups_are_made_after_the_kind(graph: Graph) -> None:
    crd = graph.one("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition").urn
    for each in graph.of("kubernetes:speechmatics.com/v1:SessionGroup"):
        assert crd in each.dependencies
