"""The program's objects against the vendor's contract, field by field: as the program registers them.

An exception of `components/speech/differences` that no longer applies fails as well.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Collection
from enum import Enum
from typing import Any, get_args

import pytest

from components.speech.differences import DIFFERENCES, REFUSED, Difference
from components.speech.differences.difference import NOTHING
from components.speech.differences.refused import Refused, keys_of
from components.speech.pre_stop import TRITON_PRE_STOP
from operations.keys import Key, Kind, keys
from stacks.load import read
from tests.live.together import TOGETHER
from tests.reach.knobs import at, places
from tests.unit.cases import given
from tests.unit.contract.compare import (
    DEFAULTS,
    FILES,
    VARIANTS,
    beside,
    compared,
    contract,
    parts,
    title,
    unexplained,
    values,
)
from tests.unit.contract.index import indexed
from tests.unit.graph import Graph, Json, stack_config
from tests.unit.variants import of_contract


def actual(graph: Graph) -> dict[str, Json]:
    found = {title(each.inputs): each.inputs for each in graph.kubernetes if "metadata" in each.inputs}
    assert len(found) == len(graph.kubernetes)
    return found


def of_file(file: str, sandbox: Graph) -> dict[str, Json]:
    return actual(of_contract(file) if file in VARIANTS else sandbox)


@pytest.mark.parametrize("file", FILES)
def test_every_field_is_the_contracts_or_a_listed_difference(file: str, sandbox: Graph) -> None:
    found = unexplained(file, of_file(file, sandbox))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("file", FILES)
def test_every_object_is_in_the_contract_or_known_to_be_ours(file: str, sandbox: Graph) -> None:
    found = beside([file], of_file(file, sandbox)).unexplained
    assert not found, "\n".join(found)


def test_every_listed_difference_is_still_there(sandbox: Graph) -> None:
    used = set()
    for file in FILES:
        objects = of_file(file, sandbox)
        used |= compared(file, objects).used | beside([file], objects).used
    assert not [f"{d.objects} {d.path}" for d in DIFFERENCES if d not in used]


ROWS: list[Difference | Refused] = [*DIFFERENCES, *REFUSED]
KNOWN = {title(each) for file in FILES for each in [*contract(file), *parts(file)]}
"""Every object that a file of the contract has."""


@pytest.mark.parametrize(("section", "names"), indexed())
def test_an_object_of_the_contract_is_compared_or_its_absence_is_a_row(section: str, names: str) -> None:
    assert section
    rows = [each for each in ROWS if each.ours is NOTHING]
    absent = any(each.is_of_whole(name) for name in names.split("|") for each in rows)
    assert KNOWN & set(names.split("|")) or absent, f"{names} is in no file and no row"


@pytest.mark.parametrize(("key", "value"), sorted({each.where for each in REFUSED}, key=str))
def test_what_a_row_calls_refused_is_refused(key: str, value: object) -> None:
    for each in keys_of(key):
        config: Any = value
        for part in reversed(each.split(".")):
            config = {part: config}
        settings, problems = read(*given({"config": config}))
        assert settings is None
        assert [(problem.path, problem.code) for problem in problems] == [(each, "not-allowed")]


def set_at(objects: dict[str, Json], name: str, path: str, value: Any) -> None:
    """Put a value at a path of an object: list items by number, `~` for a slash in a key."""
    *above, last = path.split("/")
    found: Any = objects[name]
    for key in above:
        found = found[int(key) if isinstance(found, list) else key.replace("~", "/")]
    found[last.replace("~", "/")] = value


POD = "spec/template/spec"


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("SessionGroup/rt-transcriber-en", f"{POD}/tolerations", []),
        ("SessionGroup/rt-transcriber-en", f"{POD}/terminationGracePeriodSeconds", 5),
        ("SessionGroup/rt-transcriber-en", f"{POD}/nodeSelector/sm-realtime~pool", "services"),
        ("SessionGroup/inference-server-enhanced-recipe1", f"{POD}/terminationGracePeriodSeconds", 600),
        (
            "SessionGroup/inference-server-enhanced-recipe1",
            f"{POD}/containers/0/lifecycle/preStop/exec/command",
            ["/bin/bash", "-c", TRITON_PRE_STOP.replace("kill -TERM 1", "true")],
        ),
        ("Deployment/proxy-a", "spec/strategy/rollingUpdate/maxUnavailable", 1),
        ("Deployment/resource-manager-reconciliation", "spec/strategy/type", "RollingUpdate"),
        ("Deployment/resource-manager", f"{POD}/containers/0/env/0/value", "batch"),
        ("ConfigMap/realtime", "data/pod_selector_list", ""),
        ("ConfigMap/realtime", "data/pod_selector_list", "rt-transcriber"),
        ("ConfigMap/realtime", "data/pod_selector_list", "inference-server-enhanced-recipe1,rt-transcriber"),
        ("Deployment/resource-manager", "metadata/labels/app.kubernetes.io~managed-by", "Helm"),
        ("PodDisruptionBudget/proxy-a", "spec/maxUnavailable", 1),
        ("StatefulSet/realtime-redis-master", f"{POD}/containers/0/securityContext/runAsUser", 0),
        ("Ingress/proxy", "spec/rules/0/http/paths/3/path", "/other"),
        ("DaemonSet/nvidia-device-plugin", f"{POD}/containers/0/image", "nvcr.io/other:v0.17.2"),
        ("Secret/speechmatics-license", "data/license.json", "no base64"),
    ],
)
def test_another_value_at_the_place_of_a_difference_is_seen(sandbox: Graph, name: str, path: str, value: Any) -> None:
    objects = copy.deepcopy(actual(sandbox))
    set_at(objects, name, path, value)
    files = [*DEFAULTS, "device_plugin"]
    assert [line for file in files for line in unexplained(file, objects) + beside([file], objects).unexplained]


def test_an_object_that_is_gone_or_came_is_seen(sandbox: Graph) -> None:
    whole = actual(sandbox)
    gone = {name: each for name, each in whole.items() if name != "Service/resource-manager-metrics"}
    assert unexplained("control_plane", gone) == ["Service/resource-manager-metrics is missing"]
    come = {**whole, "Service/stranger": {}}
    assert beside([], come).unexplained == ["Service/stranger is not in the contract"]


def test_the_order_of_what_has_a_name_is_seen(sandbox: Graph) -> None:
    objects = copy.deepcopy(actual(sandbox))
    objects["SessionGroup/rt-transcriber-en"]["spec"]["template"]["spec"]["containers"][0]["env"].reverse()
    (found,) = unexplained("transcription", objects)
    assert "contract's order" in found


def test_every_file_is_compared_with_what_the_api_server_has() -> None:
    assert sorted(file for group in TOGETHER for file in group) == FILES


def test_a_difference_has_a_reason_worth_reading() -> None:
    assert not [d for d in ROWS if len(d.reason) < 15 or not d.reason.endswith(".")]


NOT_COMPARED = {
    r"protection\.enabled": "no field of an object says it: it is the engine's, and each component's test looks at it",
    r"azure\.(tier|maintenance\.dayOfWeek)|pools\..+\.(osDiskType|gpuDriver)": "of Azure, of which the contract has "
    "no object; the tests of the Azure components look at it",
    r"inferenceServer(Custom|StandardAll|EnhancedRecipe[234])\.(tritonServer\.(mode|service\.type|imagePullPolicy)|"
    r"inferenceSidecar\.imagePullPolicy)": "one component makes every server, and another one has another word",
    r"inferenceServer\w+\.tritonServer\.operatingPoint": "a recipe has the models of one; null, all of "
    "them, is compared",
}
"""Switches and choices, whole paths, that no variant turns → why."""


def given_texts() -> list[Json]:
    """The stack of the sandbox, and the values of every variant."""
    texts, flagged = stack_config("sandbox")
    stack = {full.partition(":")[2]: json.loads(text) for full, text in texts.items() if full not in flagged}
    return [stack, *(values(file) for file in VARIANTS)]


def choices(key: Key) -> set[str]:
    """What may stand at a key that takes one of a few words."""
    kinds: list[Any] = [key.field.annotation, *get_args(key.field.annotation)] if key.field else []
    return {str(member) for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum) for member in kind}


def turned(key: Key, each: Json, others: Collection[object]) -> bool:
    """Whether values have one of the others at a key."""
    found = [at(each, place) for place in places(key.path, each)]
    return any(isinstance(one, bool | str) and one in others for one in found)


def test_the_variants_turn_every_switch() -> None:
    """Each from its default, at least once; of one that follows another while it is unset, either way counts.

    A choice has another word than its default at least once.
    """
    effective = [key for key in keys() if key.kind is Kind.EFFECTIVE]
    switches: dict[Key, Collection[object]] = {
        key: {True, False} - {key.default} for key in effective if key.type.startswith("bool")
    }
    words: dict[Key, Collection[object]] = {key: {*choices(key)} - {key.default} for key in effective if choices(key)}
    given = given_texts()
    still = {
        key.path
        for key, others in (*switches.items(), *words.items())
        if not any(turned(key, each, others) for each in given)
    }
    reasons = {path: [why for why in NOT_COMPARED if re.fullmatch(why, path)] for path in still}
    assert sorted(path for path, why in reasons.items() if not why) == []
    assert {why for each in reasons.values() for why in each} == NOT_COMPARED.keys()
    assert len(switches) > 150
    assert len(words) > 40
