"""Keys of the chart that have no place here, or a new effect: left out on purpose, newer, or idle there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stacks.newer import NEWER
from stacks.schema.paths import exists

LEFT = "it is left out of the stack file"
"""What mends a value that has no place there: nothing is left to be done."""


@dataclass(frozen=True)
class LeftOut:
    """A part of the chart that this program does not make."""

    name: str
    keys: tuple[str, ...]
    """Paths, `*` being one step; everything below them too."""
    reason: str
    instead: str
    """What to do for the same purpose."""

    def covers(self, path: str) -> bool:
        return any(covers(key, path) for key in self.keys)


def covers(pattern: str, path: str) -> bool:
    """Whether a path is the pattern's, or below it."""
    begin = re.escape(pattern).replace(r"\*", r"[^.]+")
    return re.match(rf"{begin}($|[.\[])", path) is not None


LEFT_OUT = (
    LeftOut(
        "sm-scaling",
        ("*.tritonServer.autoscaling", "transcribers.transcriber.autoscaling", "global.scaler", "*.sm-scaling"),
        "it scales plain Deployments and ends pods whose sessions nobody counts; session groups have a controller that "
        "scales them and knows which pods are idle",
        "`<server>.sessionGroups.scaling` with `global.sessionGroups.scaling.enabled`",
    ),
    LeftOut(
        "Triton's Ingresses",
        ("*.tritonServer.ingress",),
        "they point at a Service that no object of the chart has, and would open an inference server, which asks "
        "nobody who they are, to the outside",
        "clients come through the proxy's Ingress",
    ),
    LeftOut(
        "Triton's test Pod",
        ("*.tests",),
        "its template refers to a value that does not exist; and a Pod that only `helm test` starts has no place in "
        "a program without Helm",
        "`make test`, and after an update a session through the proxy",
    ),
    LeftOut(
        "the device plugin of each server",
        ("*.nvidiaDrivers",),
        "every server would make the same object under the same name; there is one GPU plugin for the GPU pool",
        "nothing: the plugin is there",
    ),
    LeftOut(
        "the resource manager's redirect Ingress",
        (
            "resourceManager.ingress.enabled",
            "resourceManager.ingress.redirect",
            "resourceManager.ingress.enableRedirectAnnotations",
        ),
        "its path is a regular expression without the annotation that makes it one, and it hands over to a named "
        "location that nothing defines; behind it, the resource manager asks nobody who they are",
        "clients come through the proxy's Ingress",
    ),
    LeftOut(
        "Datadog annotations",
        ("*.datadog", "*.*.datadog"),
        "they speak to one vendor's agent, which is not part of the platform",
        "`additionalAnnotations` of the workload, where your agent wants some",
    ),
)

NOW_EFFECTIVE = {
    "resourceManager.redis.timeoutConnection": "the chart's templates never read this key; here it does what its "
    "description says",
    "resourceManager.redis.replicas.replicaCount": "the chart's templates never read this key; here it counts",
    **dict.fromkeys(
        (
            "transcribers.transcriber.affinity",
            "resourceManager.metrics.affinity",
            "resourceManager.reconciliation.affinity",
            "resourceManager.sessionGroups.affinity",
            "flow.affinity",
            "flow.llmProxy.affinity",
            "flow.tts.affinity",
            "flow.vllm.affinity",
        ),
        "the chart's templates never read this key; here the pods get it",
    ),
    "resourceManager.ingress.api.enabled": "in the chart it counts only beside `resourceManager.ingress.enabled`; here "
    "it is a switch of its own",
}
"""Keys without an effect in the chart that have one here."""


def kept_newer(kept: Iterable[str]) -> list[tuple[str, str]]:
    """What there is to say of keys of newer charts that are kept, because this program has them too."""
    paths = list(kept)
    return [
        (key, f"kept, though it is {why}")
        for key, why in NEWER.items()
        if exists(key) and any(covers(key, p) for p in paths)
    ]


def newer(path: str) -> str | None:
    """What there is to say of a key of a newer chart."""
    return next((why for key, why in NEWER.items() if covers(key, path) and not exists(key)), None)
