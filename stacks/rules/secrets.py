"""Rules of the Secrets: made here with content, or made by somebody else without."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.speech.transcriber_containers import speaker_secret
from stacks.licenses import FLOW_STORE, TRANSCRIBERS_STORE, Demand, demands, fetched, made, uses
from stacks.problem import Problem, remove_command, set_command, set_secret
from stacks.schema import Settings
from stacks.schema.external_secrets import SecretProvider
from stacks.schema.global_settings import Licensing, StoredLicensing
from stacks.schema.transcriber_container import SpeakerKeys


def secrets(settings: Settings, present: Collection[str]) -> Iterator[Problem]:
    """A Secret to be created needs its content, and content needs the Secret to be created."""
    for key, wanted, switch, file in (
        ("licenseJson", bool(made(settings)), "global.licensing.createSecret", "license.json"),
        ("registryPassword", settings.pull_secret.create_secret, "pullSecret.createSecret", "password.txt"),
    ):
        if wanted and key not in present:
            reason = f"the Secret is to be created, but `{key}` has no content"
            yield Problem(switch, "secret-without-content", reason, set_secret(key, file))
        if key in present and not wanted and key == "licenseJson" and fetched(settings):
            store = next(iter(fetched(settings).values())).path
            reason = f"it is set, but the license comes from a store ({store}.enabled)"
            yield Problem(key, "content-without-secret", reason, f"pulumi config rm {key}")
        elif key in present and not wanted:
            reason = f"it is set, but {switch} is off, so nothing would be made of it"
            yield Problem(key, "content-without-secret", reason, set_command(switch, "true"))
    yield from _speakers(settings)
    yield from _in_no_store(settings)
    yield from _agreed(settings)
    if settings.pull_secret.create_secret:
        if settings.pull_secret.username is None:
            reason = "the pull secret is to be created without a user name"
            yield Problem("pullSecret.username", "missing", reason, set_command("pullSecret.username", "NAME"))
        if not settings.global_.image_pull_secrets:
            path = "global.imagePullSecrets"
            reason = "the pull secret is to be created, but none is named for the pods to use"
            yield Problem(path, "missing", reason, set_command(f"{path}[0].name", "speechmatics-registry"))


def _agreed(settings: Settings) -> Iterator[Problem]:
    """A Secret that several ask for is one object, so it comes from one place."""
    first: dict[str, Demand] = {}
    for each in demands(settings):
        other = first.setdefault(each.name, each)
        if not each.agrees(other):
            path = f"{each.path}.createSecret"
            reason = f"the Secret {each.name} would come from {each.words}; {other.path} has it from {other.words}"
            own = each.licensing if isinstance(each.licensing, StoredLicensing) else StoredLicensing()
            given = [key for key, value in _in_store(own) if value is not None]
            unread = [remove_command(f"{each.path}.{key}") for key in given]
            yield Problem(path, "contradiction", reason, " && ".join([set_command(path, "false"), *unread]))


def _in_store(licensing: Licensing | StoredLicensing) -> tuple[tuple[str, str | None], ...]:
    """Keys that say where a license stands in a store."""
    return ("secretKey", licensing.secret_key), ("secretProperty", licensing.secret_property)


def _in_no_store(settings: Settings) -> Iterator[Problem]:
    """Where a license stands in a store is read by those that fetch theirs from one; its part in one of vault only."""
    stores = {TRANSCRIBERS_STORE: settings.transcribers.external_secrets, FLOW_STORE: settings.flow.external_secrets}
    everybodys, asked = settings.global_.licensing, [each for each in demands(settings) if each.stored]
    places: list[tuple[str, Licensing | StoredLicensing, tuple[str, ...]]] = [
        ("global.licensing", everybodys, (TRANSCRIBERS_STORE, FLOW_STORE))
    ]
    places += [
        (use.path, use.licensing, (use.store,))
        for use in uses(settings)
        if use.store and isinstance(use.licensing, StoredLicensing)
    ]
    for path, licensing, names in places:
        off = f"{' and '.join(f'{name}.enabled' for name in names)} {'are' if len(names) > 1 else 'is'} off"
        for key, given in _in_store(licensing):
            reads = [each for each in asked if _reads(each, licensing, key)]
            if given is None:
                continue
            if not any(stores[name].enabled for name in names):
                reason = f"{off}, so the license comes from no store"
            elif not reads:
                reason = "no license that comes from a store is looked up by it"
            elif key == "secretProperty" and not any(_in_vault(each) for each in reads):
                reason = "it is read in a store of kind vault"
            else:
                continue
            yield Problem(f"{path}.{key}", "without-effect", reason, remove_command(f"{path}.{key}"))


def _reads(demand: Demand, licensing: Licensing | StoredLicensing, key: str) -> bool:
    """Whether a license is looked up by this key of this section: its own, or everybody's where it has none."""
    own = demand.licensing
    if isinstance(licensing, Licensing):
        return isinstance(own, StoredLicensing) and dict(_in_store(own))[key] is None
    return own is licensing


def _in_vault(demand: Demand) -> bool:
    return demand.stored is not None and demand.stored.store.provider is SecretProvider.VAULT


def _speakers(settings: Settings) -> Iterator[Problem]:
    """Names of keys in a store need the store; anything else in their place would be the keys themselves, in clear."""
    own, path = settings.transcribers, "transcribers.transcriber.speakerId.keys"
    if own.transcriber.speaker_id.keys == SpeakerKeys() or own.external_secrets.enabled:
        return
    name = speaker_secret(own)
    reason = (
        "they are names in a store, and transcribers.externalSecrets.enabled is off; the keys themselves stand in no "
        f"configuration, they are read from the Secret {name}"
    )
    yield Problem(path, "secret-in-clear", reason, remove_command(path))
