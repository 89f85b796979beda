"""The two Secrets the vendor's images need: the license and the pull credentials, when this program creates them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.license import LICENSE_KEY


def encoded(text: str) -> str:
    """As a Secret's `data` holds it."""
    return base64.b64encode(text.encode()).decode()


def docker_config(registries: tuple[str, ...], username: str, password: str) -> str:
    """The text of `.dockerconfigjson` for the same account at each registry."""
    auth = encoded(f"{username}:{password}")
    account = {"username": username, "password": password, "auth": auth}
    return json.dumps({"auths": dict.fromkeys(sorted(set(registries)), account)}, sort_keys=True)


@dataclass(frozen=True)
class CredentialsArgs:
    """What the Secrets need; a part that is None is expected to exist already."""

    namespace: pulumi.Output[str]
    license_names: tuple[str, ...]
    """Secrets with the license; the first is nearly always the only one."""
    license: pulumi.Output[str] | None
    """Text of license.json."""
    pull_secret_name: str
    registries: tuple[str, ...]
    username: str
    password: pulumi.Output[str] | None


class Credentials(pulumi.ComponentResource):
    """License and pull Secret. Not here: Secrets that exist already, which are named in the configuration only."""

    created: list[str]

    def __init__(self, name: str, args: CredentialsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:cluster:Credentials", name, {}, opts)
        self.created = []
        if args.license is not None:
            for index, secret in enumerate(args.license_names):
                self._secret(f"{name}-license{f'-{secret}' if index else ''}", args.namespace, secret, "Opaque",
                             {LICENSE_KEY: args.license.apply(encoded)})  # fmt: skip
        if args.password is not None:
            registries, username = args.registries, args.username
            config = args.password.apply(lambda password: encoded(docker_config(registries, username, password)))
            self._secret(f"{name}-pull", args.namespace, args.pull_secret_name, "kubernetes.io/dockerconfigjson",
                         {".dockerconfigjson": config})  # fmt: skip
        self.register_outputs({"created": self.created})

    def _secret(
        self, name: str, namespace: pulumi.Output[str], secret: str, kind: str, data: dict[str, pulumi.Output[str]]
    ) -> None:
        kubernetes.core.v1.Secret(
            name,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=secret, namespace=namespace),
            type=kind,
            data=data,
            # out of the program it is out of the state, and stays in the cluster for the pods that use it
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        self.created.append(secret)
