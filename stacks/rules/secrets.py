"""Rules of the Secrets: made here with content, or made by somebody else without."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.speech.transcriber_containers import speaker_secret
from stacks.licenses import FLOW_STORE, TRANSCRIBERS_STORE, fetched, made, uses
from stacks.problem import Problem, remove_command, set_command, set_secret
from stacks.schema import Settings
from stacks.schema.external_secrets import SecretProvider
from stacks.schema.global_settings import ComponentLicensing, Licensing, StoredLicensing
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
    if settings.pull_secret.create_secret:
        if settings.pull_secret.username is None:
            reason = "the pull secret is to be created without a user name"
            yield Problem("pullSecret.username", "missing", reason, set_command("pullSecret.username", "NAME"))
        if not settings.global_.image_pull_secrets:
            path = "global.imagePullSecrets"
            reason = "the pull secret is to be created, but none is named for the pods to use"
            yield Problem(path, "missing", reason, set_command(f"{path}[0].name", "speechmatics-registry"))


def _in_no_store(settings: Settings) -> Iterator[Problem]:
    """Where a license stands in a store is read by those that fetch theirs from one; its part in one of vault only."""
    stores = {TRANSCRIBERS_STORE: settings.transcribers.external_secrets, FLOW_STORE: settings.flow.external_secrets}
    everybodys = settings.global_.licensing
    asked: list[tuple[str, Licensing | ComponentLicensing, tuple[str, ...]]] = [
        ("global.licensing", everybodys, (TRANSCRIBERS_STORE, FLOW_STORE))
    ]
    asked += [(use.path, use.licensing, (use.store,)) for use in uses(settings) if use.store]
    for path, licensing, names in asked:
        if not isinstance(licensing, Licensing | StoredLicensing):
            continue
        there = [stores[name] for name in names if stores[name].enabled]
        switches = " and ".join(f"{name}.enabled" for name in names)
        vault = any(each.provider is SecretProvider.VAULT for each in there)
        off = f"{switches} {'are' if len(names) > 1 else 'is'} off, so the license comes from no store"
        for key, given, read, reason in (
            ("secretKey", licensing.secret_key, bool(there), off),
            (
                "secretProperty",
                licensing.secret_property,
                vault,
                "it is read in a store of kind vault" if there else off,
            ),
        ):
            if given is not None and not read:
                yield Problem(f"{path}.{key}", "without-effect", reason, remove_command(f"{path}.{key}"))


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
