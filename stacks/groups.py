"""What holds sessions: names, where their numbers of pods stand, and what they hold; plain Deployments as well."""

from __future__ import annotations

from dataclasses import dataclass

from components.speech.model_costs import feature, points, registered, served, session_cost
from components.speech.pods import server_pods, talking_pods
from components.speech.transcriber_languages import speeches
from stacks.schema import Settings
from stacks.schema.flow import FlowSettings
from stacks.schema.flow.tts import TtsSettings
from stacks.schema.inference_server import ServerSettings


@dataclass(frozen=True)
class Group:
    """One session group, or the plain Deployment in its place."""

    name: str
    setting: str
    """YAML path of its number of pods while scaling is off."""
    pods: int
    """The most it may want."""
    sessions: int
    """Sessions at once in all of them; an inference server's with the dearest language it serves here, and those of
    Flow's voices with the dearest voice."""
    scaled: bool = False
    """Whether the controller owns the number of pods."""


OVERRIDES = "transcribers.transcriber.languages.overrides.sessionGroupsScaling"
PLAIN_OVERRIDES = "transcribers.transcriber.languages.overrides.autoscaling"


def transcribers(settings: Settings) -> dict[str, Group]:
    """The group of each language. A language's own `minReplicas` is its number of pods while scaling is off.

    The key of all languages is never the one to hold a live number with: it would raise every other language to it.
    """
    found = {}
    for each in speeches(settings.transcribers, settings.global_):
        pods = each.pods
        setting = f"{OVERRIDES if each.grouped else PLAIN_OVERRIDES}.{each.language}.minReplicas"
        found[each.language] = Group(each.name, setting, pods.wanted, pods.wanted * each.concurrency, pods.scaled)
    return found


def inference(settings: Settings) -> dict[str, Group]:
    """The group of each enabled inference server, by the server's key."""
    everywhere, found = settings.global_.session_groups.enabled, {}
    for key, server in settings.inference_servers.items():
        if server.enabled:
            pods = server_pods(server, settings.global_)
            part = "sessionGroups" if server.session_groups.used(everywhere) else "tritonServer"
            cost = _dearest(settings, server)
            capacity = server.inference_sidecar.register_features.capacity
            sessions = pods.wanted * (capacity // cost) if cost else 0
            found[key] = Group(server.fullname_override, f"{key}.{part}.replicas", pods.wanted, sessions, pods.scaled)
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
    own, tts, found = settings.flow, settings.flow.tts, {}
    if own.enabled:
        pods = talking_pods(own, settings.global_)
        sessions = pods.wanted * own.max_concurrent_connections.value
        number = _number(settings, "flow", own)
        found["flow"] = Group(own.fullname_override, number, pods.wanted, sessions, pods.scaled)
    if own.enabled and tts.enabled:
        pods = talking_pods(tts, settings.global_)
        cost = max(tts.costs.values(), default=0)
        held = tts.inference_sidecar.register_features.capacity // cost if cost else 0
        number = _number(settings, "flow.tts", tts)
        found["flow.tts"] = Group(tts.name, number, pods.wanted, pods.wanted * held, pods.scaled)
    return found


def _number(settings: Settings, path: str, part: FlowSettings | TtsSettings) -> str:
    """Where the number of pods of flow-service or TTS stands."""
    grouped = part.session_groups.used(settings.global_.session_groups.enabled)
    return f"{path}.sessionGroups.replicas" if grouped else f"{path}.replicas"


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
