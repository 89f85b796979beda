"""What an update from one graph to another would replace or delete, told by the stand-ins' own tables.

Between an object as it was declared and as it is now: the force-new paths of `sandbox/kubernetes/diff.py` and
`sandbox/azure/differ.py`, without an engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sandbox.azure import differ
from sandbox.azure.catalogue import KINDS
from sandbox.kubernetes import config, diff
from sandbox.kubernetes.objects import likely_namespaced
from sandbox.kubernetes.state import Recorded, to_wire
from tests.unit.graph import Graph, Json, Resource

PROVIDER = "pulumi:providers:"
PROVIDERS = AZURE_PROVIDER, KUBERNETES_PROVIDER = f"{PROVIDER}azure-native", f"{PROVIDER}kubernetes"


class Fate(StrEnum):
    """What becomes of a resource that does not stay."""

    REPLACED = "replaced"
    DELETED = "deleted"


@dataclass(frozen=True)
class Loss:
    """A resource that an update replaces or deletes."""

    resource: Resource
    """As it was."""
    fate: Fate
    paths: tuple[str, ...] = ()
    """What of it forces the replacement."""

    def __str__(self) -> str:
        because = f" for {', '.join(self.paths)}" if self.paths else ""
        return f"{self.resource.type.rpartition(':')[2]}/{self.resource.name} {self.fate}{because}"


def losses(before: Graph, after: Graph) -> list[Loss]:
    """Every resource of `before` that an update to `after` replaces or deletes, in the order of their names."""
    return sorted(_losses(before, after), key=lambda loss: loss.resource.name)


def _losses(before: Graph, after: Graph) -> Iterator[Loss]:
    now = {each.urn: each for each in after.resources}
    mutability = _mutability(after)
    for each in before.resources:
        if not each.custom:
            continue
        if each.urn not in now:
            yield Loss(each, Fate.DELETED)
            continue
        paths = replaced_for(each, now[each.urn], mutability)
        if paths:
            yield Loss(each, Fate.REPLACED, tuple(paths))


def _mutability(graph: Graph) -> diff.Mutability:
    provider = graph.of(KUBERNETES_PROVIDER)[0].inputs
    maps, secrets = (str(provider.get(key)).lower() for key in ("enableConfigMapMutable", "enableSecretMutable"))
    return diff.Mutability(config_maps=maps == "true", secrets=secrets == "true")


def same_inputs(old: Resource, new: Resource) -> bool:
    """Whether two resources are written the same, as their text says it: true is not 1, and another order counts."""
    return repr(old.inputs) == repr(new.inputs)


def replaced_for(old: Resource, new: Resource, mutability: diff.Mutability) -> list[str]:
    """The paths for which a resource is replaced; none where it is updated in place, or not at all."""
    assert new.kubernetes or new.type in (*KINDS, *PROVIDERS), f"no table says what replaces a {new.type}"
    if same_inputs(old, new) or new.type == AZURE_PROVIDER:  # its stand-in, as the real one, plans no change of it
        return []
    ignored = set(new.ignore_changes)
    if new.kubernetes:
        was, wanted = to_wire(old.inputs), to_wire(new.inputs)
        return diff.diff(
            Recorded(inputs=was, live=was, field_manager="knobs", initial_api_version=str(was["apiVersion"])),
            wanted,
            namespaced=likely_namespaced(str(wanted["kind"])),
            mutability=mutability,
            ignore=new.ignore_changes,
        ).replaces
    if new.type in KINDS:
        was, wanted = (_without(each.inputs, ignored) for each in (old, new))
        return differ.difference(KINDS[new.type], was, wanted).replaces
    return config.diff(old.inputs, new.inputs).replaces


def _without(inputs: Json, names: set[str]) -> Json:
    return {key: value for key, value in inputs.items() if key not in names and value is not None}
