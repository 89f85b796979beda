"""Rules of names: every object has one of its own, short enough for all it becomes, in a namespace that is ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from stacks.name import Name
from stacks.names import full_names, names
from stacks.problem import Problem, set_command
from stacks.schema import Settings
from stacks.schema.paths import default_at

LIMITS = {
    "Service": (63, "a host name's label"),
    "SessionGroup": (63, "a label of its pods"),
    "StatefulSet": (52, "a label of its pods, with ten characters of a hash and - after it"),
}
"""Longest names, where a name becomes more than a name → and what it becomes. The schema's own limit is 63."""

DNS_PREFIX, NODE_GROUP = 54, 80
"""Longest prefix of the API server's host name and longest name of the nodes' resource group (AKS)."""


def own_names(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """Two objects of one name are one object, and each of the two parts overwrites what the other wrote."""
    clashes: dict[str, list[str]] = {}
    taken: dict[tuple[str, str | None, str], Name] = {}
    for each in names(settings, present):
        first = taken.setdefault((each.kind, each.namespace, each.name), each)
        if first is each or each.kind == "Namespace" or first.path == each.path:
            continue
        path, other = _blamed(settings, first.path, each.path)
        clashes.setdefault(path, []).append(f"the {each.kind} {each.name} of {other or 'the program itself'}")
    parts: dict[str, str] = {}
    for path, name in full_names(settings):
        first_path = parts.setdefault(name, path)
        if first_path != path:
            blamed, other = _blamed(settings, first_path, path)
            clashes.setdefault(blamed, []).append(f"the pods of {other}")
    for path, found in clashes.items():
        more = f" and {len(found) - 1} more" if found[1:] else ""
        reason = f"by this name it would be one with {found[0]}{more}; one part would overwrite the other's"
        yield Problem(path, "duplicate-name", reason, set_command(path, _other_name(settings, path)))


def _blamed(settings: Settings, first: str, second: str) -> tuple[str, str]:
    """The key to change and the other one: never a name of the program's own, and none that is still its default."""
    keep_second = not second or (first and value_at(settings, second) == default_at(second))
    return (first, second) if keep_second else (second, first)


def _other_name(settings: Settings, path: str) -> str:
    current, default = value_at(settings, path), default_at(path)
    return str(default) if isinstance(default, str) and default != current else f"{current}-2"


def value_at(settings: Settings, path: str) -> Any:
    """The value at a path of the stack file."""
    value: Any = settings
    for part in re.findall(r"[^.\[\]]+", path):
        if part.isdigit():
            value = value[int(part)]
            continue
        fields = type(value).model_fields.items()
        value = getattr(value, next(name for name, field in fields if (field.alias or name) == part))
    return value


def short_names(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """A name that is too long for what it becomes is refused by the API server, or, worse, only its pods are."""
    longest: dict[str, tuple[int, Problem]] = {}
    for each in names(settings, present):
        limit, becomes = LIMITS.get(each.kind, (253, ""))
        over = len(each.name) - limit
        if over <= 0 or over <= longest.get(each.path, (0, None))[0]:
            continue
        reason = (
            f"the {each.kind} {each.name} would have {len(each.name)} characters; as it becomes {becomes}, "
            f"{limit} are possible"
        )
        shorter = str(value_at(settings, each.path))[:-over].rstrip("-")
        longest[each.path] = (over, Problem(each.path, "name-too-long", reason, set_command(each.path, shorter)))
    yield from (problem for _, problem in longest.values())


def azure_names(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Names that follow from another one where nothing is said are held to Azure's rules for what they become."""
    azure = settings.azure
    if azure.dns_prefix is None and (len(azure.cluster_name) > DNS_PREFIX or "_" in azure.cluster_name):
        path = "azure.dnsPrefix"
        reason = f"unset, it is {azure.cluster_name}; a host name has no _, and AKS takes {DNS_PREFIX} characters of it"
        prefix = azure.cluster_name.replace("_", "-")[:DNS_PREFIX].rstrip("-")
        yield Problem(path, "name-too-long", reason, set_command(path, prefix))
    if azure.node_resource_group is None and len(f"{azure.resource_group}-nodes") > NODE_GROUP:
        path = "azure.nodeResourceGroup"
        reason = f"unset, it is {azure.resource_group}-nodes; AKS takes {NODE_GROUP} characters"
        yield Problem(path, "name-too-long", reason, set_command(path, f"{azure.cluster_name}-nodes"))


def own_namespace(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The program makes its namespace, and a destroy would take it away with all that is in it."""
    name = settings.namespace
    if name == "default" or name.startswith("kube-"):
        reason = f"{name} is Kubernetes' own; the program would take it over, and delete it in the end"
        yield Problem("namespace", "reserved-namespace", reason, set_command("namespace", "speechmatics"))


NAMES = (own_names, short_names, azure_names, own_namespace)
"""All of them."""
