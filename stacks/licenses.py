"""Which license Secrets there are: who reads which, and which of them are made here."""

from __future__ import annotations

from dataclasses import dataclass

from components.cluster.license import LICENSE_KEY
from stacks.schema import Settings
from stacks.schema.external_secrets import ExternalData, ProviderStore, RemoteRef, SecretProvider
from stacks.schema.global_settings import ComponentLicensing, StoredLicensing

TRANSCRIBERS_STORE, FLOW_STORE = "transcribers.externalSecrets", "flow.externalSecrets"
"""Sections of the stores a license may come from; inference servers share the transcribers'."""


@dataclass(frozen=True)
class LicenseUse:
    """One component's license."""

    path: str
    """Where the configuration speaks of it."""
    name: str
    licensing: ComponentLicensing
    store: str | None
    """The section of the store it comes from, where that is enabled; None has no such way in the chart."""

    @property
    def create(self) -> bool:
        return self.licensing.create_secret


def license_name(settings: Settings, own: ComponentLicensing) -> str:
    """The Secret a component reads: its own, or everybody's."""
    return own.secret_name or settings.global_.licensing.secret_name


def uses(settings: Settings) -> tuple[LicenseUse, ...]:
    """Every enabled component's. Parts of the platform that read a license are added here."""
    flow, store = settings.flow, TRANSCRIBERS_STORE
    parts: list[tuple[str, ComponentLicensing, str | None]] = []
    if settings.transcribers.enabled:
        parts.append(("transcribers.transcriber.licensing", settings.transcribers.transcriber.licensing, store))
    for key, server in settings.inference_servers.items():
        if server.enabled:
            parts.append((f"{key}.tritonServer.licensing", server.triton_server.licensing, store))
    if flow.enabled:
        parts.append(("flow.licensing", flow.licensing, FLOW_STORE))
        if flow.tts.enabled:
            parts.append(("flow.tts.licensing", flow.tts.licensing, None))
    return tuple(LicenseUse(path, license_name(settings, own), own, store) for path, own, store in parts)


def created(settings: Settings) -> tuple[str, ...]:
    """Names of the Secrets made here or fetched, each once however many ask for it; that of `global` first."""
    global_ = settings.global_.licensing
    names = [global_.secret_name] if global_.create_secret else []
    return tuple(dict.fromkeys([*names, *(use.name for use in uses(settings) if use.create)]))


@dataclass(frozen=True)
class Stored:
    """A license that comes from a store."""

    path: str
    """Of the section with the store."""
    store: ProviderStore
    reference: ExternalData
    """Where it stands there."""


def fetched(settings: Settings) -> dict[str, Stored]:
    """Those of them that come from a store (contract: transcription 13.3, flow 2.7).

    Of several that ask for the same Secret the first one counts. What only `global` asks for is the transcribers' own.
    """
    everybodys, own = settings.global_.licensing, settings.transcribers.transcriber.licensing
    asked: dict[str, tuple[StoredLicensing, str]] = {}
    if everybodys.create_secret and license_name(settings, own) == everybodys.secret_name:
        asked[everybodys.secret_name] = own, TRANSCRIBERS_STORE
    for use in uses(settings):
        if use.create and use.store is not None and isinstance(use.licensing, StoredLicensing):
            asked.setdefault(use.name, (use.licensing, use.store))
    if everybodys.create_secret:
        asked.setdefault(everybodys.secret_name, (StoredLicensing(), TRANSCRIBERS_STORE))
    stores = {TRANSCRIBERS_STORE: settings.transcribers.external_secrets, FLOW_STORE: settings.flow.external_secrets}
    return {
        name: Stored(path, stores[path], _reference(settings, licensing, stores[path]))
        for name, (licensing, path) in asked.items()
        if stores[path].enabled
    }


def _reference(settings: Settings, own: StoredLicensing, store: ProviderStore) -> ExternalData:
    everybodys = settings.global_.licensing
    key = own.secret_key or everybodys.secret_key or "speechmatics-license"
    part = own.secret_property or everybodys.secret_property or "license"
    in_vault = store.provider is SecretProvider.VAULT
    ref = RemoteRef.model_construct(key=key, property=part if in_vault else None, version=None)
    return ExternalData.model_construct(secret_key=LICENSE_KEY, remote_ref=ref)


def made(settings: Settings) -> tuple[str, ...]:
    """Names of the Secrets whose content is given here."""
    stored = fetched(settings)
    return tuple(name for name in created(settings) if name not in stored)


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
