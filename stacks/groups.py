"""The session groups of a configuration: their names, where their numbers of pods stand, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass

from components.speech.model_costs import feature, points, registered, served, session_cost
from components.speech.naming import language_name
from stacks.schema import Settings
from stacks.schema.inference_server import ServerSettings
from stacks.schema.session_groups import InferenceGroups, TranscriberGroups


@dataclass(frozen=True)
class Group:
    """One session group."""

    name: str
    setting: str
    """YAML path of its number of pods while scaling is off."""
    pods: int
    """The most it may want."""
    sessions: int
    """Sessions at once in all of them; an inference server's with the dearest language it serves here."""


def most_pods(groups: TranscriberGroups | InferenceGroups, scaled: bool) -> int:
    """Pods a group may want at most, surges aside."""
    return groups.scaling.max_replicas if scaled else groups.replicas


def transcribers(settings: Settings) -> dict[str, Group]:
    """The group of each language."""
    part = settings.transcribers
    if not part.enabled:
        return {}
    pods = most_pods(part.session_groups, settings.global_.session_groups.scaling.enabled)
    sessions = pods * part.transcriber.max_concurrent_connections.value
    return {
        language: Group(
            language_name(part.fullname_override, language), "transcribers.sessionGroups.replicas", pods, sessions
        )
        for language in settings.global_.transcriber.languages
    }


def inference(settings: Settings) -> dict[str, Group]:
    """The group of each enabled inference server, by the server's key."""
    scaled = settings.global_.session_groups.scaling.enabled
    found = {}
    for key, server in settings.inference_servers.items():
        if server.enabled:
            pods = most_pods(server.session_groups, scaled)
            cost = _dearest(settings, server)
            capacity = server.inference_sidecar.register_features.capacity
            sessions = pods * (capacity // cost) if cost else 0
            found[key] = Group(server.fullname_override, f"{key}.sessionGroups.replicas", pods, sessions)
    return found


def _dearest(settings: Settings, server: ServerSettings) -> int:
    """Capacity that one session uses of a server, in the dearest of the deployed languages; 0 where it serves none."""
    costs = registered(server)
    known = {language for language, _ in served(server)}
    deployed = {feature(each) for each in settings.global_.transcriber.languages} & known
    return max((session_cost(costs, language, point) for language in deployed for point in points(server)), default=0)


def session_groups(settings: Settings) -> tuple[Group, ...]:
    """All of them."""
    return (*inference(settings).values(), *transcribers(settings).values())


def capacity(settings: Settings) -> int:
    """Sessions the platform holds at once when every language is in full use.

    Each language counts as its transcribers hold, and all languages of one inference server together as the server
    holds; a language of two servers counts at the first, in the contract's order.
    """
    total, counted = 0, set[str]()
    speaking, servers = transcribers(settings), inference(settings)
    for key, server in settings.inference_servers.items():
        if not server.enabled:
            continue
        known = {language for language, _ in served(server)}
        mine = {language for language in speaking if feature(language) in known} - counted
        counted |= mine
        total += min(servers[key].sessions, sum(speaking[language].sessions for language in mine))
    return total
