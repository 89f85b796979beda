"""A self-signed certificate, so that wss works before the operator has one. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OUR_NAME = "sm-realtime ingress, self-signed"
"""The subject of every certificate made here, which tells them from an operator's own."""

VALID_DAYS = 3653
"""Ten years: nobody trusts it by its date, and it must not run out under a running platform."""

SKEW = timedelta(days=1)
"""It is valid from a day before, for clients whose clocks are behind."""


@dataclass(frozen=True)
class Pair:
    """Certificate and private key as PEM text."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return "Pair(...)"


def self_signed(hosts: Sequence[str], now: datetime) -> Pair:
    """A server certificate for these host names, with a new ECDSA P-256 key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, OUR_NAME)])
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _parsed(certificate: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(certificate.encode())
    except ValueError:
        return None


def hosts_of(certificate: str) -> frozenset[str]:
    """The hosts a certificate is for; none where the text is none."""
    parsed = _parsed(certificate)
    if parsed is None:
        return frozenset()
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(names.get_values_for_type(x509.DNSName))


def covers(held: Collection[str], host: str) -> bool:
    """Whether a certificate for these hosts is one for this host: a `*` stands for one label (RFC 6125)."""
    return host in held or f"*.{host.partition('.')[2]}" in held


def kept(held: Pair | None, hosts: Sequence[str]) -> Pair | None:
    """The pair there is, unless it was made here and for other hosts: an operator's own is never replaced."""
    parsed = _parsed(held.certificate) if held else None
    if held is None or parsed is None:
        return None
    ours = [name.value for name in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [OUR_NAME]
    return held if not ours or hosts_of(held.certificate) == set(hosts) else None
