"""What the four components of Flow have in common (contract: flow 1)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.speech.naming import MANAGED_BY, short
from components.speech.pod import Json, env
from stacks.schema.flow.shared import FlowWorkload
from stacks.schema.fragment import EnvEntry
from stacks.schema.global_settings import GlobalSettings

CONFIG_HASH = "sm-realtime/config-hash"
"""Pod annotation: what the pod reads once, at its start, as a hash; a change is a new version of the pod."""

SECRET_HASH = "sm-realtime/secret-hash"
"""The same of flow-service's Secret made here. Keys of services are long and random: their hash tells nothing."""


def digest(*texts: str) -> str:
    """A short hash of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class WayIn:
    """The ingress controller of the platform, where there is one."""

    class_name: pulumi.Input[str]
    serves: str
    """The class by its name in the configuration."""
    ready: tuple[pulumi.Resource, ...]


@dataclass(frozen=True)
class FlowCommon:
    """What all four components need."""

    namespace: pulumi.Output[str]
    namespace_name: str
    release: str
    global_: GlobalSettings
    session_seconds: int
    """The longest conversation in seconds."""
    protect: bool
    way_in: WayIn | None = None

    def pull_secrets(self, settings: FlowWorkload) -> list[str]:
        """The component's own, or those of everything."""
        return [secret.name for secret in settings.image_pull_secrets or self.global_.image_pull_secrets]


@dataclass(frozen=True)
class Face:
    """Names, labels and annotations of one component's objects (contract: flow 1.1)."""

    common: FlowCommon
    settings: FlowWorkload
    name: str
    version: str

    @property
    def selector(self) -> dict[str, str]:
        return {"app.kubernetes.io/name": self.name, "speechmatics.io/component": self.name}

    @property
    def labels(self) -> dict[str, str]:
        return {
            **self.settings.additional_labels,
            "app": self.name,
            "app.kubernetes.io/version": short(self.version),
            "app.kubernetes.io/instance": self.common.release,
            "app.kubernetes.io/managed-by": MANAGED_BY,
            **self.selector,
        }

    @property
    def pod_labels(self) -> dict[str, str]:
        return {**self.settings.additional_pod_labels, **self.selector}

    def metadata(
        self,
        name: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> kubernetes.meta.v1.ObjectMetaArgs:
        """Metadata of an object, the component's own name unless another is given."""
        component: dict[str, pulumi.Input[str]] = {"speechmatics.io/component": self.name}
        return kubernetes.meta.v1.ObjectMetaArgs(
            name=name or self.name,
            namespace=self.common.namespace,
            labels={**(labels or {}), **self.labels},
            annotations={**self.settings.additional_annotations, **(annotations or {}), **component},
        )


def with_env(
    own: Sequence[Json], entries: Sequence[EnvEntry], values: Mapping[str, str], last: Sequence[Json] = ()
) -> list[Json]:
    """The program's variables, then the configured ones: those with a source as given, the plain ones by name.

    A configured one takes the place of the program's own of that name, because a name may stand only once. `last` are
    those that the vendor's controller puts at the end.
    """
    plain = [env(name, values[name]) for name in sorted(values)]
    more = {each["name"]: dict(each) for each in (*entries, *plain)}
    return [*(each for each in own if each["name"] not in more), *more.values(), *last]
