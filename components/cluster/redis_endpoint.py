"""Which Redis the control plane uses, and what must be there first (contract: control plane 4.0, 9.1)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.cluster.control_plane_credentials import REDIS_MARK
from components.speech.pod import Files, Json, env, env_config, env_flag, env_secret

REDIS_URL = "redis_url"
"""Key of the map, and of the Secret of an external Redis, with its address."""

CA_KEY = "ca.crt"
CA_FOLDER = "/etc/redis-ca"


@dataclass(frozen=True)
class RedisEndpoint:
    """One Redis, as the four services of the control plane reach it."""

    address: str | None
    """`host:port` for `redis_url` in the map; None where the address is in a Secret."""
    ready: tuple[pulumi.Resource, ...]
    """What must be there before a service starts."""
    timeout: str
    """How long they wait for it at their start."""
    fail_over_client: bool
    """Whether the address is that of sentinels."""
    config_map: str | None = None
    """A map of somebody else's with the address."""
    secret: pulumi.Input[str] | None = None
    """Name of the Secret with the address, of an external Redis."""
    database: int = 0
    """Number of the database in an external Redis."""
    mark: pulumi.Input[str] | None = None
    """Tells the address in that Secret from another, where the Secret is made here."""
    ca_secret: str | None = None
    """Name of the Secret with the certificate of the authority of an external Redis."""

    def variables(self, config_map: pulumi.Input[str]) -> list[Json]:
        """The Redis block, always in this order; `config_map` is the program's own map."""
        found = [env_config("REDIS_CONN_URL", self.config_map or config_map, REDIS_URL)]
        if self.secret is not None:
            found = [
                env_secret("REDIS_CONN_URL", self.secret, REDIS_URL),
                env_flag("REDIS_USE_EXTERNAL", True),
                env("REDIS_DB_INDEX", str(self.database)),
            ]
        found += [
            env_flag("REDIS_FAIL_OVER_CLIENT_ENABLED", self.fail_over_client),
            env("REDIS_SETUP_TIMEOUT_DURATION", self.timeout),
        ]
        # read by the TLS library of Go beside the system's authorities
        return [*found, env("SSL_CERT_DIR", CA_FOLDER)] if self.ca_secret else found

    @property
    def annotations(self) -> dict[str, pulumi.Input[str]]:
        """Of pods that read the address when they start."""
        return {} if self.mark is None else {REDIS_MARK: self.mark}

    @property
    def files(self) -> Files:
        """The authority's certificate, where there is one of its own."""
        return ca_files(self.ca_secret)


def ca_files(secret: str | None) -> Files:
    """The certificate of an authority as a folder that the TLS library reads; none without a Secret."""
    if secret is None:
        return Files()
    return Files(
        ({"name": "redis-ca", "secret": {"secretName": secret, "items": [{"key": CA_KEY, "path": CA_KEY}]}},),
        ({"name": "redis-ca", "mountPath": CA_FOLDER, "readOnly": True},),
    )
