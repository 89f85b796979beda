"""Which Secrets must exist by which configuration, and how the program ends when one does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from components.cluster.existing_secrets import ExistingSecret, Found, Lack, UnreadableError
from stacks import ending
from stacks.load import read
from stacks.platform.existing import existing_secrets, notice, refuse, text
from stacks.schema import Settings
from tests.unit.cases import given
from tests.unit.graph import Json, stack_config

VENDOR = ("registry.example",)
LICENSE = ("speechmatics-license", "global.licensing.secretName")
LOGIN = ("speechmatics-registry", "global.imagePullSecrets[0].name")


def settings(config: Json, **secrets: str) -> Settings:
    found, problems = read(*given({"config": config, "secrets": secrets}))
    assert found is not None, problems
    return found


MADE_LICENSE = {"global": {"licensing": {"createSecret": True}}}
MADE_LOGIN = {"pullSecret": {"createSecret": True, "username": "someone"}}
TWO = [{"name": "speechmatics-registry"}, {"name": "mirror"}]


@pytest.mark.parametrize(
    ("config", "secrets", "wanted"),
    [
        ({}, {}, [LICENSE, LOGIN]),
        (MADE_LICENSE, {"licenseJson": "{}"}, [LOGIN]),
        (MADE_LOGIN, {"registryPassword": "x"}, [LICENSE]),
        (MADE_LICENSE | MADE_LOGIN, {"licenseJson": "{}", "registryPassword": "x"}, []),
        (
            MADE_LOGIN | {"global": {"imagePullSecrets": TWO}},
            {"registryPassword": "x"},
            [LICENSE, ("mirror", "global.imagePullSecrets[1].name")],
        ),
        ({"global": {"imagePullSecrets": []}}, {}, [LICENSE]),
        ({"global": {"licensing": {"secretName": "other"}}}, {}, [("other", LICENSE[1]), LOGIN]),
    ],
)
def test_what_is_not_made_here_must_exist(config: Json, secrets: dict[str, str], wanted: list[tuple[str, str]]) -> None:
    found = existing_secrets(settings(config, **secrets), VENDOR)
    assert sorted((secret.name, secret.path) for secret in found) == sorted(wanted)


def test_what_transcribers_and_servers_name_by_themselves_must_exist_once() -> None:
    own: Json = {"imagePullSecrets": [{"name": "speech-pull"}, {"name": "speechmatics-registry"}]}
    found = existing_secrets(
        settings(
            {
                "transcribers": own
                | {"transcriber": {"licensing": {"secretName": "speech-license"}, "speakerId": {"enabled": True}}},
                "inferenceServerEnhancedRecipe1": own
                | {"tritonServer": {"licensing": {"secretName": "speech-license"}}},
                # off, so nothing of it is looked up
                "inferenceServerEnhancedRecipe2": {"imagePullSecrets": [{"name": "elsewhere"}]},
            }
        ),
        VENDOR,
    )
    assert [(secret.name, secret.path) for secret in found] == [
        LOGIN,
        # everybody's is read by nobody
        ("speech-license", "transcribers.transcriber.licensing.secretName"),
        ("speech-pull", "transcribers.imagePullSecrets[0].name"),
        ("rt-transcriber-speaker-id", "transcribers.transcriber.speakerId.enabled"),
    ]
    assert found[-1].keys == ("private-key", "public-key")


def test_what_the_transcribers_store_has_is_not_looked_up() -> None:
    own: Json = {"externalSecrets": {"enabled": True}, "transcriber": {"speakerId": {"enabled": True}}}
    found = existing_secrets(settings(MADE_LICENSE | {"transcribers": own}), VENDOR)
    assert [(secret.name, secret.path) for secret in found] == [LOGIN]


def test_the_sandbox_makes_its_own() -> None:
    found, _ = read(*stack_config("sandbox"))
    assert found is not None
    assert existing_secrets(found, VENDOR) == ()


def test_each_is_made_in_the_namespace_with_what_is_looked_at() -> None:
    secrets = {secret.name: secret for secret in existing_secrets(settings({"namespace": "voice"}), VENDOR)}
    license_, login = secrets["speechmatics-license"], secrets["speechmatics-registry"]
    assert (license_.keys, license_.type) == (("license.json",), None)
    assert license_.create == (
        "kubectl create secret generic speechmatics-license --namespace voice --from-file=license.json"
    )
    assert (login.keys, login.type) == ((), "kubernetes.io/dockerconfigjson")
    assert login.create == (
        "kubectl create secret docker-registry speechmatics-registry --namespace voice"
        ' --docker-server=registry.example --docker-username="$REGISTRY_USERNAME"'
        ' --docker-password="$REGISTRY_PASSWORD"'
    )
    assert login.delete == "kubectl delete secret speechmatics-registry --namespace voice"


def test_a_login_at_several_registries_comes_from_a_file() -> None:
    secrets = existing_secrets(settings({}), ("b.example", "a.example", "b.example"))
    (login,) = (secret for secret in secrets if secret.type)
    assert "--type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=" in login.create
    assert "a.example, b.example" in login.create


def lack(path: str) -> Lack:
    secret = ExistingSecret("s", (), None, path, "the license", "make it", "drop it")
    return Lack(secret, "secret-not-found", "it is not there", "make it")


def test_all_are_told_with_path_code_reason_and_command() -> None:
    said = text([lack("global.b"), lack("global.a")])
    assert said.splitlines()[0].startswith("2 Secrets must be made first; no workload was made or changed.")
    assert said.index("sm-realtime:global.a  [secret-not-found]") < said.index("sm-realtime:global.b")
    assert said.count("why:  it is not there") == said.count("mend: make it") == 2
    assert text([lack("global.a")]).startswith("A Secret must be made first;")


def test_a_cluster_that_cannot_be_read_is_told_by_its_name() -> None:
    said = text(UnreadableError("no answer within 20 seconds"))
    assert "sm-realtime:azure.clusterName  [cluster-unreadable]" in said
    assert "no answer within 20 seconds" in said


async def test_the_program_ends_with_one_message_once_no_hook_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    async def shutdown() -> None:
        done.append("hooks")

    monkeypatch.setattr("pulumi.log.error", done.append)
    monkeypatch.setattr(ending, "_shutdown_callbacks", shutdown)
    with pytest.raises(SystemExit) as ended:
        await refuse([lack("global.a")])
    assert ended.value.code == 32
    assert done == [text([lack("global.a")]), "hooks"]


def extra(config: Json, contents: tuple[str, ...] = (), **secrets: str) -> dict[str, ExistingSecret]:
    """What must exist beside license and login, by name."""
    found = existing_secrets(settings(config, **secrets), VENDOR, contents)
    return {secret.name: secret for secret in found if (secret.name, secret.path) not in (LICENSE, LOGIN)}


def test_the_proxys_secrets_are_looked_up_where_nothing_is_made_of_them() -> None:
    both = {"events": {"enabled": True, "secretName": "own"}, "livekit": {"enabled": True}}
    found = extra({"proxy": both})
    assert sorted(found) == ["own", "proxy-livekit"]
    assert (found["own"].path, found["own"].keys) == ("proxy.events.secretName", ("endpoint", "conn-string"))
    assert found["own"].create == (
        "kubectl create secret generic own --namespace speechmatics"
        " --from-file=endpoint=proxyEventsEndpoint.txt --from-file=conn-string=proxyEventsConnString.txt"
    )
    contents = {"livekitUrl": "a", "livekitApiKey": "b", "livekitApiSecret": "c"}
    assert sorted(extra({"proxy": both}, tuple(contents), **contents)) == ["own"]


def test_what_comes_from_a_store_is_not_looked_up() -> None:
    keys = [{"secretKey": "conn_string", "remoteRef": {"key": "db"}}]
    store = {"enabled": True, "secretStoreName": "vault"}
    proxy = {"externalSecrets": store, "proxyCache": {"enabled": True}, "database": {"data": keys}}
    assert extra({"proxy": proxy}) == {}


TLS: Json = {"url": "a.example", "tls": {"secretName": "first"}}
SECOND = {"additionalHost": {"enabled": True, "url": "b.example", "tlsSecretName": "second"}}


def test_a_certificate_must_be_there_for_each_host_that_names_one() -> None:
    found = extra({"proxy": {"ingress": {**TLS, "flow": SECOND}}})
    assert {name: (secret.path, secret.hosts) for name, secret in found.items()} == {
        "first": ("proxy.ingress.tls.secretName", ("a.example",)),
        "second": ("proxy.ingress.flow.additionalHost.tlsSecretName", ("b.example",)),
    }
    assert (found["first"].type, found["first"].keys) == ("kubernetes.io/tls", ("tls.crt", "tls.key"))
    assert found["first"].create == (
        "kubectl create secret tls first --namespace speechmatics --cert=tls.crt --key=tls.key"
    )


@pytest.mark.parametrize(
    "changed",
    [{"annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"}}, {"enabled": False}, {"tls": {}}],
)
def test_a_certificate_that_is_still_to_be_made_is_not_looked_up(changed: Json) -> None:
    assert extra({"proxy": {"ingress": TLS | changed}}) == {}


def test_the_proxys_own_pull_secrets_must_exist_too() -> None:
    found = extra({"proxy": {"imagePullSecrets": [{"name": "speechmatics-registry"}, {"name": "own"}]}})
    assert {secret.path for secret in found.values()} == {"proxy.imagePullSecrets[1].name"}


def test_a_license_that_ends_is_told_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", said.append)
    over, later = datetime(2020, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
    kinds = {"old": over, "good": later, "unknown": None}
    notice({name: Found("Opaque", frozenset(), license_ends=end) for name, end in kinds.items()})
    (text,) = said
    assert text.startswith("Secret old  [license-ends]  the license ended on 2020-01-01")
