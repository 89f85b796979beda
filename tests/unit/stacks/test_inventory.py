"""The lists of names and of variables against the recorded objects: what is made and in no list fails here."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from stacks.load import read
from stacks.names import names
from stacks.rules.lists import identity, lists
from stacks.rules.names import LIMITS
from stacks.rules.volumes import pods
from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.paths import places
from stacks.variables import LISTS, SET
from tests.unit.contract.compare import VARIANTS, lay_over
from tests.unit.graph import Change, Graph, Json, run_program, stack_config
from tests.unit.variants import all_recipes, of_contract


def without_the_edge(config: Json) -> None:
    """Parts switched off that no other variant switches off."""
    off = ("ingress", "proxy", "transcribers")
    config.update({f"sm-realtime:{part}": {"enabled": False} for part in off})


def with_an_authority(config: Json) -> None:
    """A Redis outside the cluster whose certificate is of an authority of its own."""
    config["sm-realtime:resourceManager"] = {
        "redis": {"enabled": False},
        "externalRedis": {"enabled": True, "caSecretName": "redis-authority"},
    }


def with_names_of_redis(config: Json) -> None:
    """Redis with Sentinel under a name of its own."""
    config["sm-realtime:resourceManager"] = {"redis": {"fullnameOverride": "sessions", "sentinel": {"enabled": True}}}


CHANGES: dict[str, Change | None] = {
    "sandbox": None,
    "all recipes": all_recipes,
    "without the edge": without_the_edge,
    "with an authority": with_an_authority,
    "with names of Redis": with_names_of_redis,
    **{file: functools.partial(lay_over, file) for file in VARIANTS},
}
"""The sandbox stack, the variants of the contract and more. An option that makes an object belongs into one of them."""


@functools.cache
def recorded(variant: str) -> Graph:
    return of_contract(variant) if variant in VARIANTS else run_program("sandbox", CHANGES[variant])


def configured(variant: str) -> tuple[dict[str, Any], set[str]]:
    """The configuration of a variant, and which of its keys hold a secret."""
    config, flagged = stack_config("sandbox")
    parsed: dict[str, Any] = {k: v if k in flagged else json.loads(v) for k, v in config.items()}
    change = CHANGES[variant]
    if change is not None:
        change(parsed)
    return parsed, {full for full in parsed if full.partition(":")[2] in SECRET_KEYS}


def contents(variant: str) -> set[str]:
    """The flat keys of a variant that have a content."""
    return {full.partition(":")[2] for full in configured(variant)[1]}


@functools.cache
def settings(variant: str) -> Settings:
    parsed, flagged = configured(variant)
    found, problems = read({k: v if isinstance(v, str) else json.dumps(v) for k, v in parsed.items()}, flagged)
    assert found is not None, problems
    return found


@pytest.mark.parametrize("variant", CHANGES)
def test_the_names_are_those_of_the_recorded_objects(variant: str) -> None:
    made = sorted(
        (each.type.rpartition(":")[2], str(each.inputs["metadata"].get("namespace")), each.object_name)
        for each in recorded(variant).kubernetes
    )
    assert (
        sorted((e.kind, str(e.namespace), e.name) for e in names(settings(variant), contents(variant)) if e.made)
        == made
    )


def test_every_limit_is_of_a_kind_there_is() -> None:
    assert LIMITS.keys() <= {each.kind for each in names(settings("sandbox"))}


def containers(variant: str) -> Iterator[tuple[str, set[str]]]:
    """Every container of the recorded objects with the names of its variables."""
    for each in recorded(variant).kubernetes:
        pod = each.inputs.get("spec", {}).get("template", {}).get("spec", {})
        for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
            yield container["name"], {variable["name"] for variable in container.get("env", ())}


def added(variant: str) -> dict[str, set[str]]:
    """The variables that the configuration adds, by container."""
    found: dict[str, set[str]] = {}
    for _, pattern, items in lists(settings(variant)):
        if pattern in LISTS:
            found.setdefault(LISTS[pattern], set()).update(str(identity(each)) for each in items)
    return found


def test_the_variables_are_those_of_the_recorded_objects() -> None:
    """None that is set is missing in the list, and none is in it that no variant sets."""
    found: dict[str, set[str]] = {}
    for variant in CHANGES:
        more = added(variant)
        for name, variables in containers(variant):
            if name in SET:
                found.setdefault(name, set()).update(variables - more.get(name, set()))
    assert found == {name: set(variables) for name, variables in SET.items()}


def test_every_list_of_variables_is_known() -> None:
    keys = ("env", "envFrom", "additionalEnv", "additionalEnvFrom", "additionalEnvs")
    text = {"proxy.env"}
    session_pods = ("transcribers.", "inferenceServer", "flow.")
    found = {path for key in keys for path in places(key) if not path.startswith(session_pods)}
    assert found - text == LISTS.keys()


@pytest.mark.parametrize("variant", CHANGES)
def test_the_volumes_of_the_rule_are_those_of_the_recorded_pods(variant: str) -> None:
    """What a pod has by the rule, it has; and every recorded pod can be made."""
    made = []
    for each in recorded(variant).kubernetes:
        spec = each.inputs.get("spec", {})
        pod = spec.get("template", {}).get("spec", {})
        names = sorted(volume["name"] for volume in pod.get("volumes", ()))
        claims = {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())}
        assert len(names) == len(set(names))
        for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
            mounts = container.get("volumeMounts", ())
            paths = sorted(mount["mountPath"] for mount in mounts)
            assert len(paths) == len(set(paths))
            assert {mount["name"] for mount in mounts} <= {*names, *claims}
            made.append((names, paths))
    for of in pods(settings(variant)):
        volumes = [each for source in (of.own.volumes, *(items for _, items in of.volumes)) for each in source]
        mounts = [each for source in (of.own.mounts, *(items for _, items in of.mounts)) for each in source]
        assert (sorted(each["name"] for each in volumes), sorted(each["mountPath"] for each in mounts)) in made


def test_every_list_of_volumes_is_known() -> None:
    keys = ("volumes", "volumeMounts", "additionalVolumes", "additionalVolumeMounts")
    found = {
        re.sub(r"deployments\.[a-z]+", "deployments.<key>", path)
        for variant in CHANGES
        for of in pods(settings(variant))
        for path, _ in (*of.volumes, *of.mounts)
    }
    assert found - {"proxy.agentAPI.localPath"} == {path for key in keys for path in places(key)}
