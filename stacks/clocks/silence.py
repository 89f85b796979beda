"""Clocks that run against a silence: what drops a connection on which nothing is said, and what says something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from components.cluster.ingress_controller import (
    CONFIG_MAP,
    IDLE_TIMEOUT,
    READ_TIMEOUT,
    SEND_TIMEOUT,
    configuration,
    idle_timeout,
)
from components.cluster.ingress_rights import NAME as ENTRY
from components.flow.fronts import fronts
from components.speech import proxy_ingress
from components.speech.proxy_maps import ZOMBIE
from components.speech.resource_manager_ingresses import FLOW, sections
from components.speech.transcriber_containers import app_of
from components.speech.transcriber_languages import given_wins, speeches
from stacks.clocks.deadline import deadline
from stacks.clocks.rung import Against, By, Code, Least, Mend, Place, Rung
from stacks.problem import set_command
from stacks.schema import Settings
from stacks.schema.base import seconds

VARIABLE = "SM_WEBSOCKET_CONFIG"
PING = "autoPingTimeout"
"""In that variable: seconds after which a transcriber asks a silent client for a sign of life."""

PING_SECONDS = 300
"""The vendor's own (contract: transcription 4.2, 20)."""

LONGEST_IDLE_MINUTES = 30
"""What the load balancer takes by every document (`stacks.schema.ingress`)."""

IDLE = "ingress.idleTimeoutMinutes"
ZOMBIE_KEY = "proxy.proxy.config.deadlines.zombie.deadline_duration"
LIST = "transcribers.transcriber.env"


@dataclass(frozen=True)
class Ping:
    """The ping of the languages that share it."""

    seconds: float | None
    """None: not configured, or not readable; the image's own is not known."""
    groups: tuple[str, ...]
    path: str
    """Of the variable's value."""
    options: dict[str, Any]
    """All that the variable says."""


def pings(settings: Settings) -> list[Ping]:
    """Every different one, by the variable the languages get: that of the processor's list, or the common one."""
    found: dict[str, Ping] = {}
    own = settings.transcribers.transcriber
    for speech in speeches(settings.transcribers, settings.global_):
        kind = "cpu" if speech.on_cpu else "gpu"
        lists: tuple[tuple[str, Sequence[dict[str, Any]]], ...] = (
            (f"transcribers.transcriber.processors.{kind}.env", speech.processor.env),
            (LIST, own.env),
        )
        path = LIST
        for at, entries in lists:
            here = [index for index, each in enumerate(entries) if each["name"] == VARIABLE]
            path = f"{at}[{here[-1]}].value" if here else path
        entries = given_wins([], [*speech.processor.env, *own.env])
        text = next((each.get("value") for each in entries if each["name"] == VARIABLE), None)
        options = _options(text)
        before = found.get(path, Ping(_ping(options), (), path, options))
        found[path] = Ping(before.seconds, (*before.groups, speech.name), path, options)
    return list(found.values())


def _options(text: object) -> dict[str, Any]:
    try:
        options = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return {}
    return options if isinstance(options, dict) else {}


def _ping(options: dict[str, Any]) -> float | None:
    given = options.get(PING)
    return given if isinstance(given, int | float) and not isinstance(given, bool) and given > 0 else None


def silence(settings: Settings) -> tuple[float | None, Ping | None]:
    """The longest silence of a session and the ping that ends it; None: not known."""
    found = pings(settings)
    if not found or any(each.seconds is None for each in found):
        return None, None
    longest = max(found, key=lambda each: each.seconds or 0)
    return min(longest.seconds or 0, settings.sessions.max_duration_seconds), longest


def silence_clocks(settings: Settings) -> Iterator[Rung]:
    """All of them, from the client inwards."""
    gap, ping = silence(settings)
    said = "" if gap is None else f"a session may be silent for {gap:g} s, until its transcriber pings ({PING})"
    least = None if gap is None else Least(gap, said)
    above = None if gap is None else Least(gap, said, above=True)
    yield from _entry(settings, least, above, ping)
    what, mend = "a session in which nothing happens", Mend(ZOMBIE_KEY, Code.SILENCE, set_command(ZOMBIE_KEY, "1h"))
    yield from deadline(settings, ZOMBIE, what=what, against=Against.SILENCE, least=above, mend=mend)
    for each in pings(settings):
        field = ("spec", "template", "spec", "containers", app_of(settings.transcribers), "env", VARIABLE, "value")
        yield Rung(
            "websocket ping",
            each.seconds,
            Against.SILENCE,
            None,
            cut="a silent client is asked for a sign of life by",
            who="the transcriber",
            cuts=False,
            by=By.USER,
            places=tuple(Place("SessionGroup", name, field) for name in each.groups) if each.seconds else (),
            key=each.path,
            guard="it is the longest silence"
            if each.seconds
            else f"{VARIABLE} names no {PING}: the image's own counts",
        )


def _entry(settings: Settings, least: Least | None, above: Least | None, ping: Ping | None) -> Iterator[Rung]:
    if not settings.ingress.enabled:
        return
    idle = int(idle_timeout(settings.ingress)[IDLE_TIMEOUT]) * 60
    yield Rung(
        "load balancer idle timeout",
        idle,
        Against.SILENCE,
        above,
        cut="a silent connection is dropped by",
        who="the Azure load balancer",
        by=By.USER,
        places=(Place("Service", ENTRY, ("metadata", "annotations", IDLE_TIMEOUT)),),
        key=IDLE,
        mend=_longer_than(ping, above, idle) if ping and above else None,
    )
    own = configuration(settings.sessions.max_duration_seconds)
    ways = [("read", READ_TIMEOUT, proxy_ingress.READ_TIMEOUT), ("send", SEND_TIMEOUT, proxy_ingress.SEND_TIMEOUT)]
    for way, key, annotation in ways:
        places = [Place("ConfigMap", CONFIG_MAP, ("data", key))]
        places += [Place("Ingress", name, ("metadata", "annotations", annotation)) for name in _ingresses(settings)]
        yield Rung(
            f"ingress {way} timeout",
            seconds(own[key]),
            Against.SILENCE,
            least,
            cut="a silent connection is closed by",
            who="nginx in the ingress controller",
            by=By.PROGRAM,
            places=tuple(places),
        )


def _ingresses(settings: Settings) -> Iterator[str]:
    """Names of the Ingresses of our controller that sessions come through, each with time-outs of its own."""
    proxy, manager = settings.proxy, settings.resource_manager
    if proxy.enabled and proxy.ingress.enabled and settings.our_ingress:
        yield proxy.fullname_override
    if settings.our_manager_ingress and FLOW in sections(manager.ingress):
        yield f"{manager.fullname_override}-{FLOW}"
    yield from (
        each.object_name for each in fronts(settings.flow) if each.websocket and settings.is_ours(each.class_name)
    )


def _longer_than(ping: Ping, silence: Least, idle: int) -> Mend:
    """The load balancer waits longer where it can, else the transcriber pings sooner."""
    minutes = int(silence.seconds // 60) + 1
    if minutes <= LONGEST_IDLE_MINUTES:
        return Mend(IDLE, Code.SILENCE, set_command(IDLE, minutes))
    text = json.dumps({**ping.options, PING: min(PING_SECONDS, idle // 2)})
    return Mend(ping.path, Code.SILENCE, set_command(ping.path, f"'{text}'"))
