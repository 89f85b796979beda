"""The Secrets that the configuration names as existing, and how the program ends when one is not there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import pulumi
from pulumi.runtime.settings import _shutdown_callbacks

from components.cluster.credentials import LICENSE_KEY
from components.cluster.existing_secrets import ExistingSecret, Lack, UnreadableError
from stacks.load import REFUSED
from stacks.platform.flow_secrets import flow_secrets
from stacks.problem import Problem, numbered
from stacks.schema import Settings

PULL_TYPE = "kubernetes.io/dockerconfigjson"


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
        command = f"kubectl create secret generic {name} --namespace {settings.namespace} --from-file={LICENSE_KEY}"
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
    return (*wanted, *flow_secrets(settings))


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
