"""Rules of node labels: a pod that asks for one which no node of its pool has would wait for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.node_labels import GENERATION, Values, had, labels_of
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.walk import walk
from stacks.schema import Settings
from stacks.schema.inference_server import ServerSettings
from stacks.schema.own import GpuPluginSettings
from stacks.schema.paths import dotted
from stacks.schema.placement import NodeSettings, PlacementSettings, WorkloadPlacement
from stacks.schema.pools import Role
from stacks.schema.transcriber_container import Processor

Kinds = list[dict[str, Values]]
"""The labels of each generation whose nodes a pod may land on."""

RULE = "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
WAITS = "the pods would wait for a node for ever"


@dataclass(frozen=True)
class Wish:
    """What a workload asks of its nodes."""

    path: str
    """The section with the selector."""
    selector: Mapping[str, str]
    affinity: Mapping[str, Any]
    affinity_path: str
    """The section with the affinity."""
    kinds: Kinds
    pool: str | None
    """The key that names the pool, where there is one."""


def node_labels(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    for wish in _wishes(settings):
        # without an active generation there is nothing to compare with; another rule says so
        if wish.kinds:
            yield from _selected(wish)
            yield from _required(wish)


def _wishes(settings: Settings) -> Iterator[Wish]:
    """What is asked for anywhere; most ask for nothing."""
    for path, _, place in walk(settings):
        if isinstance(place, ServerSettings) and place.affinity:
            server = place.triton_server
            yield Wish(path, {}, place.affinity, path, _active(settings, server), f"{path}.tritonServer.pool")
        if not isinstance(place, NodeSettings):
            continue
        affinity = place.affinity if isinstance(place, WorkloadPlacement | GpuPluginSettings) else {}
        if not place.node_selector and not affinity:
            continue
        if isinstance(place, PlacementSettings):
            kinds, pool = _active(settings, place), f"{path}.pool"
        elif isinstance(place, Processor):
            kinds, pool = _active(settings, settings.transcribers.transcriber), "transcribers.transcriber.pool"
        else:
            # the GPU plugin runs on every GPU node
            every = [(p, g) for p, g in settings.pools.each() if p.role is Role.INFERENCE]
            kinds, pool = [labels_of(p.role, g, settings.azure.location) for p, g in every], None
        yield Wish(path, place.node_selector, affinity, path, kinds, pool)


def _active(settings: Settings, place: PlacementSettings) -> Kinds:
    found = settings.pools.actives(place.role, place.pool)
    return [labels_of(place.role, each, settings.azure.location) for each in found]


def _selected(wish: Wish) -> Iterator[Problem]:
    for key, value in wish.selector.items():
        reason, values = _why_not(key, value, wish.kinds)
        if reason is None:
            continue
        path = dotted((*wish.path.split("."), "nodeSelector", key))
        mend = remove_command(path)
        if values:
            mend = set_command(path, values[0]) + (f"  # or {', '.join(values[1:])}" if values[1:] else "")
        elif wish.pool:
            mend = f"{mend}  # nodes of their own: a pool in pools.further, named in {wish.pool}"
        yield Problem(path, "no-such-node", f"{reason}; {WAITS}", mend)


def _why_not(key: str, value: str | None, kinds: Kinds) -> tuple[str | None, list[str]]:
    """Why no node has a label with a value (None: any), if that is certain, and the values there are."""
    there, values = had(key, kinds)
    if not there:
        return f"no node of its pool has the label `{key}`: nodes have those of Kubernetes and of AKS", []
    if value is not None and key in GENERATION:
        return f"`{key}` is the name of one generation of a pool, and the program chooses the active one", []
    if value is not None and values is not None and value not in values:
        known = sorted(values)
        return f"no node of its pool has `{key}` as {value}, there it is {' or '.join(known)}", known
    return None, []


def _required(wish: Wish) -> Iterator[Problem]:
    required = wish.affinity.get("nodeAffinity", {}).get(RULE.partition(".")[2])
    if required is None:
        return
    reasons = [_term(term, wish.kinds) for term in required["nodeSelectorTerms"]]
    if all(reasons):
        path = f"{wish.affinity_path}.affinity"
        reason = next((each for each in reasons if each), "a list of terms without any chooses no node")
        mend = remove_command(f"{path}.{RULE}")
        mend = f"{mend}  # nodes of their own: a pool in pools.further, named in {wish.pool}" if wish.pool else mend
        yield Problem(path, "no-such-node", f"{reason}; {WAITS}", mend)


def _term(term: Mapping[str, Any], kinds: Kinds) -> str | None:
    """Why a term chooses no node, if that is certain."""
    expressions = term.get("matchExpressions") or []
    if not expressions and not term.get("matchFields"):
        return "a term without an expression chooses no node"
    return next((why for each in expressions if (why := _expression(each, kinds)) is not None), None)


def _expression(expression: Mapping[str, Any], kinds: Kinds) -> str | None:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or []
    if operator == "In":
        reasons = [_why_not(key, each, kinds)[0] for each in values]
        return reasons[0] if reasons and all(reasons) else None
    if operator in ("Exists", "Gt", "Lt"):
        return _why_not(key, None, kinds)[0]
    certain = had(key, kinds)[1]
    if certain and (operator == "DoesNotExist" or certain <= set(values)):
        return f"every node of its pool has `{key}` as {' or '.join(sorted(certain))}"
    return None
