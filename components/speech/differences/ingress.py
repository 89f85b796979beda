"""The ingress controller, which the chart takes for given."""

from __future__ import annotations

from components.speech.differences.difference import Difference, Ours

KINDS = (
    "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Deployment", "Service",
    "PodDisruptionBudget",
)  # fmt: skip
OBJECTS = (
    *(f"{kind}/nginx-ingress" for kind in KINDS),
    "Role/nginx-ingress-watched",
    "RoleBinding/nginx-ingress-watched",
    "ConfigMap/nginx-config",
    "Secret/nginx-default-tls",
    "IngressClass/nginx",
)

INGRESS_CONTROLLER: tuple[Difference, ...] = (
    Difference(
        " ".join(OBJECTS),
        "",
        Ours(),
        "The README has the operator install a controller for class `nginx` first; here it comes with the platform.",
    ),
)
"""The differences."""
