"""Certificates of one control plane: authorities and handed-out client certificates kept, serving ones made anew.

Three authorities, as a production control plane has: one for the API (clients and serving), one for etcd and one
between API server and kubelets, so that an API client's certificate opens neither etcd nor a kubelet.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.files import write_whole

LIFETIME = datetime.timedelta(days=3650)
"""A plane lives for hours or weeks; nothing here is renewed."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


def _write(path: Path, content: bytes) -> None:
    """Write a file only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, content)


def _key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
    )


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    """A certificate authority: `<name>.crt` and `<name>.key` in `folder`, made when they are not there."""

    def __init__(self, folder: Path, name: str) -> None:
        self.files = Pair(folder / f"{name}.crt", folder / f"{name}.key")
        if not self.files.certificate.exists():
            self._make(name)
        self.pem = self.files.certificate.read_bytes()
        self._certificate = x509.load_pem_x509_certificate(self.pem)
        key = serialization.load_pem_private_key(self.files.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    def _make(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"sandbox {name}")])
        certificate = (
            _builder(subject, subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(self.files.key, _key_pem(key))
        _write(self.files.certificate, certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        files: Pair,
        name: str,
        organisations: Sequence[str] = (),
        hosts: Sequence[str] = (),
        client: bool = False,
    ) -> Pair:
        """A new certificate in `files` for a server under `hosts` (names and addresses), for a client, or for both."""
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organisations]
        subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])
        uses = [ExtendedKeyUsageOID.SERVER_AUTH] * bool(hosts) + [ExtendedKeyUsageOID.CLIENT_AUTH] * client
        builder = (
            _builder(subject, self._certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(h) for h in hosts]), False)
        certificate = builder.sign(self._key, hashes.SHA256())
        _write(files.key, _key_pem(key))
        _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        return files


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Pki:
    """All keys and certificates of one control plane, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = Authority(folder, "cluster-ca")
        self.etcd = Authority(folder, "etcd-ca")
        self.kubelet = Authority(folder, "kubelet-ca")
        self.service_accounts = Pair(folder / "service-accounts.pub", folder / "service-accounts.key")
        if not self.service_accounts.certificate.exists():
            key = rsa.generate_private_key(65537, 2048)
            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            _write(self.service_accounts.key, _key_pem(key))
            _write(self.service_accounts.certificate, public)

    def pair(self, name: str) -> Pair:
        return Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")

    def user(self, user: str, groups: Sequence[str]) -> Pair:
        """The client certificate of a user of the API: the same one at every call, also after a restart."""
        digest = hashlib.sha256("\n".join([user, *groups]).encode()).hexdigest()[:16]
        files = Pair(self.folder / "users" / f"{digest}.crt", self.folder / "users" / f"{digest}.key")
        if not files.certificate.exists():
            self.cluster.issue(files, user, groups, client=True)
        return files

    def kubeconfig(self, server: str, cluster: str, user: str, groups: Sequence[str]) -> str:
        """A kubeconfig (YAML) for `user` at `server`, everything inline; the context is called as the cluster."""
        files = self.user(user, groups)

        def data(content: bytes) -> str:
            return base64.b64encode(content).decode()

        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {
                        "name": cluster,
                        "cluster": {"certificate-authority-data": data(self.cluster.pem), "server": server},
                    }
                ],
                "users": [
                    {
                        "name": user,
                        "user": {
                            "client-certificate-data": data(files.certificate.read_bytes()),
                            "client-key-data": data(files.key.read_bytes()),
                        },
                    }
                ],
                "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
                "current-context": cluster,
                "preferences": {},
            },
            sort_keys=False,
        )
