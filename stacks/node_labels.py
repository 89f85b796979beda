"""The labels that nodes of a pool have: those of Kubernetes and of AKS.

Sources: the kubelet's own labels; learn.microsoft.com, "Use labels in an AKS cluster", for those under
`kubernetes.azure.com/`, whose number grows with AKS. Labels set by hand are not counted: a node that the autoscaler
makes has none.
"""

from __future__ import annotations

from collections.abc import Iterable

from stacks.capacity import SIZES
from stacks.schema.pools import Generation, Role

Values = frozenset[str] | None
"""Every value a label has for certain; None where another one may be meant too."""

OF_AKS = "kubernetes.azure.com/"
GENERATION = ("agentpool", f"{OF_AKS}agentpool")
"""The name of a generation of a pool."""
OF_GPU = ("accelerator", f"{OF_AKS}accelerator")
SPOT = f"{OF_AKS}scalesetpriority"
"""Only on spot machines, which no pool of the program's has."""
OF_KUBERNETES = (
    *(f"{above}kubernetes.io/{key}" for above in ("", "beta.") for key in ("os", "arch")),
    *(f"{above}kubernetes.io/{key}" for above in ("topology.", "failure-domain.beta.") for key in ("region", "zone")),
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
)
UNCERTAIN = ("kubernetes.io/hostname", "kubernetes.io/role", "storageprofile", "storagetier",
             "topology.disk.csi.azure.com/zone", *GENERATION)  # fmt: skip


def labels_of(role: Role, generation: Generation, location: str) -> dict[str, Values]:
    """Labels of the nodes of a generation, `location` being the region; those under `OF_AKS` are not all here."""
    zones = frozenset(f"{location}-{zone}" for zone in generation.zones) or None
    arch = frozenset({"amd64"}) if generation.vm_size in SIZES else None
    by_name: dict[str, Values] = {
        "os": frozenset({"linux"}),
        "arch": arch,
        "region": frozenset({location}),
        "zone": zones,
        "instance-type": frozenset({generation.vm_size}),
    }
    found: dict[str, Values] = {key: by_name[key.rpartition("/")[2]] for key in OF_KUBERNETES}
    found |= {**dict.fromkeys(UNCERTAIN), f"{OF_AKS}mode": frozenset({"user"})}
    if role is Role.INFERENCE:
        found |= dict.fromkeys(OF_GPU, frozenset({"nvidia"}))
    return found


def known(key: str) -> bool:
    """Whether nodes of some pool may have a label."""
    return key in (*OF_KUBERNETES, *UNCERTAIN, *OF_GPU) or (key.startswith(OF_AKS) and key != SPOT)


def had(key: str, kinds: Iterable[dict[str, Values]]) -> tuple[bool, Values]:
    """Whether nodes of one of some kinds may have a label, and the values that it has on them for certain."""
    among = list(kinds)
    values = [kind[key] for kind in among if key in kind]
    if not values:
        return key.startswith(OF_AKS) and key not in (SPOT, *OF_GPU), None
    certain = [each for each in values if each is not None]
    return True, frozenset().union(*certain) if len(certain) == len(values) else None
