"""What a values file may hold that is a secret by its name or its form, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.cases import Json
from tests.unit.operations.importing import loaded, reported

A1 = "a1" * 50
"""Cut to length, where a form has one; made up, as everything here."""

TEXTS = {
    "signature": f"https://store.blob.core.windows.net/models?sv=2024-11-04&sr=c&sig={A1[:43]}%3D",
    "signature first": f"?sig={A1[:43]}%3D&sv=2024-11-04",
    "signature without an address": f"sv=2024-11-04&ss=b&sp=r&sig={A1[:43]}%3D",
    "signature in YAML of an Ingress": f"/models?sv=2024-11-04&amp;sig={A1[:43]}",
    "presigned": f"https://bucket.example/models?X-Amz-Expires=60&X-Amz-Signature={A1[:64]}",
    "connection string, Pwd": "Server=db;Uid=me;Pwd=abc123",
    "connection string, pwd with spaces": "Server = db; pwd = abc123;",
    "connection string, Password with spaces": "Server = db; Password = abc123",
    "Pwd first": "Pwd=abc123;Server=db",
    "JSON web token": f"eyJ{A1[:20]}.eyJ{A1[:30]}.{A1[:43]}",
    "JSON web token in a text": f"token for the tests: eyJ{A1[:20]}.eyJ{A1[:30]}.{A1[:43]}",
    "encrypted JSON web token": f"eyJ{A1[:20]}..{A1[:16]}.{A1[:30]}.{A1[:22]}",
    "GitHub, classic": f"ghp_{A1[:36]}",
    "GitHub, an app's": f"ghs_{A1[:36]}",
    "GitHub, fine-grained": f"github_pat_{A1[:22]}_{A1[:59]}",
    "GitLab": f"glpat-{A1[:20]}",
    "AWS": f"AKIA{A1[:16].upper()}",
    "AWS, for a while": f"ASIA{A1[:16].upper()}",
    "Google": f"AIza{A1[:35]}",
    "Slack": f"xoxb-{A1[:12]}-{A1[:12]}-{A1[:24]}",
    "Slack, an address": f"https://hooks.slack.com/services/T{A1[:8]}/B{A1[:8]}/{A1[:24]}",
    "Stripe": f"sk_live_{A1[:24]}",
    "SendGrid": f"SG.{A1[:22]}.{A1[:43]}",
    "npm": f"npm_{A1[:36]}",
    "Docker Hub": f"dckr_pat_{A1[:27]}",
    "Entra ID, a client's": f"abc8Q~{A1[:34]}",
    "key of a storage account": f"{A1[:86]}==",
    "password of htpasswd": f"me:$2y$05${A1[:53]}",
    "Apache's": "me:$apr1$abcdefgh$0123456789abcdefghijkl",
    "address with a token for a user": f"https://{A1[:40]}@git.example/models.git",
    "user and password without a scheme": "me:abc123@broker.example:9092",
    "several brokers": "one.example:9092,me:abc123@two.example:9092",
    "Basic": "Basic bWU6YWJj",
    "nginx, Bearer": 'proxy_set_header Authorization "Bearer abc123";',
    "nginx, Basic": "proxy_set_header Authorization 'Basic bWU6YWJj';",
    "nginx, more headers": 'more_set_headers "Authorization: Bearer abc123";',
    "nginx, a key": "proxy_set_header X-Api-Key abc123;",
    "nginx, a variable": 'set $upstream_token "abc123";',
    "second line of a snippet": 'proxy_buffering off;\nproxy_set_header Authorization "Bearer abc123";\n',
    "redis.conf": "appendonly yes\nrequirepass abc123\n",
    "redis.conf, in capitals": "appendonly yes\nMASTERAUTH abc123\n",
    "redis.conf, a user's": "appendonly yes\nuser worker on >abc123 ~* +@all\n",
    "curl": 'curl -H "Authorization: Bearer abc123" https://example',
    "Bearer in a text": f"send Bearer {A1[:32]} with it",
}
"""A text, wherever it stands."""

NAMES = (
    "SESSION_PW", "DB_PWD", "CREDS", "MODEL_CREDS", "dbPw", "GITHUB_PAT", "STORE_SAS", "SESSION_KEY", "WEBHOOK_KEY",
    "JWT_KEY", "SERVICE_JWT", "SECRET_KEY", "PASSCODE", "PWD", "PW", "PGPASS", "HMAC", "SESSION_HMAC", "COOKIE",
)  # fmt: skip
"""Names of variables whose value is a secret, whatever it looks like."""

ANNOTATIONS = (
    "example.org/api-token", "example.org/password", "example.org/client-secret", "example.org/webhook-secret",
    "example.org/access-key",
)  # fmt: skip

KEPT_TEXTS = (
    "https://store.blob.core.windows.net/models?sv=2024-11-04&sr=c", "redis://cache:6379/0", "amqp://me@queue/sessions",
    "postgres://me:$(DB_PASS)@db/speech", "postgres://me:${DB_PASS}@db/speech", "Server=db;Uid=me", "design=1",
    "mysig=1", "compass=north", "bypass=1", "use_token=true", "max_tokens=512", "password=$(DB_PASS)",
    'appendonly yes\nrequirepass ""\n', "user default on nopass ~* +@all", "# requirepass is not offered",
    "tokens are counted: Bearer means who carries it", "Bearer $http_token",
    'proxy_set_header Authorization "Bearer $http_x_token";', 'proxy_set_header Authorization "";',
    "proxy_set_header Authorization $http_authorization;", "proxy_hide_header Authorization;",
    "proxy_set_header X-Request-Id $request_id;", "Authorization: Bearer <token>", "eyJ is how they begin",
    "eyjafjallajokull.example.org", "AKIA", "ghp_", "4cd6a0e5-3c2c-4f0a-9a55-0b1e4b1f5a10",
    "sha256:" + "0123456789abcdef" * 4, "mcr.microsoft.com/azure-cli:2.64.0", "$1 and $2", "/etc/token",
    "risk-assessment", "SG.westeurope", "a@b.example", "https://example.org/a/b@c", "sip:me@phone.example:5060",
    "mail.example:25,me@mail.example:25", "registry.example/models:1.2@sha256:" + "0123456789abcdef" * 4,
    "me:$(BROKER_WORD)@broker.example:9092",
)  # fmt: skip

KEPT_NAMES = (
    "MAX_TOKENS", "TOKEN_FILE", "SECRET_NAME", "PASSTHROUGH", "COMPASS", "BYPASS", "CACHE_KEY", "PUBLIC_KEY",
    "KEYBOARD", "SPEC_PATH", "PATCH", "PW_LENGTH", "CREDS_FILE", "SASL_MECHANISM", "JWT_ISSUER", "SESSION_KEY_LENGTH",
    "TOKENS", "COOKIE_NAME", "PGPASSFILE", "PWM",
)  # fmt: skip

KEPT_ANNOTATIONS = {
    "example.org/auth-secret": "basic-auth",
    "example.org/auth-tls-secret": "speech/ca-secret",
    "example.org/auth-secret-type": "auth-map",
    "example.org/token-file": "/etc/token",
}


def refused(values: Json, folder: Path) -> dict[str, str]:
    """Paths with their codes; what is refused for another reason too."""
    return {each["path"]: each["code"] for each in reported(yaml.safe_dump(values), folder, "--force")["refused"]}


def variables(named: dict[str, str]) -> Json:
    return {"transcribers": {"transcriber": {"env": [{"name": name, "value": text} for name, text in named.items()]}}}


def on_ingress(given: dict[str, str]) -> Json:
    return {"proxy": {"ingress": {"annotations": given}}}


def test_a_text_with_a_secret_in_it_is_left_out_of_a_variable(tmp_path: Path) -> None:
    named = {f"V{index}": text for index, text in enumerate(TEXTS.values())}
    found = refused(variables(named), tmp_path)
    left = {f"transcribers.transcriber.env[{index}]": label for index, label in enumerate(TEXTS)}
    assert [label for path, label in left.items() if found.get(path) != "secret-in-clear"] == []
    assert loaded(tmp_path / "Pulumi.mine.yaml").transcribers.transcriber.env == ()


def test_a_text_with_a_secret_in_it_is_left_out_of_an_annotation(tmp_path: Path) -> None:
    given = {f"example.org/v{index}": text for index, text in enumerate(TEXTS.values())}
    found = refused(on_ingress(given), tmp_path)
    assert set(found) == {f'proxy.ingress.annotations["{name}"]' for name in given}
    assert "example.org" not in (tmp_path / "Pulumi.mine.yaml").read_text()


def test_what_is_a_secret_by_its_name_is_left_out(tmp_path: Path) -> None:
    found = refused(variables(dict.fromkeys(NAMES, "abc123")), tmp_path)
    assert [name for i, name in enumerate(NAMES) if f"transcribers.transcriber.env[{i}]" not in found] == []
    found = refused({"flow": {"additionalEnv": dict.fromkeys(NAMES, "abc123")}}, tmp_path)
    assert set(found) == {f"flow.additionalEnv.{name}" for name in NAMES}


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_an_annotation_that_is_called_a_secret_is_left_out(name: str, tmp_path: Path) -> None:
    assert refused(on_ingress({name: "abc123"}), tmp_path) == {
        f'proxy.ingress.annotations["{name}"]': "secret-in-clear"
    }


def test_a_secret_under_the_name_of_a_reference_is_left_out(tmp_path: Path) -> None:
    """No Secret can be called so."""
    assert refused(on_ingress({"example.org/auth-secret": "Abc_123!"}), tmp_path)


def test_what_only_looks_like_a_secret_is_kept(tmp_path: Path) -> None:
    named = {f"V{index}": text for index, text in enumerate(KEPT_TEXTS)} | dict.fromkeys(KEPT_NAMES, "abc123")
    values = {**variables(named), **on_ingress(KEPT_ANNOTATIONS)}
    assert refused(values, tmp_path) == {}
    settings = loaded(tmp_path / "Pulumi.mine.yaml")
    assert {each["name"]: each["value"] for each in settings.transcribers.transcriber.env} == named
    assert KEPT_ANNOTATIONS.items() <= settings.proxy.ingress.annotations.items()
