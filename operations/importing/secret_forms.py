"""What secrets look like: names whose values are secrets in all likelihood, and texts that have one in them."""

from __future__ import annotations

import re

_NAMED = (
    "password|passwd|passphrase|passcode|secret|token|authorization|credentials?|creds|requirepass|masterauth|"
    "conn(ection)?[-_]?str(ing)?|"
    "(api|access|account|auth|client|encryption|hmac|jwt|license|master|private|rsa|secret|session|shared|signing|ssh|"
    "storage|subscription|webhook)[-_]?key"
)
NAME = re.compile(
    rf"(?i:({_NAMED}|^pass|^pwd|^pw|^pgpass|^hmac|^cookie|[-_.](pass|pat|pwd|pw|jwt|sas|hmac))$)|[a-z0-9](Pass|Pwd|Pw)$"
)
"""Names whose values are secrets, in all likelihood."""

OF_A_SECRET = re.compile(r"(?i:(secret|credentials?|creds)$)")
OWN_SECRET = re.compile(r"(?i:(api|app|client|hmac|shared|webhook)[-_.]?secret$)")
OBJECT = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
"""The name of a Secret, with its namespace or without."""

TEXTS = (
    re.compile(r"://[^/\s:@]*:(?!\$[({]\w+[)}]@)[^/\s@]+@"),
    re.compile(r"https?://[-\w.~%]{16,}@"),
    # the same without a scheme, before a host with a port; an image's digest is none
    re.compile(r"(?:^|[\s,;=\"'])(?!(?:mailto|sips?|xmpp):)[-\w.]+:(?!\$[({])[^\s:@/,;\"']+@(?!sha\d+:)[-\w.]+:\d+"),
    re.compile(rf"(?i:({_NAMED})\s*=(?!=)\s*(?!(true|false)\b))[\"']?[^\s\"'=;,&$<]"),
    re.compile(r"(?i:(^|[;,\s?&\"'])(pass|pwd|pw)\s*=(?!=)\s*(?!(true|false)\b))[\"']?[^\s\"'=;,&$<]"),
    re.compile(r"^\s*(?i:requirepass|masterauth)\s+(?!\"\"|'')\S", re.MULTILINE),
    re.compile(r"^\s*(?i:user)\s+\S+\s(.*\s)?[>#]\S", re.MULTILINE),
    re.compile(r"^(Bearer|Basic)\s+[^\s$]"),
    re.compile(r"(?i:authorization)[\"']?\s*[:=]?\s*[\"']?(?i:Bearer|Basic|Token)\s+[^\s\"'$<{]"),
    re.compile(r"\bBearer\s+(?=\S*\d)[-\w.~+/]{16,}"),
    # a header or a variable of nginx, whose value is no variable itself
    re.compile(
        rf"(?i:(set_header|set_headers|input_headers|add_header)\s+[\"']?[-\w]*({_NAMED})[\"']?[:\s]\s*[\"']?"
        r"(?!(Bearer|Basic|Token)\s))[^\s\"'$;]"
    ),
    re.compile(rf"(?i:\bset\s+\$\w*({_NAMED})\s+[\"']?)[^\s\"'$;]"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----"),
    # what signs an address: Azure's shared access signatures, and those of other clouds
    re.compile(r"(^|[?&;\s\"'])(amp;)?sig=[^\s\"'&$<{]"),
    re.compile(r"(?i:[?&](X-Amz|X-Goog)-Signature=)[0-9a-f]"),
    # tokens that their makers gave a form of their own
    re.compile(r"\beyJ[-\w]{5,}\.[-\w]*\.[-\w]+"),
    re.compile(r"\b(sk-|hf_)[-_A-Za-z0-9]{7,}"),
    re.compile(r"\b(gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[-\w]{16,})"),
    re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bAIza[-\w]{35}"),
    re.compile(r"\bxox[abeoprs]-[-\w]{10,}|hooks\.slack\.com/services/\w+/\w+/\w+"),
    re.compile(r"\b[rs]k_(live|test)_[A-Za-z0-9]{10,}"),
    re.compile(r"\bSG\.[-\w]{16,}\.[-\w]{16,}"),
    re.compile(r"\b(npm_[A-Za-z0-9]{36}|pypi-AgE[-\w]{20,}|dop_v1_[0-9a-f]{40,}|dckr_pat_[-\w]{20,})"),
    # a client's secret of Entra ID, the key of a storage account
    re.compile(r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])"),
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="),
    # a password as htpasswd has it
    re.compile(r"\$(2[abxy]\$\d\d|apr1)\$[./A-Za-z0-9]"),
)
"""What texts with a secret in them look like: an address or a connection string with a password, and such."""

OPTION = re.compile(r"--?\w[-\w.]*")
"""An argument that the next one may be the value of."""


def refers(name: str, text: str) -> bool:
    """Whether an annotation or a label only says which Secret is meant, such as `auth-secret: basic-auth`."""
    names_one = OF_A_SECRET.search(name) is not None and OWN_SECRET.search(name) is None
    return names_one and OBJECT.fullmatch(text) is not None
