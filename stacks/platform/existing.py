"""The Secrets that the configuration names as existing, and how the program ends when one is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn

import pulumi

from components.cluster.control_plane_credentials import CD_CACHE_URL, DATABASE_URL
from components.cluster.existing_secrets import ExistingSecret, Found, Lack, UnreadableError
from components.cluster.license import LICENSE_KEY, warning
from components.cluster.redis_endpoint import CA_KEY, REDIS_URL
from components.speech.transcriber_containers import speaker_secret
from stacks.ending import end
from stacks.licenses import existing
from stacks.platform.existing_edge import edge_secrets
from stacks.platform.existing_secret import from_files, named_secret, opaque, pull_secret
from stacks.platform.flow_secrets import flow_secrets
from stacks.problem import Problem, numbered
from stacks.schema import Settings

SPEAKER_KEYS = ("private-key", "public-key")
"""Keys of the Secret by which speakers are told again (contract: transcription 13.4)."""


def existing_secrets(
    settings: Settings, registries: Sequence[str], contents: Collection[str] = ()
) -> tuple[ExistingSecret, ...]:
    """All Secrets that this program does not create.

    `registries` is where images come from, `contents` are the flat keys of the proxy's Secrets that have content.
    """
    pull = settings.global_.image_pull_secrets
    named = [("global", index, secret.name) for index, secret in enumerate(pull)]
    known = {secret.name for secret in pull}
    named += [
        ("proxy", index, secret.name)
        for index, secret in enumerate(settings.proxy.image_pull_secrets)
        if secret.name not in known
    ]
    made = 1 if settings.pull_secret.create_secret else 0
    wanted = [
        pull_secret(settings.namespace, name, section, index, registries) for section, index, name in named[made:]
    ]
    for name, path in existing(settings).items():
        command = from_files(name, settings.namespace, LICENSE_KEY)
        wanted.append(
            named_secret(
                settings.namespace,
                name=name,
                keys=(LICENSE_KEY,),
                type_=None,
                path=path,
                purpose="the license",
                create=command,
            )
        )
    wanted += [*data_plane_secrets(settings, registries), *_control_plane(settings)]
    wanted += [*edge_secrets(settings, contents), *flow_secrets(settings)]
    # one Secret for several parts that read the same in it is named once
    once = {(secret.name, secret.keys, secret.type, secret.hosts): secret for secret in reversed(wanted)}
    return tuple(once.values())[::-1]


def data_plane_secrets(settings: Settings, registries: Sequence[str]) -> Iterator[ExistingSecret]:
    """What transcribers and inference servers name by themselves and is not made here, the license aside."""
    own, global_, namespace = settings.transcribers, settings.global_, settings.namespace
    pulling = {"transcribers": own.image_pull_secrets} if own.enabled else {}
    for key, server in settings.inference_servers.items():
        if server.enabled:
            pulling[key] = server.image_pull_secrets
    common = {secret.name for secret in global_.image_pull_secrets}
    for path, secrets in pulling.items():
        for index, secret in enumerate(secrets):
            if secret.name not in common:
                yield pull_secret(namespace, secret.name, path, index, registries)
    if own.enabled and own.transcriber.speaker_id.enabled and not own.external_secrets.enabled:
        name = speaker_secret(own)
        yield named_secret(
            namespace,
            name=name,
            keys=SPEAKER_KEYS,
            type_=None,
            path="transcribers.transcriber.speakerId.enabled",
            purpose="the keys by which speakers are told again",
            create=from_files(name, namespace, *SPEAKER_KEYS),
        )


def _control_plane(settings: Settings) -> Iterator[ExistingSecret]:
    """The Secrets that the control plane reads and this program does not create."""
    manager, namespace = settings.resource_manager, settings.namespace
    needed = [key for key in ("redisUrl", "cdCacheUrl") if key in settings.control_plane_secrets]
    fetched = manager.secrets.external_secrets.enabled and manager.secrets.cd_cache.create
    if needed and not (manager.secrets.redis.create or fetched):
        keys = tuple({"redisUrl": REDIS_URL, "cdCacheUrl": CD_CACHE_URL}[key] for key in needed)
        purpose = "the address of Redis" if "redisUrl" in needed else "the address of the cache of dictionaries"
        yield opaque(namespace, settings.redis_secret, keys, "resourceManager.secrets.redis.name", purpose)
    if "databaseUrl" in settings.control_plane_secrets and not manager.secrets.database.create:
        path = "resourceManager.secrets.database.name"
        yield opaque(namespace, settings.database_secret, (DATABASE_URL,), path, "the address of the database")
    if manager.external_redis.enabled and manager.external_redis.ca_secret_name:
        path = "resourceManager.externalRedis.caSecretName"
        name = manager.external_redis.ca_secret_name
        yield opaque(namespace, name, (CA_KEY,), path, "the certificate of the authority of Redis")
    for index, secret in enumerate(manager.image_pull_secrets):
        if secret not in settings.global_.image_pull_secrets:
            yield pull_secret(namespace, secret.name, "resourceManager", index, control_plane_registries(settings))


def control_plane_registries(settings: Settings) -> list[str]:
    """Where the images of the control plane come from."""
    manager = settings.resource_manager
    services = (manager, manager.metrics, manager.reconciliation, manager.session_groups)
    common = settings.global_.resource_manager.image.registry
    return sorted({service.image.registry or common for service in services})


def text(wrong: Sequence[Lack] | UnreadableError) -> str:
    """What is wrong as one message, in the words of the loader's."""
    if isinstance(wrong, UnreadableError):
        reason = f"whether the Secrets named as existing are there cannot be told: {wrong}"
        problems = [Problem("azure.clusterName", "cluster-unreadable", reason, "kubectl cluster-info, then again")]
        head = "The Secrets of the platform cannot be looked up"
    else:
        problems = [Problem(lack.secret.path, lack.code, lack.reason, lack.mend) for lack in wrong]
        head = f"{'A Secret' if len(problems) == 1 else f'{len(problems)} Secrets'} must be made first"
    return numbered(
        f"{head}; no workload was made or changed. Once mended, the next update goes on from here.", problems
    )


def notice(found: Mapping[str, Found]) -> None:
    """Say which license ends soon. It stops nothing: the one that mends it comes by the same way."""
    for name, each in sorted(found.items()):
        said = warning(each.license_ends, datetime.now(UTC))
        if said:
            pulumi.log.warn(f"Secret {name}  [license-ends]  {said}. Put the new {LICENSE_KEY} into the Secret")


async def refuse(wrong: Sequence[Lack] | UnreadableError) -> NoReturn:
    """End the program with one message and no traceback, from inside an `apply`."""
    await end(text(wrong))
