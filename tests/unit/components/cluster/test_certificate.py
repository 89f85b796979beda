"""The self-signed certificate."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from components.cluster.certificate import Pair, hosts_of, kept, self_signed

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_it_is_for_these_hosts_for_ten_years() -> None:
    certificate = x509.load_pem_x509_certificate(self_signed(["a.example", "b.example"], NOW).certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "b.example"]
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc >= NOW + timedelta(days=3652)


def test_the_key_is_p_256_and_fits(tmp_path: Path) -> None:
    pair = self_signed(["a.example"], NOW)
    key = load_pem_private_key(pair.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    (tmp_path / "crt").write_text(pair.certificate)
    (tmp_path / "key").write_text(pair.key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "crt", tmp_path / "key")


def test_every_pair_is_another_one() -> None:
    assert self_signed(["a.example"], NOW).key != self_signed(["a.example"], NOW).key


def test_the_key_is_not_printed() -> None:
    assert "PRIVATE" not in repr(self_signed(["a.example"], NOW))


def test_a_host_that_is_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="DNSName"):
        self_signed(["ä.example"], NOW)


def own(hosts: list[str], subject: str) -> Pair:
    """A certificate that somebody else made."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return Pair(made.public_bytes(Encoding.PEM).decode(), "key")


def test_one_made_here_is_kept_for_its_hosts_and_not_for_others() -> None:
    pair = self_signed(["a.example", "b.example"], NOW)
    assert kept(pair, ["b.example", "a.example"]) is pair
    assert kept(pair, ["a.example"]) is None
    assert kept(pair, ["c.example"]) is None


def test_an_operators_own_is_kept_whatever_it_is_for() -> None:
    pair = own(["a.example"], "a.example")
    assert kept(pair, ["c.example"]) is pair


@pytest.mark.parametrize("held", [None, Pair("", ""), Pair("no certificate", "no key")])
def test_what_is_no_certificate_is_made_anew(held: Pair | None) -> None:
    assert kept(held, ["a.example"]) is None
    assert hosts_of("no certificate") == frozenset()
