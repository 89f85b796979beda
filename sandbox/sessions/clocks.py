"""How long each hop lets a session live or be silent, and a worker that was told to stop its sessions live. Pure.

Read from the live objects; what an object does not say is the default of whoever reads it:

| clock | read from | default |
|---|---|---|
| load balancer | annotation of the ingress controller's Service, minutes | 4 min (Azure) |
| proxy-read-timeout, proxy-send-timeout | annotation of the Ingress, else the controller's ConfigMap | 60 s (nginx) |
| worker-shutdown-timeout | the controller's ConfigMap | none: for ever (nginx) |
| silence | `autoPingTimeout` in SM_WEBSOCKET_CONFIG of the transcribers | for ever |
| the proxy's deadlines | the ConfigMap it watches (SM_CONFIGMAP_TO_LISTEN), unless they only log | for ever |
| lease of a registration | SM_LEASE_DURATION of the resource manager | for ever |

A ping is the only thing sure to cross the wire, so every session is taken to begin with the longest silence there
can be: the ping interval. Graces are not here: the pod stops being there, and that is seen.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sandbox.hosted.host import Json
from sandbox.ingress.config_map import seconds
from sandbox.nodes.dependencies import duration
from sandbox.sessions.model import Kind, Role
from sandbox.sessions.rows import FlowSilence, Rows, Without
from sandbox.sessions.view import View, backends

IDLE_MINUTES = "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout"
ANNOTATIONS = "nginx.org/"

MAX_DURATION = "SM_MAX_DURATION_DEADLINE_CONFIG_JSON"
ZOMBIE = "SM_ZOMBIE_DEADLINE_CONFIG_JSON"
"""Keys of the proxy's ConfigMap (contract: proxy 6)."""

AZURE_IDLE_SECONDS = 240.0
NGINX_SECONDS = 60.0


@dataclass(frozen=True)
class Clocks:
    """Seconds of this machine's clock: those of the objects divided by the time factor."""

    silence: float
    """The longest a session is silent."""
    load_balancer: float
    read: float
    send: float
    shutdown: float
    """From the moment a worker is told to stop until it drops what it still has; infinite: never."""
    longest: float = math.inf
    """After which the proxy ends a session."""
    zombie: float = math.inf
    """After which the proxy ends a session in which nothing happens."""
    lease: float = math.inf
    """How long a registration outlives the last word of who made it."""

    def met_by(self, kind: Kind, rows: Rows) -> Clocks:
        """As a session of that kind meets them, by what is not known of the vendor's software."""
        never_pinged = kind is Kind.FLOW and rows.flow_silence is FlowSilence.NEVER_PINGED
        return replace(
            self,
            silence=math.inf if never_pinged else self.silence,
            lease=math.inf if rows.lapsed_registration is Without.LIVE else self.lease,
        )

    @property
    def limits(self) -> Mapping[str, float]:
        """Clocks that a silent session must not outlast, by name."""
        return {
            "load balancer idle timeout": self.load_balancer,
            "proxy-read-timeout": self.read,
            "proxy-send-timeout": self.send,
        }

    @property
    def shortest(self) -> tuple[str, float] | None:
        """The first clock that cuts a session for its silence, and after how long; None: none does."""
        name, limit = min(self.limits.items(), key=lambda each: each[1])
        return (name, limit) if limit < self.silence else None


def clocks(view: View, config_maps: Sequence[Json], factor: float = 1.0) -> Clocks:
    """The clocks as they are now. Of several objects that say it, the shortest limit and the longest silence count."""
    data = _configuration(view, config_maps)
    pings = [pod.ping for pod in view.pods.values() if pod.role is Role.TRANSCRIBER]
    silence = max((math.inf if ping is None else ping for ping in pings), default=math.inf)
    shutdown = seconds(data.get("worker-shutdown-timeout", ""))
    proxy = _configuration(view, config_maps, Role.PROXY)
    leases = [pod.lease for pod in view.by_role[Role.RESOURCE_MANAGER] if pod.lease is not None]
    return Clocks(
        silence=silence / factor,
        load_balancer=_idle(view) / factor,
        read=_limit(view, data, "proxy-read-timeout") / factor,
        send=_limit(view, data, "proxy-send-timeout") / factor,
        shutdown=math.inf if shutdown is None else shutdown / factor,
        longest=_deadline(proxy, MAX_DURATION) / factor,
        zombie=_deadline(proxy, ZOMBIE) / factor,
        lease=min(leases, default=math.inf) / factor,
    )


def _selects(service: Json, labels: Mapping[str, str]) -> bool:
    selector = service["spec"].get("selector") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _idle(view: View) -> float:
    """Of the load balancer in front of the ingress controller."""
    found = [
        float((service["metadata"].get("annotations") or {}).get(IDLE_MINUTES, AZURE_IDLE_SECONDS / 60)) * 60
        for service in view.services
        if service["spec"].get("type") == "LoadBalancer"
        and any(
            pod.namespace == service["metadata"]["namespace"] and _selects(service, pod.labels)
            for pod in view.by_role[Role.INGRESS]
        )
    ]
    return min(found, default=AZURE_IDLE_SECONDS)


def _configuration(view: View, config_maps: Sequence[Json], role: Role = Role.INGRESS) -> Mapping[str, str]:
    """What the ConfigMaps say that the pods of a role watch."""
    named = {pod.config_map for pod in view.by_role[role]}
    found: dict[str, str] = {}
    for each in config_maps:
        if (each["metadata"]["namespace"], each["metadata"]["name"]) in named:
            found |= each.get("data") or {}
    return found


def _deadline(data: Mapping[str, str], key: str) -> float:
    """Seconds of one of the proxy's deadlines; infinite where it is off (`-1s`), only logs, or is not there."""
    deadline = json.loads(data.get(key) or "{}")
    found = None if deadline.get("log_only") else duration(str(deadline.get("deadline_duration", "")))
    return math.inf if found is None else found


def _limit(view: View, data: Mapping[str, str], key: str) -> float:
    common = seconds(data.get(key, ""))
    default = NGINX_SECONDS if common is None else common
    leading = [each for each in view.ingresses if leads_to_proxy(view, each)]
    own = [seconds((each["metadata"].get("annotations") or {}).get(ANNOTATIONS + key, "")) for each in leading]
    return min((default if each is None else each for each in own), default=default)


def leads_to_proxy(view: View, ingress: Json) -> bool:
    """Whether one of its Services selects pods of the proxy."""
    named = set(backends(ingress))
    services = [each for each in view.services if (each["metadata"]["namespace"], each["metadata"]["name"]) in named]
    return any(
        pod.namespace == each["metadata"]["namespace"] and _selects(each, pod.labels)
        for each in services
        for pod in view.by_role[Role.PROXY]
    )
