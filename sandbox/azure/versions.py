"""Which Kubernetes versions AKS offers, and which of them can run here.

AKS documentation supported-kubernetes-versions and release 2026-10-25. One API server binary is built here, 1.35.4;
every patch of its minor is taken and played by that binary, the other minors are refused.
"""

from __future__ import annotations

import re

from sandbox.azure.errors import ArmError, NotPlayedError

OFFERED = ("1.34.12", "1.35.9", "1.36.5", "1.37.1")
BUILT = "1.35.4"
"""The version of the binary; also taken as a version of a cluster, so that one can say what is really running."""


def minor(version: str) -> tuple[int, int]:
    first, second, *_ = version.split(".")
    return int(first), int(second)


def resolve(version: str) -> str:
    """The full version Azure picks for a version or a minor. Raises `ArmError` for one Azure does not offer.

    Raises `NotPlayedError` for one that Azure offers and this machine has no binary of.
    """
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", version) is None:
        raise ArmError(400, "InvalidParameter", f"The value of parameter kubernetesVersion is invalid: {version!r}.")
    known = (*OFFERED, BUILT)
    found = next((full for full in known if version in (full, ".".join(full.split(".")[:2]))), None)
    if found is None:
        raise ArmError(
            400,
            "K8sVersionNotSupported",
            f"Managed cluster is on version {version} which is not supported in this region. Supported versions: "
            f"{', '.join(OFFERED)}.",
        )
    if minor(found) != minor(BUILT):
        raise NotPlayedError(
            f"Kubernetes {version}: the only API server built here is {BUILT}. Use a version {BUILT.rpartition('.')[0]}"
        )
    return found
