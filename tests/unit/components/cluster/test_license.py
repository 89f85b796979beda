"""The license: read as it is or in base64, told apart, reported before it ends, and never shown."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from components.cluster.license import LicenseError, ends, fingerprint, license_text, warning

TEXT = '{"id": "1", "metadata": {"request": {"notValidAfter": "2027-01-31"}}, "signedclaimstoken": "eyJ"}'
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def lines(text: str) -> str:
    """As `base64` without `-w0` writes it."""
    return base64.encodebytes(text.encode()).decode()


@pytest.mark.parametrize("given", [TEXT, f"\n{TEXT}\n", lines(TEXT), lines(f"{TEXT}\n")])
def test_the_file_and_its_base64_are_one_license(given: str) -> None:
    assert license_text(given) == TEXT


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "no JSON"),
        ("the-bytes", "neither JSON"),
        (lines("the-bytes"), "no JSON"),
        (lines(lines(TEXT)), "no JSON"),
        (TEXT[:-3], "cut short"),
        (lines("[1]"), "no object"),
    ],
)
def test_anything_else_is_refused_without_a_word_of_it(given: str, why: str) -> None:
    with pytest.raises(LicenseError, match=why) as refused:
        license_text(given)
    assert not given.strip() or given.strip() not in str(refused.value)
    assert "bytes" not in str(refused.value)


def test_a_fingerprint_tells_contents_and_names_apart_and_shows_neither() -> None:
    found = {fingerprint(name, text) for name in ("a", "b") for text in (TEXT, TEXT.replace("1", "2"))}
    assert len(found) == 4
    assert {len(each) for each in found} == {16}
    assert fingerprint("a", TEXT) == fingerprint("a", TEXT)


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"metadata": {"request": {"notValidAfter": "2027-01-31"}}}, datetime(2027, 1, 31, tzinfo=UTC)),
        ({"notValidAfter": "2027-01-31 17:00:00"}, datetime(2027, 1, 31, 17, tzinfo=UTC)),
        ({"notValidAfter": "2027-01-31T17:00:00+01:00"}, datetime(2027, 1, 31, 16, tzinfo=UTC)),
        ({"exp": 1801353600}, datetime(2027, 1, 31, tzinfo=UTC)),
        ({"exp": 1801353600, "notValidAfter": "2027-01-01"}, datetime(2027, 1, 1, tzinfo=UTC)),
        ({"exp": True, "notValidAfter": "soon"}, None),
        ({"exp": 10**20}, None),
        ({"metadata": [], "validUntil": "2027-01-31"}, None),
        ({}, None),
    ],
)
def test_the_end_is_what_the_vendor_documents_or_a_common_claim_or_unknown(
    fields: dict[str, object], end: datetime | None
) -> None:
    assert ends(json.dumps(fields)) == end


def test_what_is_no_json_has_no_end() -> None:
    assert ends("the-bytes") is None
    assert ends("[]") is None


def test_a_license_is_reported_thirty_days_before_its_end_and_after_it() -> None:
    assert warning(None, NOW) is None
    assert warning(NOW + timedelta(days=31), NOW) is None
    soon, over = warning(NOW + timedelta(days=20), NOW), warning(NOW, NOW)
    assert soon is not None
    assert "ends on 2026-12-17 at 00:00 UTC" in soon
    assert over is not None
    assert "ended on 2026-11-27" in over
