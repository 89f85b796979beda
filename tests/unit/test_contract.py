"""The program's objects against the vendor's contract, field by field.

`contract/*.yaml` is the contract, written by hand; `components/speech/differences.py` is the only list of exceptions,
and an exception that no longer applies fails as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.speech.differences import DIFFERENCES, Difference
from tests.unit.graph import Graph, Json, run_program

CONTRACT = Path(__file__).parent / "contract"
FILES = ("control_plane", "redis", "transcription")
"""The whole of the defaults."""

Change = Callable[[Json], None]


def control_plane_options(config: Json) -> None:
    """Every option of the control plane that is off by default, and other numbers."""
    own = {"additionalLabels": {"team": "speech"}, "additionalAnnotations": {"example.com/owner": "speech team"}}
    config["sm-realtime:global"]["flow"] = {"flowUseLocalTranscriber": False}
    config["sm-realtime:resourceManager"] = {
        **own,
        "replicas": 3,
        "service": {"port": 8090},
        "annotations": {"example.com/scrape": "true"},
        "additionalEnv": [{"name": "LOG_LEVEL", "value": "debug"}],
        "startupProbe": {"failureThreshold": 80},
        "livenessProbe": {"timeoutSeconds": 20},
        "readinessProbe": {"periodSeconds": 5},
        "resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "200Mi"}},
        "pdb": {"enabled": True, "minAvailable": 2},
        "config": {
            "resourceManagerConnTimeoutSecs": 600,
            "overloadingStrategy": "allow_all",
            "useNodeBinPacking": True,
            "resourceSelectionStrategy": 2,
            "leaseDuration": "7m",
            "inferenceCapacityOnTranscriberRequestEnabled": True,
        },
        "metrics": {
            "replicas": 2,
            "service": {"port": 9090},
            "resources": {"requests": {"memory": "80Mi"}},
            "workerMonitor": {
                "enabled": True,
                "CPUFactor": 2,
                "memoryFactor": 1.25,
                "conditionMetrics": "container_memory_usage_megabytes",
            },
            "additionalLabels": {"team": "metrics"},
            "additionalAnnotations": {"example.com/owner": "metrics team"},
            "additionalEnv": [{"name": "LOG_LEVEL", "value": "info"}],
        },
        "reconciliation": {
            **own,
            "resources": {"requests": {"cpu": "200m"}},
            "reconciliationInterval": 20,
            "dryRun": True,
            "podSelectorConfigMap": {"enabled": False},
            "podSelectorList": ["rt-transcriber", "inference-server-enhanced-recipe1"],
            "nodeMonitor": {"enabled": True, "cpuThreshold": 80, "conditionDuration": "3m"},
            "additionalEnv": [{"name": "LOG_LEVEL", "value": "warn"}],
        },
        "sessionGroups": {
            "startupProbe": {"periodSeconds": 10},
            "livenessProbe": {"initialDelaySeconds": 30},
            "readinessProbe": {"failureThreshold": 6},
            "resources": {"limits": {"cpu": "1"}},
            "defrag": {
                "scaleDownEnabled": True,
                "rateLimitDuration": "90s",
                "rateLimitMaxOccurences": 2,
                "intervalDuration": "45s",
                "minUsageDelta": 30,
                "maxScaleUp": 3,
            },
            "controller": {
                "maxPauseDuration": "4m",
                "additionalArgs": ["--zap-log-level=debug"],
                "additionalAnnotations": {"example.com/owner": "speech team"},
            },
            "additionalEnv": [{"name": "LOG_LEVEL", "value": "debug"}],
        },
    }


def control_plane_without_metrics(config: Json) -> None:
    config["sm-realtime:resourceManager"] = {"metrics": {"enabled": False}}


VARIANTS: dict[str, Change] = {each.__name__: each for each in (control_plane_options, control_plane_without_metrics)}
"""File → the change of the sandbox stack of which it holds the objects that differ from the defaults."""


@cache
def variant(file: str) -> Graph:
    return run_program("sandbox", VARIANTS[file])


def contract(file: str) -> list[Json]:
    objects: list[Json] = yaml.safe_load((CONTRACT / f"{file}.yaml").read_text())
    return objects


def title(obj: Json) -> str:
    return f"{obj['kind']}/{obj['metadata']['name']}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; items of a list by their name where all have one, and then their order as well."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        named = all(isinstance(each, dict) and "name" in each for each in value)
        if named:
            yield f"{path}.(order)", [each["name"] for each in value]
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}[{each['name'] if named else index}]")
    else:
        yield path, value


def different(expected: Json, actual: Json) -> dict[str, tuple[Any, Any]]:
    """Path → what the contract says, what the program does."""
    missing = object()
    left, right = dict(leaves(expected)), dict(leaves(actual))
    found = {
        path: (left.get(path, "nothing"), right.get(path, "nothing"))
        for path in left.keys() | right.keys()
        if left.get(path, missing) != right.get(path, missing)
    }
    # an item that only one side has is a difference by itself; the order is that of the common ones
    return {path: sides for path, sides in found.items() if not (order_only(path) and same_order(*sides))}


def same_order(one: Any, other: Any) -> bool:
    common = set(one) & set(other)
    return [each for each in one if each in common] == [each for each in other if each in common]


def order_only(path: str) -> bool:
    return path.endswith(".(order)")


def explained(name: str, path: str) -> list[Difference]:
    """Exceptions for a difference; one of the order is explained by one of the items."""
    return [each for each in DIFFERENCES if each.path and each.covers(name, path.removesuffix(".(order)"))]


def actual(graph: Graph) -> dict[str, Json]:
    found = {title(each.inputs): each.inputs for each in graph.kubernetes if "metadata" in each.inputs}
    assert len(found) == len(graph.kubernetes)
    return found


@pytest.mark.parametrize("file", [*FILES, *VARIANTS])
def test_every_field_is_the_contracts_or_a_listed_difference(file: str, sandbox: Graph) -> None:
    objects = actual(variant(file) if file in VARIANTS else sandbox)
    unexplained = []
    for expected in contract(file):
        name = title(expected)
        if name not in objects:
            assert [d for d in DIFFERENCES if d.covers(name, "")], f"{name} is missing"
            continue
        for path, (wanted, got) in different(expected, objects[name]).items():
            if not explained(name, path):
                unexplained.append(f"{name} {path}: contract {wanted!r}, program {got!r}")
    assert not unexplained, "\n".join(sorted(unexplained))


def test_every_listed_difference_is_still_there(sandbox: Graph) -> None:
    used = set()
    for file in (*FILES, *VARIANTS):
        objects = actual(variant(file) if file in VARIANTS else sandbox)
        for expected in contract(file):
            name = title(expected)
            if name not in objects:
                used |= {d for d in DIFFERENCES if d.covers(name, "")}
            else:
                used |= {d for path in different(expected, objects[name]) for d in explained(name, path)}
    assert not [f"{d.objects} {d.path}" for d in DIFFERENCES if d not in used]


def test_every_object_is_in_the_contract_or_known_to_be_ours(sandbox: Graph) -> None:
    ours = {
        "Namespace/speechmatics",
        "DaemonSet/nvidia-device-plugin",
        "Secret/speechmatics-license",
        "Secret/speechmatics-registry",
    }
    of_contract = {title(each) for file in FILES for each in contract(file)}
    assert set(actual(sandbox)) - of_contract == ours


def test_a_difference_has_a_reason_worth_reading() -> None:
    assert not [d for d in DIFFERENCES if len(d.reason) < 15 or not d.reason.endswith(".")]
