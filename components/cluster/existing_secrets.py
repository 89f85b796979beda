"""Secrets that somebody else makes: looked up in the cluster before any workload is made that needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import httpx2 as httpx
import pulumi
import yaml
from lightkube import AsyncClient, KubeConfig
from lightkube.resources.core_v1 import Secret

from components.guard.live import DEADLINE_SECONDS, credentials, one_line


@dataclass(frozen=True)
class ExistingSecret:
    """A Secret that must be there."""

    name: str
    keys: tuple[str, ...]
    """Keys it must have."""
    type: str | None
    """The type it must have; None is any."""
    path: str
    """Where the configuration names it."""
    purpose: str
    """What it is for, as the subject of a sentence."""
    create: str
    """The command that makes it."""
    delete: str
    """The command that removes one of that name."""


@dataclass(frozen=True)
class Found:
    """What is kept of a Secret in the cluster: no value."""

    type: str
    keys: frozenset[str]


@dataclass(frozen=True)
class Lack:
    """What is wrong with one Secret, and the command that mends it."""

    secret: ExistingSecret
    code: str
    reason: str
    mend: str


class UnreadableError(Exception):
    """Whether the Secrets exist cannot be told; the text says why."""


Read = Callable[[str, Sequence[str]], Awaitable[Mapping[str, Found]]]
"""Namespace and names → those that exist. Raises `UnreadableError`; what cannot be read is never absent."""

Refuse = Callable[[Sequence[Lack] | UnreadableError], Awaitable[NoReturn]]
"""Ends the program with one text."""


def lacks(wanted: Sequence[ExistingSecret], found: Mapping[str, Found]) -> list[Lack]:
    """Everything that is wrong with the Secrets that must be there."""
    checked = [_lack(secret, found.get(secret.name)) for secret in wanted]
    return [lack for lack in checked if lack is not None]


def _lack(secret: ExistingSecret, found: Found | None) -> Lack | None:
    if found is None:
        reason = f"{secret.purpose} is to be read from the Secret {secret.name}, which does not exist"
        return Lack(secret, "secret-not-found", reason, secret.create)
    again = f"{secret.delete} && {secret.create}"
    if secret.type is not None and found.type != secret.type:
        reason = f"the Secret {secret.name} is of type {found.type}; {secret.purpose} needs {secret.type}"
        return Lack(secret, "secret-of-wrong-type", reason, again)
    missing = [key for key in secret.keys if key not in found.keys]
    if missing:
        reason = f"the Secret {secret.name} has no key {', '.join(missing)}, from which {secret.purpose} is read"
        return Lack(secret, "secret-without-key", reason, again)
    return None


def absent(answer: httpx.Response) -> bool:
    """Whether this is the API server's own word that an object is not there; anybody can answer 404."""
    try:
        said = answer.json()
    except ValueError:
        return False
    return answer.status_code == 404 and isinstance(said, dict) and said.get("reason") == "NotFound"


async def read_secrets(kubeconfig: str, namespace: str, names: Sequence[str]) -> dict[str, Found]:
    """Those of the Secrets that exist. Only the server's own word that a Secret is not found makes it absent."""
    client = AsyncClient(KubeConfig.from_dict(yaml.safe_load(kubeconfig)), timeout=httpx.Timeout(DEADLINE_SECONDS))
    found: dict[str, Found] = {}
    try:
        for name in dict.fromkeys(names):
            try:
                secret = await client.get(Secret, name, namespace=namespace)
            except httpx.HTTPStatusError as error:
                if not absent(error.response):
                    raise
                continue
            found[name] = Found(secret.type or "Opaque", frozenset(secret.data or {}))
    finally:
        await client.close()
    return found


def reader(provider: pulumi.ProviderResource, resource_group: str, cluster: str) -> Read:
    """How the Secrets of this cluster are looked up: with plain strings, and within the deadline."""

    async def read(namespace: str, names: Sequence[str]) -> Mapping[str, Found]:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await read_secrets(await credentials(provider, resource_group, cluster), namespace, names)
        except TimeoutError as error:
            raise UnreadableError(f"no answer within {DEADLINE_SECONDS:.0f} seconds") from error
        except httpx.HTTPStatusError as error:
            raise UnreadableError(f"the API server answered {error.response.status_code}: {one_line(error)}") from error
        except httpx.HTTPError as error:
            text = f"the API server does not answer: {type(error).__name__} {one_line(error)}"
            raise UnreadableError(text) from error
        except Exception as error:
            # the SDK raises a plain Exception with the provider's text
            raise UnreadableError(f"the cluster's credentials: {type(error).__name__} {one_line(error)}") from error

    return read


@dataclass(frozen=True)
class ExistingSecretsArgs:
    """What the look-up needs."""

    namespace: pulumi.Output[str]
    """Known once the namespace exists."""
    secrets: tuple[ExistingSecret, ...]
    read: Read
    refuse: Refuse


class ExistingSecrets(pulumi.ComponentResource):
    """The namespace, handed on once every Secret named as existing is in it.

    Every workload takes the namespace from here, so none is made before. In a preview that has yet to make the
    namespace nothing is looked up.
    """

    namespace: pulumi.Output[str]

    def __init__(self, name: str, args: ExistingSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:ExistingSecrets", name, {}, opts)

        async def checked(namespace: str) -> str:
            try:
                wrong = lacks(args.secrets, await args.read(namespace, [secret.name for secret in args.secrets]))
            except UnreadableError as error:
                await args.refuse(error)
            if wrong:
                await args.refuse(wrong)
            return namespace

        self.namespace = args.namespace.apply(checked) if args.secrets else args.namespace
        self.register_outputs({"namespace": self.namespace})
