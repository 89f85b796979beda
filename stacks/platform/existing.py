"""The Secrets that the configuration names as existing, and how the program ends when one is not there."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NoReturn

import pulumi
from pulumi.runtime.settings import _shutdown_callbacks

from components.cluster.existing_secrets import ExistingSecret, Found, Lack, UnreadableError
from components.cluster.license import LICENSE_KEY, warning
from components.speech.proxy_ingress import certificates, made_by_cert_manager
from components.speech.proxy_secrets import ProxySecret, wanted_secrets
from stacks.licenses import existing
from stacks.load import REFUSED
from stacks.problem import Problem, numbered
from stacks.schema import Settings

PULL_TYPE = "kubernetes.io/dockerconfigjson"
TLS_TYPE = "kubernetes.io/tls"


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
        _existing(
            settings.namespace,
            name=name,
            keys=(),
            type_=PULL_TYPE,
            path=f"{section}.imagePullSecrets[{index}].name",
            purpose="the login at the image registry",
            create=_pull_command(name, settings.namespace, sorted(set(registries))),
        )
        for section, index, name in named[made:]
    ]
    for name, path in existing(settings).items():
        command = f"kubectl create secret generic {name} --namespace {settings.namespace} --from-file={LICENSE_KEY}"
        wanted.append(
            _existing(
                settings.namespace,
                name=name,
                keys=(LICENSE_KEY,),
                type_=None,
                path=path,
                purpose="the license",
                create=command,
            )
        )
    own = [] if settings.proxy.external_secrets.enabled else wanted_secrets(settings.proxy)
    wanted += [_of_proxy(settings.namespace, secret) for secret in own if not secret.given(contents)]
    return (*wanted, *_certificates(settings))


def _of_proxy(namespace: str, secret: ProxySecret) -> ExistingSecret:
    literals = " ".join(f"--from-file={key}={flat}.txt" for key, flat in secret.keys.items())
    return _existing(
        namespace,
        name=secret.name,
        keys=tuple(secret.keys),
        type_=None,
        path=secret.named_at,
        purpose=f"what the proxy needs for {secret.use}",
        create=f"kubectl create secret generic {secret.name} --namespace {namespace} {literals}",
    )


def _certificates(settings: Settings) -> list[ExistingSecret]:
    """Secrets that Ingresses name: the controller refuses every handshake for one that is not there."""
    ingress = settings.proxy.ingress
    if not (settings.proxy.enabled and ingress.enabled) or made_by_cert_manager(ingress.annotations):
        return []
    paths = {ingress.host: "proxy.ingress.tls.secretName"}
    if ingress.second_host:
        paths.setdefault(ingress.second_host, "proxy.ingress.flow.additionalHost.tlsSecretName")
    return [
        _existing(
            settings.namespace,
            name=name,
            keys=("tls.crt", "tls.key"),
            type_=TLS_TYPE,
            path=paths[host],
            purpose=f"the certificate of {host}",
            create=f"kubectl create secret tls {name} --namespace {settings.namespace} --cert=tls.crt --key=tls.key",
            hosts=(host,),
        )
        for host, name in certificates(ingress).items()
        if name
    ]


def _existing(
    namespace: str, *, name: str, keys: tuple[str, ...], type_: str | None, path: str, purpose: str, create: str,
    hosts: tuple[str, ...] = (),
) -> ExistingSecret:  # fmt: skip
    delete = f"kubectl delete secret {name} --namespace {namespace}"
    return ExistingSecret(name, keys, type_, path, purpose, create, delete, hosts)


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


def notice(found: Mapping[str, Found]) -> None:
    """Say which license ends soon. It stops nothing: the one that mends it comes by the same way."""
    for name, each in sorted(found.items()):
        said = warning(each.license_ends, datetime.now(UTC))
        if said:
            pulumi.log.warn(f"Secret {name}  [license-ends]  {said}. Put the new {LICENSE_KEY} into the Secret")


async def refuse(wrong: Sequence[Lack] | UnreadableError) -> NoReturn:
    """End the program with one message and no traceback, from inside an `apply`."""
    pulumi.log.error(text(wrong))
    # whatever the engine has under way is finished, and a hook that would be asked for meanwhile is answered with an
    # error at once: nobody is there to answer it, and the engine waits without a deadline
    await _shutdown_callbacks()  # type: ignore[no-untyped-call]
    # asyncio passes this one through its loop; any other exception would be shown with a traceback
    sys.exit(REFUSED)
