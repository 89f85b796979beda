"""What the preview says where session groups are off: nothing protects the sessions in plain Deployments."""

from __future__ import annotations

from collections.abc import Iterator

from components.speech.transcriber_languages import speeches
from stacks.schema import Settings


def _counted(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def _parts(settings: Settings) -> Iterator[str]:
    """The parts that hold sessions as plain Deployments, counted."""
    everywhere = settings.global_.session_groups.enabled
    languages = [each for each in speeches(settings.transcribers, settings.global_) if not each.grouped]
    servers = [
        each
        for each in settings.inference_servers.values()
        if each.enabled and not each.session_groups.used(everywhere)
    ]
    if languages:
        yield f"the transcribers of {_counted(len(languages), 'language')}"
    if servers:
        yield _counted(len(servers), "inference server")
    flow = settings.flow
    if flow.enabled and not flow.session_groups.used(everywhere):
        yield "flow-service"
    if flow.enabled and flow.tts.enabled and not flow.tts.session_groups.used(everywhere):
        yield "TTS"


def unprotected(settings: Settings) -> str | None:
    """The warning, where anything that holds sessions is a plain Deployment."""
    parts = list(_parts(settings))
    if not parts:
        return None
    *first, last = parts
    named = f"{', '.join(first)} and {last}" if first else last
    return (
        f"global.sessionGroups.enabled is false: {named} run as plain Deployments, and nothing protects their "
        "sessions. Nobody knows which of these pods are busy: updates and drained nodes end them all the same, at the "
        f"latest after {settings.sessions.max_duration_seconds} seconds; a destroy does not ask either."
    )
