"""The API server's objects as plain values: pods, nodes, and what makes pods. Pure.

What a pod is to a session is told by its images (`sandbox.nodes.images`; contract: transcription 4 and 11, proxy 4,
flow 2 to 5): names of objects are the configuration's to choose.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.hosted.host import Json, RefusedError, repository
from sandbox.hosted.times import timestamp
from sandbox.ingress import host
from sandbox.nodes.dependencies import duration
from sandbox.sessions.model import Role
from sandbox.twin.model import OPERATING_POINTS, VERSION_LABEL, node_lost

SERVING: Mapping[Role, re.Pattern[str]] = {
    Role.INGRESS: re.compile(r"nginx-ingress|kubernetes-ingress"),
    Role.PROXY: re.compile(r"proxy-service"),
    # the transcriber reaches its inference server through the worker-proxy
    Role.TRANSCRIBER: re.compile(r"rt-asr-transcriber-.+|worker-proxy"),
    Role.INFERENCE: re.compile(r"sm-gpu-inference-server-.+"),
    Role.FLOW: re.compile(r"flow-service"),
    Role.TTS: re.compile(r"sm-tts-inference-server"),
    Role.LLM_PROXY: re.compile(r"llm-proxy"),
    Role.VLLM: re.compile(r"vllm-openai"),
    Role.RESOURCE_MANAGER: re.compile(r"resource-manager"),
    Role.REDIS: re.compile(r"redis"),
}
"""By role the images of the containers that serve its sessions, by the last part of the repository."""

CHOSEN = frozenset({Role.TRANSCRIBER, Role.INFERENCE, Role.FLOW})
"""Roles whose pods the vendor's software chooses by what they register."""

END_UNKNOWN = CHOSEN | {Role.TTS}
"""Roles of which nobody here knows what a busy pod does at SIGTERM (`sandbox.nodes.images`: `finishes_busy`)."""

BY_TURN = frozenset({Role.LLM_PROXY, Role.VLLM})
"""Roles whose pods a conversation calls for one turn at a time, each by the name of a Service."""

DEFAULT_GRACE = 30.0


@dataclass(frozen=True)
class Pod:
    """One pod. Seconds are the object's."""

    namespace: str
    name: str
    uid: str
    role: Role | None = None
    node: str = ""
    owner: str = ""
    """Uid of its controller."""
    labels: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    """Of its SessionGroup's template."""
    ready: bool = False
    stopping: bool = False
    """Somebody has asked for its deletion."""
    asked: float = 0.0
    """When, if so (seconds since the epoch)."""
    grace: float = DEFAULT_GRACE
    """How long it may take to stop: what the deletion says, else what the pod says."""
    ended: str = ""
    """What ended it, or a container that serves its sessions."""
    life: str = ""
    """Ids of those containers."""
    waits: bool = False
    """Whether its preStop hook waits for the sessions: SIGTERM comes when they are over."""
    leaves_after: float = 0.0
    """Seconds that its preStop hook sleeps."""
    features: str = ""
    """REGISTER_FEATURES."""
    config_map: tuple[str, str] | None = None
    """Namespace and name of the ConfigMap that an ingress controller or a proxy watches."""
    mounts: tuple[str, ...] = ()
    """Names of the ConfigMaps that it mounts."""
    replica: bool = False
    """Whether it is a Redis that follows another one for life: it never answers instead of it."""
    ping: float | None = None
    """Seconds between the pings of a transcriber's websocket (`autoPingTimeout`); None: not said."""
    lease: float | None = None
    """Seconds that a registration at a resource manager is valid; None: not said."""
    selection: int = 0
    """By which strategy a resource manager selects (SM_RESOURCE_SELECTION_STRATEGY)."""
    turn: float = 0.0
    """Seconds that an LLM proxy waits for an answer at most."""

    @property
    def takes_calls(self) -> bool:
        return self.ready and not self.stopping and not self.ended


@dataclass(frozen=True)
class Node:
    """One machine."""

    name: str
    cordoned: bool = False
    lost: bool = False
    """It does not answer: its Ready condition is not True."""


@dataclass(frozen=True)
class Workload:
    """What makes pods of one role: a SessionGroup, a Deployment, a StatefulSet."""

    kind: str
    namespace: str
    name: str
    uid: str
    role: Role | None = None
    language: str = ""
    version: int = 0
    """A SessionGroup's `status.specVersion`; 0 where there is none."""


def containers(spec: Json) -> list[Json]:
    """Those that run as long as the pod does."""
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    return [*sidecars, *(spec.get("containers") or [])]


def role_of(spec: Json) -> Role | None:
    """What a pod with this spec is to a session; None: nothing."""
    images = [repository(container["image"]) for container in containers(spec)]
    # a worker-proxy alone makes no transcriber
    named = [image for image in images if image != "worker-proxy"]
    return next((role for role, pattern in SERVING.items() if any(pattern.fullmatch(each) for each in named)), None)


def _variable(spec: Json, name: str) -> str:
    """The literal value of a variable in any of the containers; of two of one name the last one counts."""
    found = ""
    for container in containers(spec):
        for env in container.get("env") or []:
            if env["name"] == name and env.get("value"):
                found = str(env["value"])
    return found


def _ping(spec: Json) -> float | None:
    try:
        return float(json.loads(_variable(spec, "SM_WEBSOCKET_CONFIG") or "{}")["autoPingTimeout"])
    except (ValueError, KeyError, TypeError):
        return None


def _config_map(obj: Json, role: Role | None) -> tuple[str, str] | None:
    if role is Role.PROXY:
        watched = _variable(obj["spec"], "SM_CONFIGMAP_TO_LISTEN")
        return (obj["metadata"]["namespace"], watched) if watched else None
    if role is not Role.INGRESS:
        return None
    try:
        controller = host.host(obj)
    except RefusedError:
        return None
    return controller.arguments.config_map if controller else None


def _mounts(spec: Json) -> tuple[str, ...]:
    return tuple(each["configMap"]["name"] for each in spec.get("volumes") or [] if "configMap" in each)


def _follows(serving: list[Json]) -> bool:
    return any("--replicaof" in [*(each.get("command") or []), *(each.get("args") or [])] for each in serving)


def _hooks(serving: list[Json]) -> tuple[bool, float]:
    hooks = [(container.get("lifecycle") or {}).get("preStop") or {} for container in serving]
    sleeps = [float(hook["sleep"]["seconds"]) for hook in hooks if "sleep" in hook]
    return any("exec" in hook for hook in hooks), max(sleeps, default=0.0)


def _ended(status: Json, names: set[str]) -> str:
    if status.get("phase") in ("Failed", "Succeeded"):
        return f"the pod has {status['phase'].lower()}: {status.get('reason') or 'its containers have ended'}"
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        terminated = (each.get("state") or {}).get("terminated")
        if each["name"] in names and terminated:
            return f"container {each['name']} ended with exit code {terminated['exitCode']}"
    return ""


def pod(obj: Json) -> Pod:
    """The pod of an API object."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    role = role_of(spec)
    pattern = SERVING[role] if role else re.compile(r"(?!)")
    serving = [c for c in containers(spec) if pattern.fullmatch(repository(c["image"]))]
    names = {container["name"] for container in serving}
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    grace = meta.get("deletionGracePeriodSeconds", spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE))
    stopping = "deletionTimestamp" in meta
    waits, sleeps = _hooks(serving)
    version = (meta.get("labels") or {}).get(VERSION_LABEL, "")
    return Pod(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        role=role,
        node=spec.get("nodeName") or "",
        owner=next((owner["uid"] for owner in meta.get("ownerReferences") or [] if owner.get("controller")), ""),
        labels=meta.get("labels") or {},
        version=int(version) if version.isdecimal() else 0,
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or []),
        stopping=stopping,
        asked=timestamp(meta["deletionTimestamp"]) - float(grace) if stopping else 0.0,
        grace=float(grace),
        ended=_ended(status, names),
        life=",".join(each["containerID"] for each in statuses if each["name"] in names and each.get("containerID")),
        waits=waits,
        leaves_after=sleeps,
        features=_variable(spec, "REGISTER_FEATURES"),
        config_map=_config_map(obj, role),
        mounts=_mounts(spec),
        replica=role is Role.REDIS and _follows(serving),
        ping=_ping(spec),
        lease=duration(_variable(spec, "SM_LEASE_DURATION")) if role is Role.RESOURCE_MANAGER else None,
        selection=int(_variable(spec, "SM_RESOURCE_SELECTION_STRATEGY") or 0) if role is Role.RESOURCE_MANAGER else 0,
        turn=float(_variable(spec, "BACKEND_TIMEOUT_SEC") or 0) if role is Role.LLM_PROXY else 0.0,
    )


WHOLE_SECONDS = 1.0
"""Timestamps of the API server are cut to whole seconds: a pod was told to stop up to so much later than they say."""


def told_before(now: Pod, before: Pod | None, seen: float) -> Pod:
    """The same, told to stop when and for how long it was told at first; `seen` is the time (since the epoch).

    Once its processes have ended its kubelet deletes it with no grace at all, which was nobody's wish. Who sees it told
    knows the moment better than its timestamp, which is earlier by a part of a second: a minute of sixty times as fast.
    """
    if before is None or not now.stopping:
        return now
    if before.stopping and now.ended and not now.grace:
        return dataclasses.replace(now, asked=before.asked, grace=before.grace)
    if before.stopping and now.asked <= before.asked:
        return dataclasses.replace(now, asked=before.asked)
    return dataclasses.replace(now, asked=max(now.asked, min(now.asked + WHOLE_SECONDS, seen)))


def node(obj: Json) -> Node:
    """The node of an API object."""
    return Node(obj["metadata"]["name"], bool(obj["spec"].get("unschedulable")), node_lost(obj))


def workload(kind: str, obj: Json) -> Workload:
    """The SessionGroup, Deployment or StatefulSet of an API object."""
    meta, template = obj["metadata"], obj["spec"]["template"]
    return Workload(
        kind=kind,
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        role=role_of(template.get("spec") or {}),
        language=((template.get("metadata") or {}).get("labels") or {}).get("lang", ""),
        version=int((obj.get("status") or {}).get("specVersion") or 0),
    )


@dataclass(frozen=True)
class Offer:
    """What a pod registers for one language (or for `flow-worker`), in its own unit of capacity."""

    capacity: int
    cost: int
    """Of one session."""
    version: str


@functools.lru_cache(maxsize=4096)
def offer(features: str, key: str) -> Offer | None:
    """What REGISTER_FEATURES says about `key`; None: it is not served, or the text cannot be read.

    The cost of a session is the largest sum over the models of one operating point (`en:..._enhanced`); shared models
    (`*:...`) are left out, as the twin does.
    """
    try:
        registered = json.loads(features)
        sums: dict[str, int] = {}
        for model, cost in registered["model_costs"].items():
            language, _, name = model.partition(":")
            if language == key:
                point = name.rpartition("_")[2]
                ending = point if point in OPERATING_POINTS else ""
                sums[ending] = sums.get(ending, 0) + int(cost)
        version = str(registered.get("version", ""))
        return Offer(int(registered["capacity"]), max(sums.values()), version) if sums else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
