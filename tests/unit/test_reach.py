"""What each key reaches, as recorded for the reference, against the program; and what a key may replace or delete.

Many keys are changed in one run: together they change exactly what each of them is recorded to change. A group that
does not is split until the keys are found that say something else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.reach import record
from tests.reach.contexts import WIDE, contexts, parts_of
from tests.reach.fields import UNGUARDED, changed, fields_of, object_of, pairs, shown
from tests.reach.groups import apart, grouped, loads, told, union
from tests.reach.knobs import wanted
from tests.reach.record import Entry
from tests.unit.graph import Graph
from tests.unit.knobs import losses

RECORD = record.read()
GROUPS = record.groups(RECORD.all)


@functools.cache
def base(context: str) -> Graph:
    return contexts()[context].graph()


def surprises(group: list[Entry]) -> Iterator[str]:
    """The keys of a group that are recorded wrongly, found by halves, with what differs."""
    found, recorded = told(group, base), union(group)
    if found == recorded:
        return
    if len(group) > 1:
        half = len(group) // 2
        below = [text for part in (group[:half], group[half:]) for text in surprises(part)]
        yield from below or [f"only together: {', '.join(each.knob.key for each in group)}"]
        return
    more = fields_of(pairs(found[0]) - pairs(recorded[0]))
    fewer = fields_of(pairs(recorded[0]) - pairs(found[0]))
    yield (
        f"{group[0].knob.key}: in {group[0].context} also {more}, no longer {fewer}, loses {found[1]}; "
        f"run: python -m tests.reach {group[0].knob.key}"
    )


def among(entry: Entry) -> str:
    """The beginning of a test's id: those of a context go to one worker (tests/conftest.py), which runs it once."""
    return f"{entry.context}~"


def test_each_key_that_is_to_reach_something_is_recorded() -> None:
    assert RECORD.entries.keys() ^ wanted().keys() == set(), "run: python -m tests.reach"
    assert [each.knob.key for each in RECORD.all if not each.fields] == []


def test_every_entry_is_in_a_group() -> None:
    assert sum(len(group) for group in GROUPS) == len(RECORD.all)


def test_a_key_is_recorded_in_a_context_at_most_once() -> None:
    told = [(key, [each.context for each in entries]) for key, entries in RECORD.entries.items()]
    assert [key for key, names in told if len(set(names)) < len(names)] == []
    assert {name for _, names in told for name in names} >= set(WIDE)


TOGETHER = [each for each in RECORD.all if each.knob.together]


@pytest.mark.parametrize("entry", TOGETHER, ids=lambda entry: f"{among(entry)}{entry.knob.key}")
def test_what_changes_together_with_a_key_does_nothing_without_it(entry: Entry) -> None:
    """Otherwise what it changes would be recorded of the key."""
    assert entry.knob.rest is not None
    alone = contexts()[entry.context].changed([entry.knob.rest])
    assert alone.settings()[0] is None or changed(base(entry.context), alone.graph()) == {}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{among(group[0])}{len(group)}-keys-{group[0].knob.key}")
def test_keys_reach_what_is_recorded(group: list[Entry]) -> None:
    refused = [sorted(each.knob.key for each in part) for part in apart(group) if not loads(part)]
    assert refused == [], "right only with another key of the group: what belongs to it stands `together` with it"
    assert list(surprises(group)) == []


def test_a_group_shows_of_each_key_a_field_that_no_other_changes() -> None:
    """A key that reached nothing any more would be missed otherwise."""
    for group in GROUPS:
        seen = pairs(union(group)[0])
        for each in group:
            others = frozenset(pair for other in group if other is not each for pair in pairs(other.fields))
            assert (pairs(each.fields) & seen) - others, each.knob.key


def test_of_any_two_keys_each_is_looked_at_without_the_other() -> None:
    group = max(GROUPS, key=len)[:37]
    parts = [{each.knob.key for each in part} for part in apart(group)]
    keys = [each.knob.key for each in group]
    assert [
        (a, b) for a in keys for b in keys if a != b and not any(a in part and b not in part for part in parts)
    ] == []


def test_a_key_recorded_wrongly_is_found_among_the_others() -> None:
    here = [group for group in GROUPS if group[0].context == "sandbox" and len(group) >= 4]
    group = list(sorted(here, key=len)[0])
    wrong = group[len(group) // 2]
    name, paths = next(iter(wrong.fields.items()))
    fields = {**wrong.fields, name: (*paths, "spec.made.up")}
    group[len(group) // 2] = Entry(wrong.knob, wrong.context, fields, wrong.loses)
    (surprise,) = surprises(group)
    assert surprise.startswith(f"{wrong.knob.key}: ")
    assert "spec.made.up" in surprise


def test_a_key_recorded_wrongly_is_mended_when_groups_are_made() -> None:
    right_ones = [each for each in RECORD.all if each.context == "redis-external.happy"]
    (name, paths), *_ = right_ones[0].fields.items()
    wrong = replace(right_ones[0], fields={**right_ones[0].fields, name: (*paths, "spec.made.up")})
    groups = grouped([], [wrong, *right_ones[1:]], base)
    found = sorted((each for group in groups for each in group), key=lambda each: each.knob.key)
    assert found == sorted(right_ones, key=lambda each: each.knob.key)
    assert len(right_ones) == len(groups) == 2


def test_every_object_has_the_name_it_has_by_default() -> None:
    here = {name for each in RECORD.all for name in each.fields}
    assert here == RECORD.objects.keys()
    graph = base("sandbox")
    names = {object_of(each): shown(each) for each in graph.resources if each.custom}
    assert {name: RECORD.objects[name] for name in names.keys() & here} == {
        name: names[name] for name in names.keys() & here
    }


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
LOST = [each for each in RECORD.all if each.loses]


def set_to(entry: Entry) -> object:
    """What its key was set to, by itself or in the section that it was set with."""
    value = entry.knob.value
    for part in parts_of(entry.knob.key)[len(entry.knob.place) :]:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def switched(entry: Entry) -> bool:
    """Whether a switch was set on or off."""
    return SWITCH.search(entry.knob.key) is not None and isinstance(set_to(entry), bool)


@pytest.mark.parametrize("entry", LOST, ids=lambda entry: f"{entry.knob.key}-{entry.context}")
def test_a_key_that_replaces_or_deletes_is_one_of_these(entry: Entry) -> None:
    """Every other one changes objects in place, there and back."""
    key = entry.knob.key
    assert switched(entry) or [why for why, keys in LOSING.items() if re.search(keys, key)], entry.loses


def test_a_switched_part_only_comes_and_goes() -> None:
    """What is switched replaces nothing that stays, but a Secret that changes its name with it."""
    kept = "Secret/credentials-license replaced for metadata.name"
    texts = {text for each in LOST if SWITCH.search(each.knob.key) for text in each.loses}
    assert {text for text in texts if " deleted" not in text} == {kept}


def test_everything_that_can_be_lost_asks_for_live_sessions_first() -> None:
    """The replaced and the deleted alike; a provider of the engine is no object of ours, and goes after all of its."""
    texts = {text for each in LOST for text in each.loses}
    unguarded = {text for text in texts if text.endswith(UNGUARDED)}
    assert unguarded == {f"kubernetes/access-kubernetes replaced for clusterIdentifier{UNGUARDED}"}


@pytest.mark.parametrize("why", LOSING)
def test_no_reason_is_left_over(why: str) -> None:
    assert [each for each in LOST if re.search(LOSING[why], each.knob.key)]


PROMISED = ("a name, the namespace, the release", "a language, a proxy's deployment is taken out")
"""Reasons for which what is in a session's path may go, once no session is left: and switches."""
REFUSED = r"^(ResourceGroup|ManagedCluster|PublicIPAddress|AgentPool|StatefulSet|PersistentVolumeClaim)/"
"""Kinds that are protected: the engine refuses the update as a whole. A generation is, until it is `retiring`."""
ANOTHER_CLUSTER = r"^kubernetes/"
"""The provider, which takes all that is in the cluster with it, the protected namespace among it."""
OUT_OF_PATH = {
    r"Service/inference-[\w-]+-service": "a transcriber is given the address of a pod, by the resource manager",
    r"Service/redis-replicas-service": "sessions are written and read at the primary",
    r"Service/proxy-cache-service": "no listener is behind it any more: the cache is outside then",
    r"Ingress/proxy-ingress-(health|misc|flow-livekit)-ingress": "the session's own Ingress stays",
    r"ConfigMap/(maps-languages|inference-[\w-]+-flow-control)": "no pod that is left reads it",
    r"UserAssignedIdentity/identity-identity|RoleAssignment/.*": "the cluster has the new one in place",
}
"""Objects that other keys may replace or delete, and why no session goes over them."""
CLUSTER = "ManagedCluster/cluster-aks"
WITH_CLUSTER = r"(VirtualNetwork|Subnet)/network-\w+|MaintenanceConfiguration/.*"
"""What other keys take only together with the cluster on it, which is protected."""


def in_path(lost: set[str]) -> list[str]:
    """Of objects that are lost together those that are in a session's path and not protected."""
    with_cluster = WITH_CLUSTER if CLUSTER in lost else "(?!)"
    fine = "|".join((*OUT_OF_PATH, with_cluster))
    return sorted(each for each in lost if not re.match(f"{REFUSED}|{ANOTHER_CLUSTER}|({fine})$", each))


@pytest.mark.parametrize("entry", LOST, ids=lambda entry: f"{entry.knob.key}-{entry.context}")
def test_no_other_key_takes_what_is_in_a_sessions_path(entry: Entry) -> None:
    """The engine refuses to take each thing that is lost, or no session goes over it."""
    if switched(entry) or any(re.search(LOSING[why], entry.knob.key) for why in PROMISED):
        return
    assert in_path({text.partition(" ")[0] for text in entry.loses}) == []


TAKES_OVER = {
    "a Secret of the program's is the store's from then on": r"\.externalSecrets\.enabled$",
    "a plain Deployment, which nothing protects, becomes a session group": r"\.sessionGroups\.enabled$",
    "another Redis: its StatefulSet is protected, so the whole update is refused": r"^resourceManager\."
    r"(externalRedis|redis\.sentinel)\.enabled$",
}
"""Why something may go when a switch is set on: what is recorded of one is lost on the way there or on the way back."""
SET_ON = {each.knob.key: each for each in LOST if switched(each) and set_to(each) is True}


def test_what_is_switched_on_takes_nothing_away_but_for_these() -> None:
    lost = {}
    for key, entry in SET_ON.items():
        after = contexts()[entry.context].changed([entry.knob]).graph()
        if found := in_path({object_of(each.resource) for each in losses(base(entry.context), after)}):
            lost[key] = found
    known = {key: [why for why, keys in TAKES_OVER.items() if re.search(keys, key)] for key in lost}
    assert [key for key, why in known.items() if not why] == []
    assert {each for why in known.values() for each in why} == TAKES_OVER.keys()


@pytest.mark.parametrize(
    ("lost", "found"),
    [
        ({"StatefulSet/redis-master", "Service/proxy-service"}, ["Service/proxy-service"]),
        ({"kubernetes/access-kubernetes", "Subnet/network-nodes"}, ["Subnet/network-nodes"]),
        ({"ManagedCluster/cluster-aks", "Subnet/network-nodes"}, []),
        ({"ConfigMap/maps-languages", "AgentPool/inference-01-infer0123456"}, []),
        ({"ConfigMap/maps-languages-more"}, ["ConfigMap/maps-languages-more"]),
    ],
)
def test_one_protected_object_does_not_cover_for_another_that_is_lost_with_it(lost: set[str], found: list[str]) -> None:
    assert in_path(lost) == found


def test_what_goes_with_the_cluster_only_is_not_left_over() -> None:
    lost = {text.partition(" ")[0] for each in LOST for text in each.loses}
    assert [kind for kind in re.findall(r"\b[A-Z]\w+", WITH_CLUSTER) if not any(e.startswith(kind) for e in lost)] == []


def test_what_is_said_to_be_protected_is() -> None:
    """A generation that is retiring waits for its pods instead, and is the only one that may go."""
    seen = set()
    for name in ("sandbox", "servers", "two generations", "flow.happy", "redis-sentinel.happy"):
        for each in base(name).resources:
            if each.custom and re.match(REFUSED, object_of(each)):
                assert each.protect, f"{object_of(each)} in {name}"
                seen.add(object_of(each).partition("/")[0])
    assert seen == set(re.findall(r"\w{2,}", REFUSED))


@pytest.mark.parametrize("pattern", OUT_OF_PATH)
def test_no_object_out_of_a_sessions_path_is_left_over(pattern: str) -> None:
    assert any(re.match(rf"({pattern}) ", text) for each in LOST for text in each.loses)
