"""No secret of a values file reaches the stack file: every place that may hold one, and what only looks like it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from stacks.misplaced import SEED_SECRETS
from tests.unit.cases import Json
from tests.unit.operations.importing import CLUSTER, encoded, loaded, reported, run, tools

FIRST = "1f4725b0-fde5-4521-a57c-e899e245d0b0"
SECOND = "2f4725b0-fde5-4521-a57c-e899e245d0b0"
ELSEWHERE = """
transcribers:
  transcriber:
    env:
    - {name: DB_PASS, value: S3CRET}
    - {name: AZ_STORAGE_KEY, value: S3CRET}
    - {name: KEPT, value: kept}
    - {name: DSN, value: "host=db user=me password=S3CRET"}
    - {name: DATABASE, value: "postgres://me:S3CRET@db/speech"}
    - {name: LOGIN, value: '{"user": "me", "password": "S3CRET"}'}
    - {name: PIN_TOKEN, value: 40S3CRET04}
    - {name: KEY_TEXT, value: "-----BEGIN RSA PRIVATE KEY-----\\nS3CRET\\n"}
    livenessProbe:
      httpGet: {path: /live, port: 8001, httpHeaders: [{name: Authorization, value: Bearer S3CRET}]}
    speakerId: {enabled: true, keys: {private-key: S3CRET, public-key: S3CRET}}
proxy:
  events: {data: {further: S3CRET}}
  livekit: {data: {further: S3CRET}}
  agentAPI:
    secretData: {further: S3CRET}
    configMap:
      data:
        FIRST_latest: >-
          {"agent_id": "FIRST", "name": "kept",
           "custom_llm_config": [{"url": "https://m", "model": "m", "api_key": "S3CRET"}]}
        SECOND_latest.json:
          agent_id: SECOND
          name: kept
          custom_llm_config: [{url: "https://m", model: m, api_key: S3CRET, headers: {Authorization: Bearer S3CRET}}]
  proxy:
    customArgs: [--kept, --api-key=S3CRET, --access-token, S3CRET]
    config: {additionalConfig: {CACHE_CONNECTION: "cache:6380,password=S3CRET,ssl=True", dbPass: S3CRET, KEPT: kept}}
resourceManager:
  redis: {auth: {password: S3CRET}, commonConfiguration: "appendonly yes\\nrequirepass S3CRET\\n"}
flow:
  additionalEnv: {ENDPOINT: "Endpoint=sb://hub;SharedAccessKeyName=me;SharedAccessKey=S3CRET", PIN_TOKEN: 40S3CRET04}
  secrets: {data: {mine: S3CRET}, additionalData: {also-mine: S3CRET}}
  llmProxy:
    secrets: {data: {model-key: S3CRET}, additionalData: {pin: 40S3CRET04, flow-openai-api-key: S3CRET}}
    config: {model_list: [{model_name: a, llm_params: {url: "https://m", model: m, api_key: sk-S3CRET}}]}
  vllm: {config: {additionalArgs: {api-key: S3CRET, max-num-seqs: "1"}}}
""".replace("FIRST", FIRST).replace("SECOND", SECOND)


def laid(below: Json, over: Json) -> Json:
    """One map over another."""
    both = {**below, **over}
    return {
        k: laid(below[k], v) if isinstance(v, dict) and isinstance(below.get(k), dict) else v for k, v in both.items()
    }


def everywhere() -> tuple[str, list[str]]:
    """A values file with a secret at every place that can hold one, and the secrets."""
    count = iter(range(7310001, 7320000))
    values: Json = yaml.safe_load(re.sub("S3CRET", lambda _: str(next(count)), ELSEWHERE))
    for path in SEED_SECRETS:
        secret: Json | str = f"{next(count)}"
        for part in reversed(path.split(".")):
            secret = {part: secret}
        assert isinstance(secret, dict)
        values = laid(values, secret)
    return yaml.safe_dump(values), [str(each) for each in range(7310001, next(count))]


def test_no_secret_of_a_values_file_reaches_the_stack_file_or_the_report(tmp_path: Path) -> None:
    values, secrets = everywhere()
    assert len(secrets) > len(SEED_SECRETS) + 30
    assert [each for each in secrets if each not in values] == []
    found, target = run(values, tmp_path, *CLUSTER)
    assert found.exit_code == 3
    written = target.read_text()
    assert [each for each in secrets if each in written + found.output] == []
    assert found.exception is None or isinstance(found.exception, SystemExit)
    settings = loaded(target)
    assert [each["name"] for each in settings.transcribers.transcriber.env] == ["KEPT"]
    assert settings.proxy.proxy.config.additional_config == {"KEPT": "kept"}
    assert settings.flow.vllm.config.additional_args == {"max-num-seqs": "1"}
    agents = settings.proxy.agent_api.config_map.data or {}
    assert [agent["name"] for agent in agents.values()] == ["kept", "kept"]


def test_a_secret_without_a_flat_key_has_the_command_that_makes_a_secret_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values: Json = {"flow": {"llmProxy": {"secrets": {}}, "secrets": {}}, "transcribers": {"fullnameOverride": "asr"}}
    values["flow"]["secrets"]["additionalData"] = {"mine": encoded("first"), "flow-openai-api-key": encoded("second")}
    values["flow"]["llmProxy"]["secrets"]["data"] = {
        "model-key": encoded("third"),
        "flow-openai-api-key": encoded("fourth"),
    }
    values["transcribers"]["transcriber"] = {
        "speakerId": {"keys": {"private-key": encoded("fifth"), "public-key": encoded("sixth")}}
    }
    tools(tmp_path, monkeypatch)
    report = reported(yaml.safe_dump(values), tmp_path, "--namespace", "voice")
    refused = {each["path"]: each for each in report["refused"]}
    assert {path: each["code"] for path, each in refused.items()} == dict.fromkeys(
        ("flow.secrets.additionalData", "flow.llmProxy.secrets.data", "transcribers.transcriber.speakerId.keys"),
        "secret-in-clear",
    )
    assert "`flow.llmProxy.additionalEnvFrom`" in refused["flow.llmProxy.secrets.data"]["why"]
    for command in [*(each["command"] for each in report["secrets"]), *(each["mend"] for each in refused.values())]:
        subprocess.run(["bash", "-c", command], check=True)
    assert sorted((tmp_path / "stored").read_text().splitlines()) == [
        'asr-speaker-id voice private-key "fifth"',
        'asr-speaker-id voice public-key "sixth"',
        'flow-more voice mine "first"',
        "flowOpenaiApiKey second",
        'llmproxy-more voice flow-openai-api-key "fourth"',
        'llmproxy-more voice model-key "third"',
    ]


NO_SECRETS = """
transcribers:
  transcriber:
    env:
    - {name: API_TOKEN, valueFrom: {secretKeyRef: {name: mine, key: api-key}}}
    - {name: TOKEN_FILE, value: /etc/token}
    - {name: USE_TOKEN, value: "true"}
    - {name: SETTINGS, value: '{"timeout": 3, "tokens": 5}'}
    speakerId: {keys: {private-key: transcriber-private-key, public-key: transcriber-public-key}}
proxy:
  externalSecrets: {enabled: true, secretStoreName: store}
  database: {createSecret: true, data: [{secretKey: conn_string, remoteRef: {key: conn-string}}]}
  ingress: {annotations: {example.org/auth-secret: basic-auth}}
  agentAPI:
    configMap:
      data:
        FIRST_latest: '{"agent_id": "FIRST", "instructions": {"prompt": "Never ask for a password: token or secret."}}'
flow:
  config: {llm: {azure: {additionalPresets: [{mine: {config: {env: {api_key: AZURE_KEY}}}}]}}}
  vllm: {config: {additionalArgs: {max-num-seqs: "1"}}}
  llmProxy:
    config: {model_list: [{model_name: a, llm_params: {url: "https://m", model: m, api_key: os.environ/KEY}}]}
""".replace("FIRST", FIRST)


def test_what_only_refers_to_a_secret_or_speaks_of_one_is_kept(tmp_path: Path) -> None:
    report = reported(NO_SECRETS, tmp_path)
    assert report["refused"] == []
    settings = loaded(tmp_path / "Pulumi.mine.yaml")
    assert len(settings.transcribers.transcriber.env) == 4
    assert "password: token" in str(settings.proxy.agent_api.config_map.data)


def test_names_of_speakers_keys_in_a_store_are_no_content_of_a_secret(tmp_path: Path) -> None:
    values = """
        transcribers:
          externalSecrets: {enabled: true}
          transcriber: {speakerId: {keys: {private-key: one, public-key: two}}}
    """
    assert reported(values, tmp_path)["refused"] == []
    keys = loaded(tmp_path / "Pulumi.mine.yaml").transcribers.transcriber.speaker_id.keys
    assert (keys.private_key, keys.public_key) == ("one", "two")


def test_a_variable_that_looks_like_a_secret_has_the_command_and_the_line_that_refers_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands as they are printed, and the lines, which the program takes."""
    values = """
        transcribers:
          transcriber: {env: [{name: KEPT, value: kept}, {name: MY_API_TOKEN, value: first}]}
          workerProxy: {env: [{name: MY_API_TOKEN, value: second}]}
        proxy: {proxy: {deployments: {a: {additionalEnv: [{name: DB_PASS, value: "third\\n"}]}}}}
        flow: {additionalEnv: {PIN_TOKEN: fourth}}
    """
    tools(tmp_path, monkeypatch)
    refused = {each["path"]: each for each in reported(values, tmp_path, "--namespace", "voice")["refused"]}
    lists = {
        "transcribers.transcriber.env[1]": "transcribers.transcriber.env",
        "transcribers.workerProxy.env[0]": "transcribers.workerProxy.env",
        "proxy.proxy.deployments.a.additionalEnv[0]": "proxy.proxy.deployments.a.additionalEnv",
        "flow.additionalEnv.PIN_TOKEN": "flow.additionalEnvFrom",
    }
    assert refused.keys() == lists.keys()
    written: Json = {}
    for path, wanted in lists.items():
        command, _, rest = refused[path]["mend"].partition("  # then in ")
        subprocess.run(["bash", "-c", command], check=True)
        place, _, line = rest.partition(": ")
        assert place == wanted
        section = yaml.safe_load(line)
        for part in reversed(place.split(".")):
            section = {part: section}
        written = laid(written, section)
    assert sorted((tmp_path / "stored").read_text().splitlines()) == [
        'flow-pin-token voice PIN_TOKEN "fourth"',
        'proxy-proxy-deployments-a-db-pass voice DB_PASS "third\\n"',
        'transcribers-transcriber-my-api-token voice MY_API_TOKEN "first"',
        'transcribers-workerproxy-my-api-token voice MY_API_TOKEN "second"',
    ]
    assert reported(yaml.safe_dump(written), tmp_path, "--force")["refused"] == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ("resourceManager: {redis: {auth: {password: S3CRET}}}", "`redisUrl`"),
        ("inferenceServerCustom: {tritonServer: {additionalEnvs: {MY_TOKEN: S3CRET}}}", "nothing of it can be read"),
        ("flow: {llmProxy: {config: {model_list: [{model_name: a, llm_params: {api_key: S3CRET}}]}}}", "os.environ/"),
        (
            f"proxy: {{agentAPI: {{configMap: {{data: {{{FIRST}_latest: {{api_key: S3CRET}}}}}}}}}}",
            "`agentApiPassword`",
        ),
    ],
)
def test_where_no_secret_can_be_referred_to_nothing_else_is_said(values: str, says: str, tmp_path: Path) -> None:
    mends = [each["mend"] for each in reported(values, tmp_path)["refused"] if each["code"] == "secret-in-clear"]
    (mend,) = mends
    assert says in mend
    assert "secretKeyRef" not in mend
