"""Secrets that somebody else makes: looked up in the cluster before any workload is made that needs them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

import httpx2 as httpx
import pulumi
import yaml
from lightkube import AsyncClient, KubeConfig
from lightkube.resources.core_v1 import Secret

from components.cluster.certificate import Pair, covers, hosts_of
from components.cluster.license import LICENSE_KEY, ends, fingerprint
from components.guard.live import ANSWER_SECONDS, DEADLINE_SECONDS, credentials, one_line


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
    hosts: tuple[str, ...] = ()
    """Hosts its certificate must be for; none where it is no certificate."""


@dataclass(frozen=True)
class Found:
    """What is kept of a Secret in the cluster: no value."""

    type: str
    keys: frozenset[str]
    license: str | None = None
    """Tells this license from another (see `license.fingerprint`); None: it has none."""
    license_ends: datetime | None = None
    hosts: frozenset[str] = frozenset()
    """Hosts of its certificate."""


@dataclass(frozen=True)
class Lack:
    """What is wrong with one Secret, and the command that mends it."""

    secret: ExistingSecret
    code: str
    reason: str
    mend: str


Answer = TypeVar("Answer")


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
    others = [host for host in secret.hosts if not covers(found.hosts, host)]
    if others:
        held = ", ".join(sorted(found.hosts)) or "no host"
        reason = f"the certificate in the Secret {secret.name} is for {held} and not for {', '.join(others)}"
        return Lack(secret, "secret-for-another-host", reason, again)
    return None


def found_in(secret: Secret) -> Found:
    """What is kept of a Secret."""
    data = secret.data or {}
    name = str(secret.metadata.name) if secret.metadata else ""
    text = _decoded(data.get(LICENSE_KEY))
    return Found(
        type=secret.type or "Opaque",
        keys=frozenset(data),
        license=fingerprint(name, text.strip()) if text else None,
        license_ends=ends(text) if text else None,
        hosts=hosts_of(_decoded(data.get("tls.crt")) or ""),
    )


def _decoded(value: str | None) -> str | None:
    try:
        return base64.b64decode(value).decode() if value else None
    except ValueError:
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
    client = AsyncClient(KubeConfig.from_dict(yaml.safe_load(kubeconfig)), timeout=httpx.Timeout(ANSWER_SECONDS))
    found: dict[str, Found] = {}
    try:
        for name in dict.fromkeys(names):
            try:
                secret = await client.get(Secret, name, namespace=namespace)
            except httpx.HTTPStatusError as error:
                if not absent(error.response):
                    raise
                continue
            found[name] = found_in(secret)
    finally:
        await client.close()
    return found


async def read_pair(kubeconfig: str, namespace: str, name: str) -> Pair | None:
    """Certificate and key of a Secret; None where there is none, or it holds no certificate."""
    client = AsyncClient(KubeConfig.from_dict(yaml.safe_load(kubeconfig)), timeout=httpx.Timeout(ANSWER_SECONDS))
    try:
        data = (await client.get(Secret, name, namespace=namespace)).data or {}
    except httpx.HTTPStatusError as error:
        if not absent(error.response):
            raise
        return None
    finally:
        await client.close()
    certificate, key = _decoded(data.get("tls.crt")), _decoded(data.get("tls.key"))
    return Pair(certificate, key) if certificate and key else None


@dataclass(frozen=True)
class Cluster:
    """Where Secrets are looked up: with plain strings, and within the deadline."""

    provider: pulumi.ProviderResource
    resource_group: str
    name: str

    async def secrets(self, namespace: str, names: Sequence[str]) -> Mapping[str, Found]:
        """Those that exist. Raises `UnreadableError`."""
        return await self._asked(lambda kubeconfig: read_secrets(kubeconfig, namespace, names))

    async def pair(self, namespace: str, name: str) -> Pair | None:
        """Certificate and key of a Secret. Raises `UnreadableError`."""
        return await self._asked(lambda kubeconfig: read_pair(kubeconfig, namespace, name))

    async def _asked(self, question: Callable[[str], Awaitable[Answer]]) -> Answer:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await question(await credentials(self.provider, self.resource_group, self.name))
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


@dataclass(frozen=True)
class ExistingSecretsArgs:
    """What the look-up needs."""

    namespace: pulumi.Output[str]
    """Known once the namespace exists."""
    secrets: tuple[ExistingSecret, ...]
    read: Read
    refuse: Refuse
    notice: Callable[[Mapping[str, Found]], None]
    """Told of what was found when nothing is wrong."""


class ExistingSecrets(pulumi.ComponentResource):
    """The namespace, handed on once every Secret named as existing is in it.

    Every workload takes the namespace from here, so none is made before. In a preview that has yet to make the
    namespace nothing is looked up.
    """

    namespace: pulumi.Output[str]
    licenses: pulumi.Output[dict[str, str]]
    """Fingerprints of the licenses among them, by the Secret's name."""

    def __init__(self, name: str, args: ExistingSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:ExistingSecrets", name, {}, opts)

        async def checked(namespace: str) -> dict[str, str]:
            try:
                found = await args.read(namespace, [secret.name for secret in args.secrets])
            except UnreadableError as error:
                await args.refuse(error)
            wrong = lacks(args.secrets, found)
            if wrong:
                await args.refuse(wrong)
            args.notice(found)
            return {name: each.license for name, each in found.items() if each.license is not None}

        self.namespace, self.licenses = args.namespace, pulumi.Output.from_input({})
        if args.secrets:
            self.licenses = args.namespace.apply(checked)
            self.namespace = pulumi.Output.all(args.namespace, self.licenses).apply(lambda both: str(both[0]))
        self.register_outputs({"namespace": self.namespace})
