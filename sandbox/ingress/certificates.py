"""TLS Secrets as contexts of a server."""

from __future__ import annotations

import base64
import binascii
import functools
import ssl
import tempfile
from pathlib import Path

from sandbox.hosted.host import Json


class InvalidSecretError(Exception):
    """Why a Secret is no certificate (internal/k8s/secrets/validation.go)."""


def context(secret: Json) -> ssl.SSLContext:
    """A server's context with the certificate and key of a Secret. Raises `InvalidSecretError`."""
    if secret.get("type") != "kubernetes.io/tls":
        raise InvalidSecretError("TLS Secret must be of the type kubernetes.io/tls")
    data = secret.get("data") or {}
    return _made(data.get("tls.crt", ""), data.get("tls.key", ""))


@functools.lru_cache(maxsize=8)
def _made(certificate: str, key: str) -> ssl.SSLContext:
    """Made once for each content: a change of any pod in the cluster asks for it again."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # the ssl module reads certificates from files only
    with tempfile.TemporaryDirectory() as folder:
        files: list[Path] = []
        for name, text in (("tls.crt", certificate), ("tls.key", key)):
            path = Path(folder) / name
            path.touch(mode=0o600)
            try:
                path.write_bytes(base64.b64decode(text, validate=True))
            except binascii.Error as error:
                raise InvalidSecretError(f"{name}: {error}") from error
            files.append(path)
        try:
            made.load_cert_chain(files[0], files[1])
        except (ssl.SSLError, OSError) as error:
            raise InvalidSecretError(f"failed to validate TLS cert and key: {error}") from error
    return made
