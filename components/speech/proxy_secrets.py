"""The Secrets the proxy reads: made here, fetched from a store, or there already (contract: proxy 9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.credentials import encoded
from components.cluster.external_secret import ExternalSecret, ExternalSecretArgs
from components.outputs import once_made
from stacks.schema.external_secrets import ExternalData, ExternalSecretsSettings
from stacks.schema.proxy import ProxySettings


@dataclass(frozen=True)
class ProxySecret:
    """One of them, as the configuration wants it."""

    use: str
    """What it is for: the end of its default name."""
    name: str
    keys: Mapping[str, str]
    """Key of the Secret → flat key of the configuration with its content."""
    switch: str
    """The setting that wants it."""
    named_at: str
    """Where the configuration could name another."""
    data_at: str
    """Where the keys from a store stand."""
    data: tuple[ExternalData, ...]
    wanted: bool
    """Whether this configuration wants it."""
    may_exist: bool = True
    """False: its content must be given, because the configuration says that it is made here."""

    def given(self, present: Collection[str]) -> list[str]:
        """Its flat keys that have content."""
        return [flat for flat in self.keys.values() if flat in present]


def all_secrets(settings: ProxySettings) -> tuple[ProxySecret, ...]:
    """Every Secret the proxy may read, in the contract's order."""
    base, agents, cache, database = (
        settings.fullname_override, settings.agent_api, settings.proxy_cache, settings.database,
    )  # fmt: skip
    return (
        ProxySecret(
            use="events",
            name=settings.events.secret_name or f"{base}-events",
            keys={"endpoint": "proxyEventsEndpoint", "conn-string": "proxyEventsConnString"},
            switch="proxy.events.enabled",
            named_at="proxy.events.secretName",
            data_at="proxy.events.data",
            data=settings.events.data,
            wanted=settings.events.enabled,
        ),
        ProxySecret(
            use="storage",
            name=settings.storage.secret_name or f"{base}-storage",
            keys={"storageaccountname": "proxyStorageAccountName", "storageaccountkey": "proxyStorageAccountKey"},
            switch="proxy.storage.enabled",
            named_at="proxy.storage.secretName",
            data_at="proxy.storage.data",
            data=settings.storage.data,
            wanted=settings.storage.enabled,
        ),
        ProxySecret(
            use="database",
            name=database.secret_name or f"{base}-database",
            keys={"conn_string": "proxyDatabaseConnString"},
            switch="proxy.database.createSecret",
            named_at="proxy.database.secretName",
            data_at="proxy.database.data",
            data=database.data,
            wanted=cache.enabled or database.create_secret,
            may_exist=not database.create_secret,
        ),
        ProxySecret(
            use="redis",
            name=f"{base}-redis",
            keys={"conn_string": "proxyRedisConnString"},
            switch="proxy.proxyCache.redis.external",
            named_at="proxy.proxyCache.redis.external",
            data_at="proxy.proxyCache.redis.data",
            data=cache.redis.data,
            wanted=cache.enabled and cache.redis.external,
        ),
        ProxySecret(
            use="livekit",
            name=f"{base}-livekit",
            keys={
                "livekit-url": "livekitUrl",
                "livekit-api-key": "livekitApiKey",
                "livekit-api-secret": "livekitApiSecret",
            },
            switch="proxy.livekit.enabled",
            named_at="proxy.livekit.enabled",
            data_at="proxy.livekit.data",
            data=settings.livekit.data,
            wanted=settings.livekit.enabled,
        ),
        ProxySecret(
            use="agent-api",
            name=f"{base}-agent-api",
            keys={"flow-mp-api-internal-password": "agentApiPassword"},
            switch="proxy.agentAPI.useRemote",
            named_at="proxy.agentAPI.useRemote",
            data_at="proxy.agentAPI.secretData",
            data=agents.secret_data,
            wanted=agents.from_remote,
        ),
    )  # fmt: skip


def wanted_secrets(settings: ProxySettings) -> tuple[ProxySecret, ...]:
    """Those this configuration wants."""
    return tuple(secret for secret in all_secrets(settings) if settings.enabled and secret.wanted)


@dataclass(frozen=True)
class ProxySecretsArgs:
    """What the Secrets need."""

    namespace: pulumi.Output[str]
    wanted: tuple[ProxySecret, ...]
    contents: Mapping[str, pulumi.Output[str]]
    """By flat key; a Secret without content is one that exists."""
    external: ExternalSecretsSettings


class ProxySecrets(pulumi.ComponentResource):
    """Secrets and requests for them. Not here: those that exist already, which are looked up before any workload."""

    names: dict[str, pulumi.Input[str]]
    """By what they are for."""

    def __init__(self, name: str, args: ProxySecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:ProxySecrets", name, {}, opts)
        self.names = {}
        for secret in args.wanted:
            made_as = f"{name}-{secret.use}"
            if args.external.enabled:
                metadata = kubernetes.meta.v1.ObjectMetaArgs(name=secret.name, namespace=args.namespace)
                request = ExternalSecretArgs(metadata, secret.name, args.external, secret.data)
                child = pulumi.ResourceOptions(parent=self)
                self.names[secret.use] = ExternalSecret(made_as, request, child).secret
            elif secret.given(args.contents):
                self.names[secret.use] = self._made(made_as, secret, args)
            else:
                self.names[secret.use] = secret.name
        self.register_outputs({"names": self.names})

    def _made(self, name: str, secret: ProxySecret, args: ProxySecretsArgs) -> pulumi.Output[str]:
        made = kubernetes.core.v1.Secret(
            name,
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=secret.name, namespace=args.namespace),
            type="Opaque",
            data={key: args.contents[flat].apply(encoded) for key, flat in secret.keys.items()},
            # out of the program it is out of the state, and stays in the cluster for the pods that still read it
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        return once_made(made, secret.name)
