"""The Secrets that the configuration names as existing, and how the program ends when one is not there."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import NoReturn

import pulumi
from pulumi.runtime.settings import _shutdown_callbacks

from components.cluster.control_plane_credentials import CD_CACHE_URL, DATABASE_URL
from components.cluster.credentials import LICENSE_KEY
from components.cluster.existing_secrets import ExistingSecret, Lack, UnreadableError
from components.cluster.redis_endpoint import CA_KEY, REDIS_URL
from components.speech.transcriber_containers import speaker_secret
from stacks.load import REFUSED
from stacks.platform.flow_secrets import flow_secrets
from stacks.problem import Problem, numbered
from stacks.schema import Settings

SPEAKER_KEYS = ("private-key", "public-key")
"""Keys of the Secret by which speakers are told again (contract: transcription 13.4)."""

PULL_TYPE = "kubernetes.io/dockerconfigjson"

FILES = {
    REDIS_URL: "redis-url.txt",
    CD_CACHE_URL: "cd-cache-url.txt",
    DATABASE_URL: "database-url.txt",
    CA_KEY: "ca.crt",
}
"""Keys of the control plane's Secrets → the files their content may come from."""


def existing_secrets(settings: Settings, registries: Sequence[str]) -> tuple[ExistingSecret, ...]:
    """The license and the pull secrets that this program does not create; `registries` is where images come from."""
    licensing, pull = settings.global_.licensing, settings.global_.image_pull_secrets
    made = 1 if settings.pull_secret.create_secret else 0
    wanted = [
        _existing(
            settings.namespace,
            name=secret.name,
            keys=(),
            type_=PULL_TYPE,
            path=f"global.imagePullSecrets[{index}].name",
            purpose="the login at the image registry",
            create=_pull_command(secret.name, settings.namespace, sorted(set(registries))),
        )
        for index, secret in enumerate(pull)
        if index >= made
    ]
    if not settings.creates_license:
        name = licensing.secret_name
        command = _from_files(name, settings.namespace, LICENSE_KEY)
        wanted.append(
            _existing(
                settings.namespace,
                name=name,
                keys=(LICENSE_KEY,),
                type_=None,
                path="global.licensing.secretName",
                purpose="the license",
                create=command,
            )
        )
    wanted += [*data_plane_secrets(settings, registries), *_control_plane(settings), *flow_secrets(settings)]
    # one Secret for several parts is looked up once
    return tuple({secret.name: secret for secret in reversed(wanted)}.values())[::-1]


def data_plane_secrets(settings: Settings, registries: Sequence[str]) -> Iterator[ExistingSecret]:
    """What transcribers and inference servers name by themselves; what the program makes is not among it."""
    own, global_, namespace = settings.transcribers, settings.global_, settings.namespace
    licensed = {"transcribers.transcriber": own.transcriber.licensing} if own.enabled else {}
    pulling = {"transcribers": own.image_pull_secrets} if own.enabled else {}
    for key, server in settings.inference_servers.items():
        if server.enabled:
            licensed[f"{key}.tritonServer"] = server.triton_server.licensing
            pulling[key] = server.image_pull_secrets
    common = {secret.name for secret in global_.image_pull_secrets}
    for path, secrets in pulling.items():
        for index, secret in enumerate(secrets):
            if secret.name not in common:
                yield _existing(
                    namespace,
                    name=secret.name,
                    keys=(),
                    type_=PULL_TYPE,
                    path=f"{path}.imagePullSecrets[{index}].name",
                    purpose="the login at the image registry",
                    create=_pull_command(secret.name, namespace, sorted(set(registries))),
                )
    for path, licensing in licensed.items():
        name = licensing.secret_name
        if name is not None and name != global_.licensing.secret_name:
            yield _existing(
                namespace,
                name=name,
                keys=(LICENSE_KEY,),
                type_=None,
                path=f"{path}.licensing.secretName",
                purpose="the license",
                create=_from_files(name, namespace, LICENSE_KEY),
            )
    if own.enabled and own.transcriber.speaker_id.enabled:
        name = speaker_secret(own)
        yield _existing(
            namespace,
            name=name,
            keys=SPEAKER_KEYS,
            type_=None,
            path="transcribers.transcriber.speakerId.enabled",
            purpose="the keys by which speakers are told again",
            create=_from_files(name, namespace, *SPEAKER_KEYS),
        )


def _from_files(name: str, namespace: str, *keys: str) -> str:
    files = " ".join(f"--from-file={key}" for key in keys)
    return f"kubectl create secret generic {name} --namespace {namespace} {files}"


def _control_plane(settings: Settings) -> Iterator[ExistingSecret]:
    """The Secrets that the control plane reads and this program does not create."""
    manager, namespace = settings.resource_manager, settings.namespace
    needed = [key for key in ("redisUrl", "cdCacheUrl") if key in settings.control_plane_secrets]
    fetched = manager.secrets.external_secrets.enabled and manager.secrets.cd_cache.create
    if needed and not (manager.secrets.redis.create or fetched):
        keys = tuple({"redisUrl": REDIS_URL, "cdCacheUrl": CD_CACHE_URL}[key] for key in needed)
        purpose = "the address of Redis" if "redisUrl" in needed else "the address of the cache of dictionaries"
        yield _opaque(namespace, settings.redis_secret, keys, "resourceManager.secrets.redis.name", purpose)
    if "databaseUrl" in settings.control_plane_secrets and not manager.secrets.database.create:
        path = "resourceManager.secrets.database.name"
        yield _opaque(namespace, settings.database_secret, (DATABASE_URL,), path, "the address of the database")
    if manager.external_redis.enabled and manager.external_redis.ca_secret_name:
        path = "resourceManager.externalRedis.caSecretName"
        name = manager.external_redis.ca_secret_name
        yield _opaque(namespace, name, (CA_KEY,), path, "the certificate of the authority of Redis")
    for index, secret in enumerate(manager.image_pull_secrets):
        if secret not in settings.global_.image_pull_secrets:
            yield _existing(
                namespace,
                name=secret.name,
                keys=(),
                type_=PULL_TYPE,
                path=f"resourceManager.imagePullSecrets[{index}].name",
                purpose="the login at the image registry",
                create=_pull_command(secret.name, namespace, control_plane_registries(settings)),
            )


def control_plane_registries(settings: Settings) -> list[str]:
    """Where the images of the control plane come from."""
    manager = settings.resource_manager
    services = (manager, manager.metrics, manager.reconciliation, manager.session_groups)
    common = settings.global_.resource_manager.image.registry
    return sorted({service.image.registry or common for service in services})


def _opaque(namespace: str, name: str, keys: tuple[str, ...], path: str, purpose: str) -> ExistingSecret:
    """A Secret whose content is each in a file."""
    files = " ".join(f"--from-file={key}={FILES[key]}" for key in keys)
    create = f"kubectl create secret generic {name} --namespace {namespace} {files}"
    return _existing(namespace, name=name, keys=keys, type_=None, path=path, purpose=purpose, create=create)


def _existing(
    namespace: str, *, name: str, keys: tuple[str, ...], type_: str | None, path: str, purpose: str, create: str
) -> ExistingSecret:
    delete = f"kubectl delete secret {name} --namespace {namespace}"
    return ExistingSecret(name, keys, type_, path, purpose, create, delete)


def _pull_command(name: str, namespace: str, registries: Sequence[str]) -> str:
    """The seed's own command for one registry; for several, the file that `docker login` at each of them writes."""
    if len(registries) == 1:
        return (
            f"kubectl create secret docker-registry {name} --namespace {namespace} --docker-server={registries[0]}"
            ' --docker-username="$REGISTRY_USERNAME" --docker-password="$REGISTRY_PASSWORD"'
        )
    return (
        f"kubectl create secret generic {name} --namespace {namespace} --type={PULL_TYPE}"
        f' --from-file=.dockerconfigjson="$HOME/.docker/config.json"  # logged in to {", ".join(registries)}'
    )


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


async def refuse(wrong: Sequence[Lack] | UnreadableError) -> NoReturn:
    """End the program with one message and no traceback, from inside an `apply`."""
    pulumi.log.error(text(wrong))
    # whatever the engine has under way is finished, and a hook that would be asked for meanwhile is answered with an
    # error at once: nobody is there to answer it, and the engine waits without a deadline
    await _shutdown_callbacks()  # type: ignore[no-untyped-call]
    # asyncio passes this one through its loop; any other exception would be shown with a traceback
    sys.exit(REFUSED)
