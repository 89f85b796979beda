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


@dataclass(frozen=True)
class Stored:
    """A license that comes from a store."""

    path: str
    """Of the section with the store."""
    store: ProviderStore
    reference: ExternalData
    """Where it stands there."""

    @property
    def words(self) -> str:
        ref = self.reference.remote_ref
        part = f", part {ref.property}," if ref.property else ""
        return f"the entry {ref.key}{part} of {self.store.secret_store_name} ({self.path})"


@dataclass(frozen=True)
class Demand:
    """A license Secret that a section asks to be made here or fetched."""

    path: str
    """The section with `createSecret`."""
    name: str
    licensing: ComponentLicensing
    """What says where it stands in a store."""
    stored: Stored | None
    """None: it is made of `licenseJson`."""

    @property
    def words(self) -> str:
        """Where it comes from."""
        return "licenseJson" if self.stored is None else self.stored.words

    def agrees(self, other: Demand) -> bool:
        """Whether the two are the same object."""
        if self.stored is None or other.stored is None:
            return self.stored is other.stored
        same_store = self.stored.store.model_dump() == other.stored.store.model_dump()
        return same_store and self.stored.reference == other.stored.reference


def demands(settings: Settings) -> tuple[Demand, ...]:
    """Everything that asks for a license Secret; `global` first (contract: transcription 13.3, flow 2.7).

    Several may ask for one: it is made once, and `stacks.rules.secrets` refuses those that do not agree. What only
    `global` asks for is the transcribers' own.
    """
    everybodys, own = settings.global_.licensing, settings.transcribers.transcriber.licensing
    stores = {TRANSCRIBERS_STORE: settings.transcribers.external_secrets, FLOW_STORE: settings.flow.external_secrets}

    def demand(path: str, name: str, licensing: ComponentLicensing, store: str | None) -> Demand:
        stored = None
        if store is not None and stores[store].enabled and isinstance(licensing, StoredLicensing):
            stored = Stored(store, stores[store], _reference(settings, licensing, stores[store]))
        return Demand(path, name, licensing, stored)

    found = []
    if everybodys.create_secret:
        of = own if license_name(settings, own) == everybodys.secret_name else StoredLicensing()
        found.append(demand("global.licensing", everybodys.secret_name, of, TRANSCRIBERS_STORE))
    found += [demand(use.path, use.name, use.licensing, use.store) for use in uses(settings) if use.create]
    return tuple(found)


def created(settings: Settings) -> tuple[str, ...]:
    """Names of the Secrets made here or fetched, each once however many ask for it; that of `global` first."""
    return tuple(dict.fromkeys(each.name for each in demands(settings)))


def fetched(settings: Settings) -> dict[str, Stored]:
    """Those of them that come from a store."""
    first: dict[str, Demand] = {}
    for each in demands(settings):
        first.setdefault(each.name, each)
    return {name: each.stored for name, each in first.items() if each.stored is not None}


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
