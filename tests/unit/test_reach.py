"""What each key reaches, as recorded for the reference, against the program; and what a key may replace or delete.

Many keys are changed in one run: together they change exactly what each of them is recorded to change. A group that
does not is split until the keys are found that say something else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import pytest

from tests.reach import record
from tests.reach.contexts import contexts, parts_of
from tests.reach.fields import UNGUARDED, changed, fields_of, pairs
from tests.reach.groups import told, union
from tests.reach.knobs import wanted
from tests.reach.record import Entry
from tests.unit.graph import Graph

ENTRIES = record.read()
GROUPS: dict[int, dict[str, Entry]] = {}
for _key, _entry in ENTRIES.items():
    GROUPS.setdefault(_entry.group, {})[_key] = _entry


@functools.cache
def base(context: str) -> Graph:
    return contexts()[context].graph()


def surprises(group: dict[str, Entry]) -> Iterator[str]:
    """The keys of a group that are recorded wrongly, found by halves, with what differs."""
    members = list(group.values())
    found, recorded = told(members, base), union(members)
    if found == recorded:
        return
    if len(group) > 1:
        half = len(members) // 2
        parts = [dict(list(group.items())[:half]), dict(list(group.items())[half:])]
        below = [text for part in parts for text in surprises(part)]
        yield from below or [f"only together: {', '.join(group)}"]
        return
    more = fields_of(pairs(found[0]) - pairs(recorded[0]))
    fewer = fields_of(pairs(recorded[0]) - pairs(found[0]))
    yield f"{next(iter(group))}: also {more}, no longer {fewer}, loses {found[1]}; run: python -m tests.reach KEY"


def test_each_key_that_is_to_reach_something_is_recorded() -> None:
    assert ENTRIES.keys() ^ wanted().keys() == set(), "run: python -m tests.reach"
    assert [key for key, each in ENTRIES.items() if not each.fields] == []


TOGETHER = sorted(key for key, each in ENTRIES.items() if each.knob.together)


@pytest.mark.parametrize("key", TOGETHER)
def test_what_changes_together_with_a_key_does_nothing_without_it(key: str) -> None:
    """Otherwise what it changes would be recorded of the key."""
    knob, context = ENTRIES[key].knob, ENTRIES[key].context
    assert knob.rest is not None
    alone = contexts()[context].changed([knob.rest])
    assert alone.settings()[0] is None or changed(base(context), alone.graph()) == {}


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda group: f"{len(group)}-keys-{next(iter(group))}")
def test_keys_reach_what_is_recorded(group: dict[str, Entry]) -> None:
    refused = [
        key for key, each in group.items() if contexts()[each.context].changed([each.knob]).settings()[0] is None
    ]
    assert refused == [], "right only with another key of the group: what belongs to it stands `together` with it"
    assert list(surprises(group)) == []


def test_a_key_recorded_wrongly_is_found_among_the_others() -> None:
    _, number = min((len(each), number) for number, each in GROUPS.items() if len(each) >= 4)
    group = dict(GROUPS[number])
    key = sorted(group)[len(group) // 2]
    name, paths = next(iter(group[key].fields.items()))
    wrong = {**group[key].fields, name: (*paths, "spec.made.up")}
    group[key] = Entry(group[key].knob, group[key].context, wrong, group[key].loses)
    (surprise,) = surprises(group)
    assert surprise.startswith(f"{key}: ")
    assert "spec.made.up" in surprise


GENERATION = r"^pools\.((services|inference|transcribers)|further\.<key>\.generations)"
LOSING = {
    "a name, the namespace, the release": r"(^|\.)(fullnameOverride|nameOverride|secretName|configMapName|"
    r"serviceName|serviceAccountName)$|^release$|^namespace$|^global\.imagePullSecrets(\[\]\.name)?$",
    "a language, a proxy's deployment is taken out": r"^global\.transcriber\.languages$|"
    r"^transcribers\.transcriber\.languages\.(cpu|gpu)Languages$|^proxy\.proxy\.deployments$",
    "a generation is taken out": rf"{GENERATION}$|^pools\.further$",
    "immutable in a generation: another one takes over": rf"{GENERATION}\[\]\.(number|kubernetesVersion|vmSize|zones|"
    r"maxPods|osDiskType|osDiskSizeGB|gpuDriver)$",
    "a further pool takes another part, under another name": r"^pools\.further\.<key>\.role$",
    "immutable in Azure": r"^azure\.(clusterName|dnsPrefix|location|nodeResourceGroup|resourceGroup|identityName|"
    r"publicIpName|subscriptionId|network\.\w+)$",
    "the last replica of Redis is taken out": r"^resourceManager\.redis\.replicas?\.replicaCount$",
    "immutable in a claim: a disk keeps its name, class and size": r"^flow\.vllm\.persistence\."
    r"(name|storageClassName)$|^redis\.(storageClass|storageSize)$",
    "a mode, a controller, a store that does without some objects": r"^resourceManager\.mode$|"
    r"^inferenceServer\w+\.tritonServer\.mode$|^proxy\.ingress\.ingressClassName$|"
    r"^proxy\.proxyCache\.redis\.external$",
    "with an address or without: immutable in a Service": r"^inferenceServer\w+\.tritonServer\.service\.headless$",
}
"""Why a key may replace or delete objects at all, and the keys of which that is so, switched parts aside."""
SWITCH = re.compile(r"(^|\.)(enabled|create|createSecret)$")
LOST = sorted(key for key, each in ENTRIES.items() if each.loses)


def switched(key: str) -> bool:
    """Whether a switch was set on or off, by itself or in the section that it was set with."""
    knob = ENTRIES[key].knob
    value = knob.value
    for part in parts_of(key)[len(knob.place) :]:
        value = value.get(part) if isinstance(value, dict) else None
    return SWITCH.search(key) is not None and isinstance(value, bool)


@pytest.mark.parametrize("key", LOST)
def test_a_key_that_replaces_or_deletes_is_one_of_these(key: str) -> None:
    """Every other one changes objects in place, there and back."""
    assert switched(key) or [why for why, keys in LOSING.items() if re.search(keys, key)], ENTRIES[key].loses


def test_a_switched_part_only_comes_and_goes() -> None:
    """What is switched replaces nothing that stays, but a Secret that changes its name with it."""
    kept = "Secret/credentials-license replaced for metadata.name"
    texts = {text for key in LOST if SWITCH.search(key) for text in ENTRIES[key].loses}
    assert {text for text in texts if " deleted" not in text} == {kept}


def test_everything_that_can_be_lost_asks_for_live_sessions_first() -> None:
    """The replaced and the deleted alike; a provider of the engine is no object of ours, and goes after all of its."""
    texts = {text for key in LOST for text in ENTRIES[key].loses}
    unguarded = {text for text in texts if text.endswith(UNGUARDED)}
    assert unguarded == {f"kubernetes/access-kubernetes replaced for clusterIdentifier{UNGUARDED}"}


@pytest.mark.parametrize("why", LOSING)
def test_no_reason_is_left_over(why: str) -> None:
    assert [key for key in LOST if re.search(LOSING[why], key)]
