"""The provider resource's settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.kubernetes import config
from sandbox.rpc import UNKNOWN

Json = dict[str, Any]


def kubeconfig(server: str = "https://one", user: str = "u", namespace: str = "", style: str = "yaml") -> str:
    context = {"cluster": "c", "user": "u"} | ({"namespace": namespace} if namespace else {})
    loaded = {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": server}}, {"name": "d", "cluster": {"server": "https://d"}}],
        "users": [{"name": "u", "user": {"token": user}}],
        "contexts": [{"name": "x", "context": context}, {"name": "y", "context": {"cluster": "d", "user": "u"}}],
    }
    return json.dumps(loaded) if style == "json" else str(yaml.safe_dump(loaded))


def refused(**inputs: Any) -> list[str]:
    return [name for name, _ in config.check({"kubeconfig": kubeconfig(), **inputs})]


@pytest.mark.parametrize(
    "inputs",
    [
        {"enableServerSideApply": "true", "upsertExistingObjects": "false", "deleteUnreachable": "false"},
        {"enableConfigMapMutable": True, "enableSecretMutable": "true", "clusterIdentifier": "a"},
        {"context": "y", "cluster": "c", "namespace": "n", "suppressDeprecationWarnings": "true"},
        {"kubeconfig": UNKNOWN},
        {"version": "4.34.2"},
    ],
)
def test_what_is_known_is_accepted(inputs: Json) -> None:
    assert refused(**inputs) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enableServerSideApply", "false"),
        ("upsertExistingObjects", "true"),
        ("enablePatchForce", True),
        ("deleteUnreachable", "true"),
        ("skipUpdateUnreachable", "true"),
        ("renderYamlToDirectory", "out"),
        ("enableConfigMapMutable", "yes"),
        ("helmReleaseSettings", "{}"),
        ("enableConfigmapMutable", "true"),
        ("kubeconfig", ""),
        ("kubeconfig", "/nowhere/at/all"),
        ("kubeconfig", "a: [b"),
        ("context", 7),
    ],
)
def test_what_is_not_known_or_not_played_is_refused(name: str, value: Any) -> None:
    assert refused(**{name: value}) == [name]


def test_a_kubeconfig_may_be_its_text_or_its_path(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(kubeconfig(namespace="n"))
    for given in (str(file), kubeconfig(namespace="n"), kubeconfig(namespace="n", style="json")):
        assert config.parse({"kubeconfig": given}).namespace == "n"


def test_the_namespace_is_the_providers_then_the_contexts_then_default() -> None:
    assert config.parse({"kubeconfig": kubeconfig(namespace="c"), "namespace": "p"}).namespace == "p"
    assert config.parse({"kubeconfig": kubeconfig(namespace="c")}).namespace == "c"
    assert config.parse({"kubeconfig": kubeconfig()}).namespace == "default"


def test_context_and_cluster_override_what_the_kubeconfig_chooses() -> None:
    chosen = config.parse({"kubeconfig": kubeconfig(), "context": "y", "cluster": "c"}).kubeconfig
    assert chosen["current-context"] == "y"
    assert [c["context"]["cluster"] for c in chosen["contexts"]] == ["c", "c"]


OLD: Json = {"kubeconfig": kubeconfig()}


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({}, {"kubeconfig": kubeconfig(user="another")}, []),
        ({}, {"kubeconfig": kubeconfig("https://two")}, ["kubeconfig"]),
        ({}, {"context": "y"}, ["context"]),
        ({}, {"cluster": "d"}, ["cluster"]),
        ({}, {"kubeconfig": kubeconfig(style="json")}, []),
        ({}, {"kubeconfig": UNKNOWN}, ["kubeconfig"]),
        ({}, {"clusterIdentifier": "a"}, []),
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": None}, []),
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": "b"}, ["clusterIdentifier"]),
        ({"clusterIdentifier": "a"}, {"kubeconfig": kubeconfig("https://two")}, []),
        ({"clusterIdentifier": "a"}, {"kubeconfig": UNKNOWN}, []),
    ],
)
def test_what_replaces_a_provider(old: Json, new: Json, replaces: list[str]) -> None:
    found = config.diff({**OLD, **old}, {**OLD, **old, **new})
    assert found.replaces == replaces
    assert found.changed


def test_nothing_changed_is_no_difference() -> None:
    assert config.diff(OLD, {**OLD, "version": "5"}) == config.ConfigDiff([], [])
