"""What `import-values` refuses as a whole, with what, where, why and the mend; and what it never copies."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from operations.__main__ import app
from stacks.misplaced import SEED_SECRETS
from stacks.schema import SECRET_KEYS
from tests.unit.operations.importing import CLUSTER, SECRET, encoded, loaded, reported, run, tools
from tests.yaml_file import read_yaml

AGENT = "0b0e4a5e-93a1-4f0e-8a41-5d2c6d1f7a10_latest"
"""Name of an agent's file."""


@pytest.mark.parametrize("path", SEED_SECRETS)
def test_a_secret_is_in_no_output_and_a_command_stores_it(path: str, tmp_path: Path) -> None:
    found, target = run(yaml.safe_dump(section(path, SECRET)), tmp_path, *CLUSTER)
    assert SECRET not in found.output + target.read_text()
    assert f" | pulumi config set --secret {SEED_SECRETS[path].key} --stack mine" in found.output
    assert found.exit_code == 0


def section(path: str, value: Any) -> Any:
    """A values file with one value."""
    for part in reversed(path.split(".")):
        value = {part: value}
    return value


PLAIN_IN_THE_CHART = {"resourceManager.database.connectionUrl"}
"""The only secret that the chart encodes itself (contract: control plane 7)."""


@pytest.mark.parametrize("path", SEED_SECRETS)
def test_the_command_of_a_secret_stores_its_text(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands as they are printed, with a `yq` and a `pulumi` that are none."""
    text = "postgres://speech:made-up@database.example.org/speech"
    given = text if path in PLAIN_IN_THE_CHART else encoded(text)
    tools(tmp_path, monkeypatch)
    (secret,) = reported(yaml.safe_dump(section(path, given)), tmp_path)["secrets"]
    subprocess.run(["bash", "-c", secret["command"]], check=True)
    assert (tmp_path / "stored").read_text() == f"{SEED_SECRETS[path].key} {text}\n"


def test_every_secret_of_the_chart_has_a_flat_key() -> None:
    assert {secret.key for secret in SEED_SECRETS.values()} <= SECRET_KEYS.keys()


def test_a_secret_that_a_command_stores_is_not_to_be_settled(tmp_path: Path) -> None:
    values = """
        global: {licensing: {createSecret: true, license: eyJhIjogMX0=}}
        resourceManager:
          externalRedis: {enabled: true}
          redis: {enabled: false, url: cmVkaXM6Ly86YUBi}
          secrets: {redis: {create: true}, database: {create: true}}
          database: {connectionUrl: "postgres://speech:made-up@database.example.org/speech"}
          reconciliation: {repopulation: {enabled: true}}
    """
    report = reported(values, tmp_path)
    assert {each["key"] for each in report["secrets"]} == {"licenseJson", "redisUrl", "databaseUrl"}
    assert report["settle"] == []


def test_a_license_at_several_places_is_stored_once_and_another_text_is_refused(tmp_path: Path) -> None:
    values = """
        global: {licensing: {license: eyJhIjogMX0=}}
        flow: {licensing: {license: eyJhIjogMX0=}, tts: {licensing: {license: eyJiIjogMn0=}}}
    """
    report = reported(values, tmp_path)
    assert [each["path"] for each in report["secrets"]] == ["global.licensing.license"]
    (refused,) = report["refused"]
    assert (refused["path"], refused["code"]) == ("flow.tts.licensing.license", "another-content")
    assert "`licenseJson`" in refused["why"]
    assert "`global.licensing.license`" in refused["why"]
    assert "eyJiIjogMn0=" not in (tmp_path / "Pulumi.mine.yaml").read_text()


def test_an_empty_secret_is_the_charts_default(tmp_path: Path) -> None:
    report = reported("global: {licensing: {license: ''}}", tmp_path)
    assert (report["secrets"], report["refused"]) == ([], [])


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ("transcribers: {transcriber: {env: [{name: A, value: b}, {name: API_TOKEN, value: SECRET}]}}",
         "transcribers.transcriber.env[1]"),
        ("proxy: {proxy: {config: {additionalConfig: {SM_DB_PASSWORD: SECRET}}}}",
         "proxy.proxy.config.additionalConfig.SM_DB_PASSWORD"),
        ("proxy: {proxy: {config: {additionalConfig: {SM_URL: 'https://me:SECRET@host'}}}}",
         "proxy.proxy.config.additionalConfig.SM_URL"),
        ("resourceManager: {redis: {auth: {password: SECRET}}}", "resourceManager.redis.auth.password"),
        (f"proxy: {{agentAPI: {{configMap: {{data: {{{AGENT}: {{agent_id: {AGENT[:36]}, custom_llm_config: "
         "[{url: http://llm, model: m, headers: {Authorization: SECRET}}]}}}}}",
         f"proxy.agentAPI.configMap.data.{AGENT}.custom_llm_config[0].headers.Authorization"),
        (f"proxy: {{agentAPI: {{configMap: {{data: {{{AGENT}: "
         """'{"custom_llm_config": [{"api_key": "SECRET"}]}'}}}}""",
         f"proxy.agentAPI.configMap.data.{AGENT}.custom_llm_config[0].api_key"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_elsewhere_is_not_copied(values: str, path: str, tmp_path: Path) -> None:
    found, target = run(values.replace("SECRET", SECRET), tmp_path, *CLUSTER)
    assert SECRET not in found.output + target.read_text()
    assert "secret-in-clear" in found.output
    found, _ = run(values.replace("SECRET", SECRET), tmp_path, *CLUSTER, "--json", "--force")
    assert path in {each["path"] for each in json.loads(found.stdout)["refused"]}


def test_a_reference_to_a_secret_is_none(tmp_path: Path) -> None:
    values = "proxy: {ingress: {annotations: {example.org/auth-secret: basic-auth}}}"
    assert reported(values, tmp_path)["refused"] == []


def test_the_title_that_helm_prints_is_no_value(tmp_path: Path) -> None:
    report = reported("USER-SUPPLIED VALUES:\nglobal: {cluster: west}\n", tmp_path)
    assert (report["mapped"], report["refused"]) == (["global.cluster"], [])


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ("a: [", "no-yaml", "values.yaml:"),
        ("a: 1\na: 2\n", "no-yaml", "stands here twice"),
        ("a: !Ref b", "no-yaml", "values.yaml:1"),
        ("- a\n", "no-values", "no map"),
        ("text", "no-values", "no map"),
        ("a: 1\n---\nb: 2\n", "no-values", "2 documents"),
        ("? [a]\n: 1\n", "no-yaml", "a key is no text"),
    ],
)
def test_what_is_no_values_file_is_refused(values: str, code: str, words: str, tmp_path: Path) -> None:
    found, target = run(values, tmp_path, *CLUSTER)
    _refused(found, code, words)
    assert not target.exists()


def _refused(found: Result, code: str, words: str) -> None:
    assert found.exit_code == 1
    assert isinstance(found.exception, SystemExit)
    assert f"[{code}]" in found.stderr
    assert words in found.stderr
    assert "    why:  " in found.stderr
    assert "    mend: " in found.stderr
    assert found.stdout == ""


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    _refused(run(tmp_path / "none.yaml", tmp_path)[0], "no-file", "none.yaml")
    _refused(run(tmp_path, tmp_path)[0], "no-file", str(tmp_path))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    _refused(run(tmp_path / "binary.yaml", tmp_path)[0], "no-yaml", "UTF-8")


def test_a_wrong_place_or_option_is_refused(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("{}")
    arguments = ["import-values", str(tmp_path / "values.yaml"), "--out"]
    _refused(CliRunner().invoke(app, [*arguments, str(tmp_path / "mine.yaml")]), "bad-name", "Pulumi.NAME.yaml")
    nowhere = str(tmp_path / "none" / "Pulumi.mine.yaml")
    _refused(CliRunner().invoke(app, [*arguments, nowhere]), "not-written", "none")
    _refused(run("{}", tmp_path, "--kubernetes-version", "1.35")[0], "bad-format", "azure.kubernetesVersion")


def test_a_stack_file_that_is_there_stays_unless_forced_and_keeps_its_secrets(tmp_path: Path) -> None:
    target = tmp_path / "Pulumi.mine.yaml"
    before = (
        "config:\n  sm-realtime:licenseJson:\n    secure: v1:abc\n  sm-realtime:release: old\nencryptionsalt: v1:salt\n"
    )
    target.write_text(before)
    _refused(run("{}", tmp_path, *CLUSTER)[0], "file-exists", "--force")
    assert target.read_text() == before
    assert run("{}", tmp_path, *CLUSTER, "--force")[0].exit_code == 0
    after = read_yaml(target)
    assert after["config"]["sm-realtime:licenseJson"] == {"secure": "v1:abc"}
    assert after["config"]["sm-realtime:release"] == "realtime"
    assert after["encryptionsalt"] == "v1:salt"
    target.write_text("a: [")
    _refused(run("{}", tmp_path, *CLUSTER, "--force")[0], "no-yaml", "no stack file")
    assert target.read_text() == "a: ["


def test_a_node_label_that_no_node_has_is_left_out_and_the_others_stay(tmp_path: Path) -> None:
    """The first is the seed's own example."""
    values = """
        inferenceServerEnhancedRecipe1:
          enabled: true
          tritonServer: {nodeSelector: {gpu: "true", kubernetes.io/os: linux}}
        transcribers: {transcriber: {processors: {gpu: {nodeSelector: {team/disk: fast}}}}}
        resourceManager: {metrics: {workerMonitor: {nodeSelector: "gpu=true"}}}
    """
    report = reported(values, tmp_path)
    first, second = report["refused"]
    assert (first["path"], first["code"]) == (
        "inferenceServerEnhancedRecipe1.tritonServer.nodeSelector.gpu",
        "no-such-node",
    )
    assert "pools.further" in first["mend"]
    assert second["path"] == 'transcribers.transcriber.processors.gpu.nodeSelector["team/disk"]'
    settings = loaded(tmp_path / "Pulumi.mine.yaml")
    assert settings.inference_server_enhanced_recipe1.triton_server.node_selector == {"kubernetes.io/os": "linux"}
    assert settings.resource_manager.metrics.worker_monitor.node_selector == "gpu=true"


def test_a_name_that_can_never_take_effect_is_left_out(tmp_path: Path) -> None:
    (refused,) = reported("resourceManager: {sessionGroups: {nameOverride: groups}}", tmp_path)["refused"]
    assert (refused["path"], refused["code"]) == ("resourceManager.sessionGroups.nameOverride", "not-allowed")
    assert "can never take effect" in refused["why"]
    assert "groups" not in (tmp_path / "Pulumi.mine.yaml").read_text()
