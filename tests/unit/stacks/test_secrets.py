"""What is said of the text of a secret."""

from __future__ import annotations

import base64

import pytest

from stacks.secrets import unreadable

ADDRESSES = (
    "postgres://speech:made-up@database.example.org/speech",
    "host=database.example.org user=speech password=made-up dbname=speech",
    "Server=tcp:database.example.org,1433;User ID=speech;Password=made-up",
    "speech:made-up@tcp(database.example.org:3306)/speech",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_databases_address_is_readable_in_every_common_form_and_never_in_base64(address: str) -> None:
    assert unreadable("databaseUrl", f"{address}\n") == []
    encoded = base64.b64encode(address.encode()).decode()
    # what `base64 -d` makes of plain text
    decoded = base64.b64decode("".join(filter(str.isalnum, address))[: len(address) // 4 * 4 - 16]).decode(
        errors="replace"
    )
    for junk in (encoded, f"{encoded}\n", decoded, "\n".join(ADDRESSES), " "):
        (problem,) = unreadable("databaseUrl", junk)
        assert problem.code == "address-unreadable"
        assert "set --secret databaseUrl < database-url.txt" in problem.mend
        assert junk.strip() == "" or junk.strip() not in problem.text
