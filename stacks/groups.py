"""The session groups of a configuration: their names, where their numbers of pods stand, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass

from components.speech.model_costs import feature, points, registered, served, session_cost
from components.speech.session_group import most
from components.speech.transcriber_languages import speeches
from stacks.schema import Settings
from stacks.schema.inference_server import ServerSettings


@dataclass(frozen=True)
class Group:
    """One session group."""

    name: str
    setting: str
    """YAML path of its number of pods while scaling is off."""
    pods: int
    """The most it may want."""
    sessions: int
    """Sessions at once in all of them; an inference server's with the dearest language it serves here, and those of
    Flow's voices with the dearest voice."""


OVERRIDES = "transcribers.transcriber.languages.overrides.sessionGroupsScaling"


def transcribers(settings: Settings) -> dict[str, Group]:
    """The group of each language. A language's own `minReplicas` is its number of pods while scaling is off.

    The key of all languages is never the one to hold a live number with: it would raise every other language to it.
    """
    found = {}
    for each in speeches(settings.transcribers, settings.global_):
        pods = each.most - each.allowed_surge
        setting = f"{OVERRIDES}.{each.language}.minReplicas"
        found[each.language] = Group(each.name, setting, pods, pods * each.concurrency)
    return found


def inference(settings: Settings) -> dict[str, Group]:
    """The group of each enabled inference server, by the server's key."""
    everywhere = settings.global_.session_groups.scaling.enabled
    found = {}
    for key, server in settings.inference_servers.items():
        if server.enabled:
            groups = server.session_groups
            pods = most(groups, everywhere)
            cost = _dearest(settings, server)
            capacity = server.inference_sidecar.register_features.capacity
            sessions = pods * (capacity // cost) if cost else 0
            found[key] = Group(server.fullname_override, f"{key}.sessionGroups.replicas", pods, sessions)
    return found


def _dearest(settings: Settings, server: ServerSettings) -> int:
    """Capacity that one session uses of a server, in the dearest of the deployed languages; 0 where it serves none."""
    costs = registered(server)
    known = {language for language, _ in served(server)}
    speaking = speeches(settings.transcribers, settings.global_)
    deployed = {feature(each.language) for each in speaking if not each.on_cpu} & known
    return max((session_cost(costs, language, point) for language in deployed for point in points(server)), default=0)


def flow(settings: Settings) -> dict[str, Group]:
    """The groups of Flow by their key, where they are on: conversations, and the voices that speak in them.

    What they hold is no transcription; a conversation's transcriber is counted there.
    """
    own, tts, everywhere = settings.flow, settings.flow.tts, settings.global_.session_groups.scaling.enabled
    found = {}
    if own.enabled:
        pods = own.session_groups.most(everywhere)
        sessions = pods * own.max_concurrent_connections.value
        found["flow"] = Group(own.fullname_override, "flow.sessionGroups.replicas", pods, sessions)
    if own.enabled and tts.enabled:
        pods = tts.session_groups.most(everywhere)
        cost = max(tts.costs.values(), default=0)
        held = tts.inference_sidecar.register_features.capacity // cost if cost else 0
        found["flow.tts"] = Group(tts.name, "flow.tts.sessionGroups.replicas", pods, pods * held)
    return found


def session_groups(settings: Settings) -> tuple[Group, ...]:
    """All of them."""
    return (*inference(settings).values(), *transcribers(settings).values(), *flow(settings).values())


def capacity(settings: Settings) -> int:
    """Transcriptions the platform holds at once when every language is in full use; conversations are none.

    Each language counts as its transcribers hold, and all languages of one inference server together as the server
    holds; a language of two servers counts at the first, in the contract's order. Languages on CPU need no server.
    """
    speaking, servers = transcribers(settings), inference(settings)
    counted = {each.language for each in speeches(settings.transcribers, settings.global_) if each.on_cpu}
    total = sum(speaking[language].sessions for language in counted)
    for key, server in settings.inference_servers.items():
        if not server.enabled:
            continue
        known = {language for language, _ in served(server)}
        mine = {language for language in speaking if feature(language) in known} - counted
        counted |= mine
        total += min(servers[key].sessions, sum(speaking[language].sessions for language in mine))
    return total
