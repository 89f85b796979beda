"""Which Kubernetes versions AKS offers, and which of them can run here.

AKS documentation supported-kubernetes-versions and release 2026-10-25. One API server binary is built here, and it
plays every offered patch of its minor version; what is offered of other minors is refused as not played here, what is
not offered as Azure refuses it. A cluster or pool that exists keeps its version when that is offered no more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.azure.errors import ArmError, NotPlayedError

OFFERED = ("1.34.12", "1.35.9", "1.36.5", "1.37.1")
BUILT = "1.35.4"
"""The version of the binary. AKS does not offer this patch: it is no version of a cluster."""


def minor(version: str) -> tuple[int, int]:
    first, second, *_ = version.split(".")
    return int(first), int(second)


def offered(added: str = "") -> tuple[str, ...]:
    """What AKS offers, newest first where a plane's setting adds to it (`kubernetesVersions`)."""
    return (*filter(None, added.split(",")), *OFFERED)


def playable(offers: Sequence[str]) -> str:
    """The offered version that can be played here."""
    return next(full for full in offers if minor(full) == minor(BUILT))


def resolve(version: str, offers: Sequence[str], running: str | None = None) -> str:
    """The full version Azure picks for a version or a minor. Raises `ArmError` for one Azure does not offer.

    `offers` is what it offers; `running` is what the resource, or the cluster of a pool, has already: that one is known
    even when it is not offered any more. Raises `NotPlayedError` for one that Azure offers and this machine has no
    binary of.
    """
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", version) is None:
        raise ArmError(400, "InvalidParameter", f"The value of parameter kubernetesVersion is invalid: {version!r}.")
    if version == running:
        return version
    found = next((full for full in offers if version in (full, ".".join(full.split(".")[:2]))), None)
    if found is None:
        raise ArmError(
            400,
            "K8sVersionNotSupported",
            f"Managed cluster is on version {version} which is not supported in this region. Supported versions: "
            f"{', '.join(offers)}.",
        )
    if minor(found) != minor(BUILT):
        raise NotPlayedError(f"Kubernetes {version}: the only API server built here is {BUILT}. Use {playable(offers)}")
    return found


def asked(version: str, running: str, offers: Sequence[str]) -> str:
    """The full version a PUT over something that runs one asks for.

    The minor it has already asks for no other patch (AKS REST API, `orchestratorVersion`). Raises as `resolve` does.
    """
    return running if version == running.rpartition(".")[0] else resolve(version, offers, running)
