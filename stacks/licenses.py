"""Which license Secrets there are: who reads which, and which of them are made here."""

from __future__ import annotations

from dataclasses import dataclass

from stacks.schema import Settings
from stacks.schema.global_settings import ComponentLicensing


@dataclass(frozen=True)
class LicenseUse:
    """One component's license."""

    path: str
    """Where the configuration speaks of it."""
    name: str
    create: bool


def license_name(settings: Settings, own: ComponentLicensing) -> str:
    """The Secret a component reads: its own, or everybody's."""
    return own.secret_name or settings.global_.licensing.secret_name


def uses(settings: Settings) -> tuple[LicenseUse, ...]:
    """Every enabled component's. Parts of the platform that read a license are added here."""
    parts: list[tuple[str, ComponentLicensing]] = []
    if settings.transcribers.enabled:
        parts.append(("transcribers.transcriber.licensing", settings.transcribers.transcriber.licensing))
    for key, server in settings.inference_servers.items():
        if server.enabled:
            parts.append((f"{key}.tritonServer.licensing", server.triton_server.licensing))
    if settings.flow.enabled:
        parts.append(("flow.licensing", settings.flow.licensing))
        if settings.flow.tts.enabled:
            parts.append(("flow.tts.licensing", settings.flow.tts.licensing))
    return tuple(LicenseUse(path, license_name(settings, own), own.create_secret) for path, own in parts)


def created(settings: Settings) -> tuple[str, ...]:
    """Names of the Secrets made here, each once however many ask for it; that of `global` first."""
    global_ = settings.global_.licensing
    names = [global_.secret_name] if global_.create_secret else []
    return tuple(dict.fromkeys([*names, *(use.name for use in uses(settings) if use.create)]))


def named(settings: Settings) -> dict[str, str]:
    """Names of all of them, each with the path that names it."""
    everybodys = settings.global_.licensing
    found: dict[str, str] = {}
    for use in uses(settings):
        path = "global.licensing" if use.name == everybodys.secret_name else use.path
        found.setdefault(use.name, f"{path}.secretName")
    if everybodys.create_secret or not found:
        found.setdefault(everybodys.secret_name, "global.licensing.secretName")
    return found


def existing(settings: Settings) -> dict[str, str]:
    """Names of the Secrets that must be there, each with the path that names it."""
    made = created(settings)
    return {name: path for name, path in named(settings).items() if name not in made}
