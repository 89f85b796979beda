"""Names, images and label sets that several services of the platform share (contract: control plane 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MANAGED_BY = "sm-realtime"
"""Value of `app.kubernetes.io/managed-by`: not Helm, or Helm would take the objects for its own."""

MAX_NAME = 63
"""Longest value of a label, in characters."""


def short(text: str) -> str:
    """Cut to a label's length."""
    return text[:MAX_NAME]


def image(registry: str, repository: str, tag: str) -> str:
    """The full name of an image."""
    return f"{registry}/{repository}:{tag}"


def language_name(base: str, language: str) -> str:
    """Name of a language's group: underscores are not allowed in object names."""
    return f"{base}-{language.replace('_', '-')}"


def release_labels(release: str) -> dict[str, str]:
    """Labels of the maps that belong to the installation as a whole (contract: control plane 3.2)."""
    return {
        "app.kubernetes.io/managed-by": MANAGED_BY,
        "app.kubernetes.io/name": "sm-realtime",
        "app.kubernetes.io/instance": release,
        "speechmatics.io/component": release,
    }


@dataclass(frozen=True)
class ControlPlaneLabels:
    """The label sets of the resource manager's objects (contract: control plane 3.2)."""

    fullname: str
    release: str
    tag: str

    def selector(self, app: str) -> dict[str, str]:
        return {
            "app.kubernetes.io/name": self.fullname,
            "app.kubernetes.io/instance": self.release,
            "app": app,
        }

    def without_app(self) -> dict[str, str]:
        return {
            "app.kubernetes.io/name": self.fullname,
            "app.kubernetes.io/instance": self.release,
            "app.kubernetes.io/version": short(self.tag),
            "app.kubernetes.io/managed-by": MANAGED_BY,
            "speechmatics.io/component": self.fullname,
        }

    def full(self, app: str) -> dict[str, str]:
        return {**self.without_app(), **self.selector(app)}

    def annotations(self) -> Mapping[str, str]:
        return {"speechmatics.io/component": self.fullname}


DEPLOYMENT_LABEL = "speechmatics.io/deployment"
"""Label that tells the proxy's deployments apart; the Service's switch (contract: proxy 2)."""


@dataclass(frozen=True)
class ProxyLabels:
    """The label sets of the proxy's objects (contract: proxy 1.2)."""

    fullname: str
    release: str

    def selector(self, key: str) -> dict[str, str]:
        """Pods of one deployment."""
        return {
            "app.kubernetes.io/name": self.fullname,
            "app.kubernetes.io/instance": self.release,
            DEPLOYMENT_LABEL: key,
        }

    def common(self) -> dict[str, str]:
        return {
            "app": self.fullname,
            "app.kubernetes.io/managed-by": MANAGED_BY,
            "app.kubernetes.io/name": self.fullname,
            "app.kubernetes.io/instance": self.release,
            "speechmatics.io/component": self.fullname,
        }

    def versioned(self, tag: str) -> dict[str, str]:
        return {**self.common(), "app.kubernetes.io/version": short(tag)}
