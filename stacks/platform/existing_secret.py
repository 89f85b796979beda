"""One Secret named as existing, and the command that makes it."""

from __future__ import annotations

from collections.abc import Sequence

from components.cluster.control_plane_credentials import CD_CACHE_URL, DATABASE_URL
from components.cluster.existing_secrets import ExistingSecret
from components.cluster.redis_endpoint import CA_KEY, REDIS_URL

PULL_TYPE = "kubernetes.io/dockerconfigjson"
TLS_TYPE = "kubernetes.io/tls"

FILES = {
    REDIS_URL: "redis-url.txt",
    CD_CACHE_URL: "cd-cache-url.txt",
    DATABASE_URL: "database-url.txt",
    CA_KEY: "ca.crt",
}
"""Keys of the control plane's Secrets → the files their content may come from."""


def named_secret(
    namespace: str, *, name: str, keys: tuple[str, ...], type_: str | None, path: str, purpose: str, create: str,
    hosts: tuple[str, ...] = (),
) -> ExistingSecret:  # fmt: skip
    """A Secret that must be there, with the command that takes a wrong one away."""
    delete = f"kubectl delete secret {name} --namespace {namespace}"
    return ExistingSecret(name, keys, type_, path, purpose, create, delete, hosts)


def from_files(name: str, namespace: str, *keys: str) -> str:
    """The command for a Secret whose keys are called as the files are."""
    files = " ".join(f"--from-file={key}" for key in keys)
    return f"kubectl create secret generic {name} --namespace {namespace} {files}"


def opaque(namespace: str, name: str, keys: tuple[str, ...], path: str, purpose: str) -> ExistingSecret:
    """A Secret whose content is each in a file."""
    files = " ".join(f"--from-file={key}={FILES[key]}" for key in keys)
    create = f"kubectl create secret generic {name} --namespace {namespace} {files}"
    return named_secret(namespace, name=name, keys=keys, type_=None, path=path, purpose=purpose, create=create)


def pull_command(name: str, namespace: str, registries: Sequence[str]) -> str:
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


def pull_secret(namespace: str, name: str, section: str, index: int, registries: Sequence[str]) -> ExistingSecret:
    """The login at the image registry that a section of the configuration names, by its place in the section's list."""
    return named_secret(
        namespace,
        name=name,
        keys=(),
        type_=PULL_TYPE,
        path=f"{section}.imagePullSecrets[{index}].name",
        purpose="the login at the image registry",
        create=pull_command(name, namespace, sorted(set(registries))),
    )
