"""Annotations of any Ingress that our controller does not read, or for which it refuses all of it."""

from __future__ import annotations

from stacks.schema.proxy_ingress import CONFIGURATION_SNIPPET


def refused_by_our_controller(key: str) -> str | None:
    """Why an annotation is of no use with our controller; None where it may be (docs/explanation/ingress.md)."""
    if key == CONFIGURATION_SNIPPET:
        return "snippets of an Ingress are off; the controller itself adds the Request-Id header"
    if key.startswith("nginx.ingress.kubernetes.io/"):
        return "it is for ingress-nginx, which is retired; the controller here reads nginx.org/ annotations"
    if key.startswith("nginx.org/") and key.endswith("-snippets"):
        return "snippets of an Ingress are off, and the controller refuses the whole Ingress for one"
    if key.startswith(("nginx.com/", "appprotect.f5.com/", "appprotectdos.f5.com/")):
        return "it needs NGINX Plus, and the controller refuses the whole Ingress for it"
    if key == "nginx.org/mergeable-ingress-type":
        return "one Ingress has the whole host"
    return None
