"""A values file of the chart becomes a stack file: what maps, and what has no place in it and why."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.importing.base import Base
from operations.importing.left_out import LEFT_OUT, NOW_EFFECTIVE
from operations.importing.plan import AGAIN, plan
from operations.importing.reading import read as values_of
from operations.keys import ANY_ITEM, OURS, Kind, keys
from stacks.load import read
from stacks.newer import NEWER
from stacks.problem import PROJECT
from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.paths import ANY_KEY, exists
from tests.reach.knobs import ABSENT, at, places
from tests.unit.cases import HAPPY, Json, given, name
from tests.unit.graph import CHECKOUT
from tests.unit.operations.importing import CLUSTER, config_of, loaded, reported, run
from tests.yaml_file import read_yaml


def values_in(case: Json) -> Json:
    """What of a case is the chart's."""
    return {k: v for k, v in (case.get("config") or {}).items() if k not in OURS and k not in SECRET_KEYS}


CHART = [path for path in HAPPY if values_in(read_yaml(path))]


@pytest.mark.parametrize("path", CHART, ids=name)
def test_a_values_file_with_a_cases_values_gives_the_cases_settings(path: Path, tmp_path: Path) -> None:
    case = read_yaml(path)
    wanted, problems = read(*given(case))
    assert wanted is not None, problems
    found, target = run(yaml.safe_dump(values_in(case)), tmp_path, *CLUSTER)
    assert found.exit_code == 0, found.output
    secrets = case.get("secrets", {})
    document = {**config_of(target), **{f"{PROJECT}:{k}": v for k, v in ours(path).items()}}
    document = {key: each for key, each in document.items() if not key.startswith("pulumi:")}
    texts = {key: each if isinstance(each, str) else json.dumps(each) for key, each in document.items()}
    texts |= {f"{PROJECT}:{key}": each for key, each in secrets.items()}
    settings, problems = read(texts, [f"{PROJECT}:{key}" for key in secrets])
    assert problems == []
    assert settings is not None
    for key in Settings.model_fields:
        assert getattr(settings, key) == getattr(wanted, key), key


def ours(path: Path) -> Json:
    """The sections of a case that no values file has."""
    config, _ = given(read_yaml(path))
    found: Json = {}
    for key in OURS:
        text = config.get(f"{PROJECT}:{key}")
        if text is not None:
            found[key] = text if key in ("release", "namespace") else json.loads(text)
    return {"release": "realtime", **found}


def test_the_values_files_cover_every_key_of_the_chart() -> None:
    cases = [values_in(read_yaml(path)) for path in CHART]
    wanted = [key for key in keys() if not key.ours and not key.section and key.kind is not Kind.SECRET]
    assert len(wanted) > 300
    missing = [
        key.path
        for key in wanted
        if not any(at(case, place) is not ABSENT for case in cases for place in places(key.path, case))
    ]
    assert missing == []


def test_what_yaml_would_take_for_something_else_keeps_its_text(tmp_path: Path) -> None:
    values = """
        global:
          cluster: 017
          transcriber: {languages: [en, no, es], image: {tag: 13.10}}
          proxy: {image: {tag: 2026-11-13}}
        inferenceServerEnhancedRecipe2: {enabled: on}
        inferenceServerEnhancedRecipe4: {enabled: yes, sessionGroups: {replicas: "2"}}
        transcribers: {transcriber: {env: [{name: A, value: off}, {name: B, value: 1e3}, {name: C, value: 12:30}]}}
    """
    found, target = run(values, tmp_path, *CLUSTER)
    assert found.exit_code == 0, found.output
    settings = loaded(target)
    assert settings.global_.cluster == "017"
    assert settings.global_.transcriber.languages == ("en", "no", "es")
    assert settings.global_.transcriber.image.tag == "13.10"
    assert settings.global_.proxy.image.tag == "2026-11-13"
    assert settings.inference_server_enhanced_recipe4.session_groups.replicas == 2
    assert [each["value"] for each in settings.transcribers.transcriber.env] == ["off", "1e3", "12:30"]
    assert "Helm read it as 13.1" in found.output


def test_a_word_is_what_it_is_to_helm_where_no_text_is_wanted(tmp_path: Path) -> None:
    values = """
        transcribers:
          volumes: [{name: ca, secret: {secretName: ca, optional: yes}}]
          transcriber:
            volumeMounts: [{name: ca, mountPath: /ca, readOnly: On}]
            securityContext: {runAsNonRoot: YES}
            tolerations: [{key: gpu, operator: Equal, value: no, effect: NoSchedule}]
            nodeSelector: {kubernetes.azure.com/fips_enabled: yes}
            processors: {gpu: {resources: {limits: {nvidia.com/gpu: 1, cpu: 2, memory: 3Gi}}}}
        flow:
          llmProxy: {config: {fallbacks: {eager: off}}}
          additionalEnv: {EAGER: off}
        proxy:
          agentAPI:
            configMap:
              data:
                1f4725b0-fde5-4521-a57c-e899e245d0b0_latest:
                  agent_id: 1f4725b0-fde5-4521-a57c-e899e245d0b0
                  version: 1.10
                  asr_config: {language: no, additional_vocab: [{content: yes, sounds_like: [no, off]}]}
                  instructions: {prompt: on, agent_speaks_first: yes, first_message: yes}
    """
    found, target = run(values, tmp_path, *CLUSTER)
    assert found.exit_code == 0, found.output
    settings = loaded(target)
    own = settings.transcribers.transcriber
    assert settings.transcribers.volumes[0]["secret"]["optional"] is True
    assert own.volume_mounts[0]["readOnly"] is True
    assert own.security_context["runAsNonRoot"] is True
    assert own.tolerations[0]["value"] == "no"
    assert own.node_selector == {"kubernetes.azure.com/fips_enabled": "yes"}
    assert own.processors.gpu.resources["limits"] == {"nvidia.com/gpu": "1", "cpu": "2", "memory": "3Gi"}
    assert settings.flow.llm_proxy.config.fallbacks == {"eager": False}
    assert settings.flow.additional_env == {"EAGER": "off"}
    (agent,) = (settings.proxy.agent_api.config_map.data or {}).values()
    assert agent["version"] == "1.10"
    assert agent["asr_config"] == {
        "language": "no",
        "additional_vocab": [{"content": "yes", "sounds_like": ["no", "off"]}],
    }
    assert agent["instructions"] == {"prompt": "on", "agent_speaks_first": True, "first_message": "yes"}


def test_every_text_that_another_reader_could_take_for_more_is_quoted(tmp_path: Path) -> None:
    """Pulumi reads the file with Go's YAML, not Python's: `1e3` and `0o7` are numbers there, `y` may be true."""
    doubtful = [
        "1e3",
        "0o7",
        "y",
        "N",
        "on",
        "1:30",
        "2026-11-13",
        "~",
        "null",
        ".inf",
        "0x1F",
        "1_000",
        "=",
        "a: b",
        "# c",
    ]
    values = {"transcribers": {"transcriber": {"env": [{"name": f"V{i}", "value": v} for i, v in enumerate(doubtful)]}}}
    found, target = run(json.dumps(values), tmp_path, *CLUSTER)
    assert found.exit_code == 0, found.output
    for each in doubtful:
        assert f'value: "{each}"' in target.read_text()
    assert [each["value"] for each in loaded(target).transcribers.transcriber.env] == doubtful


def test_anchors_and_merges_are_resolved(tmp_path: Path) -> None:
    values = """
        global:
          transcriber: {image: &image {registry: r.example, tag: "1"}}
          proxy: {image: {<<: *image, tag: "2"}}
    """
    _, target = run(values, tmp_path, *CLUSTER)
    settings = loaded(target)
    assert (settings.global_.proxy.image.registry, settings.global_.proxy.image.tag) == ("r.example", "2")
    assert settings.global_.transcriber.image.tag == "1"


def test_the_plan_leaves_the_values_it_is_given_as_they_are() -> None:
    text = """
        USER-SUPPLIED VALUES:
        azure: {location: here}
        global: {licensing: {license: bWFkZSB1cA==}, scaler: {enabled: true}, transcriber: {languages: [no]}}
        transcribers: {transcriber: {env: [{name: A_TOKEN, value: made-up}, {name: B, value: 1}], volumes: [{a: b}]}}
    """
    values, same = values_of(text, "values.yaml"), values_of(text, "values.yaml")
    assert {each.code for each in plan(values, Base().complete(), "values.yaml").refused} >= {
        "secret-in-clear",
        "left-out",
    }
    assert values == same


def test_what_an_anchor_puts_in_two_places_is_looked_at_in_each(tmp_path: Path) -> None:
    values = """
        transcribers:
          readinessTracker: {env: &env [{name: A, value: "1"}, {name: API_TOKEN, value: made-up}]}
          workerProxy: {env: *env}
        resourceManager: {livenessProbe: &probe {failureThreshold: 5, kind: b}, readinessProbe: *probe}
    """
    report = reported(values, tmp_path)
    assert [each["path"] for each in report["refused"]] == [
        "resourceManager.livenessProbe.kind",
        "resourceManager.readinessProbe.kind",
        "transcribers.readinessTracker.env[1]",
        "transcribers.workerProxy.env[1]",
    ]
    sidecars = loaded(tmp_path / "Pulumi.mine.yaml").transcribers
    assert [each["name"] for each in (*sidecars.readiness_tracker.env, *sidecars.worker_proxy.env)] == ["A", "A"]


def test_null_takes_a_default_away_and_absent_does_not(tmp_path: Path) -> None:
    values = """
        resourceManager: {livenessProbe: {initialDelaySeconds: null}, startupProbe: {failureThreshold: 60}}
        transcribers: {transcriber: {tolerations: null}}
        inferenceServerEnhancedRecipe1: {tritonServer: {operatingPoint: null}}
        proxy: {enabled: null}
    """
    report = reported(values, tmp_path)
    settings = loaded(tmp_path / "Pulumi.mine.yaml")
    assert settings.resource_manager.liveness_probe.initial_delay_seconds is None
    assert settings.resource_manager.readiness_probe.initial_delay_seconds is not None
    assert settings.resource_manager.startup_probe.period_seconds == 15
    assert settings.transcribers.transcriber.tolerations == ()
    assert settings.inference_server_enhanced_recipe1.triton_server.operating_point is None
    assert [(each["path"], each["code"]) for each in report["refused"]] == [("proxy.enabled", "null")]


@pytest.mark.parametrize("pattern", [key for part in LEFT_OUT for key in part.keys])
def test_what_is_left_out_on_purpose_is_told_with_the_reason(pattern: str, tmp_path: Path) -> None:
    path = pattern.replace("*.*", "resourceManager.metrics").replace("*", "inferenceServerEnhancedRecipe1")
    section: Any = {"enabled": True}
    for part in reversed(path.split(".")):
        section = {part: section}
    (refused,) = reported(yaml.safe_dump(section), tmp_path)["refused"]
    assert (refused["path"], refused["code"]) == (f"{path}.enabled", "left-out")
    about = next(each for each in LEFT_OUT if pattern in each.keys)
    assert about.reason in refused["why"]
    assert about.instead in refused["mend"]


def test_the_page_of_what_is_left_out_names_all_of_it() -> None:
    page = " ".join((CHECKOUT / "docs/reference/differences.md").read_text().split())
    for part in LEFT_OUT:
        assert f"| {part.name} |" in page
        assert part.instead in page


@pytest.mark.parametrize("key", [key for key in NEWER if not exists(key)])
def test_a_key_of_a_newer_chart_is_told_so(key: str, tmp_path: Path) -> None:
    path = key.replace("*", "transcribers")
    section: Any = 1
    for part in reversed(path.split(".")):
        section = {part: section}
    (refused,) = reported(yaml.safe_dump(section), tmp_path)["refused"]
    assert (refused["path"], refused["code"]) == (path, "newer-chart")
    assert NEWER[key] in refused["why"]


def test_the_page_of_what_is_left_out_names_the_keys_of_newer_charts() -> None:
    page = " ".join((CHECKOUT / "docs/reference/differences.md").read_text().split())
    for key, why in NEWER.items():
        assert f"| `{key.replace('*', '<any part>')}` | {why} |" in page


@pytest.mark.parametrize("section", ["languages: [eu, en]", "tritonServer: {languages: [eu, en]}"])
def test_languages_of_the_custom_server_are_taken_over(section: str, tmp_path: Path) -> None:
    """Newer charts' list, wherever it stands."""
    report, target = run(f"inferenceServerCustom: {{enabled: true, {section}}}", tmp_path, *CLUSTER)
    assert "inferenceServerCustom.tritonServer.languages" in report.stdout
    assert loaded(target).inference_server_custom.triton_server.languages == ("eu", "en")


@pytest.mark.parametrize(
    ("sections", "kept", "refused"),
    [
        ("languages: [en, no], tritonServer: {languages: [no]}", ("no",), "another-content"),
        ("languages: [], tritonServer: {languages: [en]}", ("en",), "another-content"),
        ("languages: [en], tritonServer: null", ("en",), None),
        ("languages: [en], tritonServer: {languages: null}", ("en",), None),
        ("languages: [en], tritonServer: []", (), "wrong-type"),
    ],
)
def test_languages_in_both_places_are_one_list(
    sections: str, kept: tuple[str, ...], refused: str | None, tmp_path: Path
) -> None:
    """The one beside the recipe counts where they differ; a section that is empty or no section loses nothing."""
    report = reported(f"inferenceServerCustom: {{{sections}}}", tmp_path)
    found = [each["code"] for each in report["refused"] if each["path"] == "inferenceServerCustom.languages"]
    assert found == ([refused] if refused else [])
    settings = yaml.safe_load((tmp_path / "Pulumi.mine.yaml").read_text())["config"]
    custom = settings.get(f"{PROJECT}:inferenceServerCustom", {})
    assert tuple(custom.get("tritonServer", {}).get("languages", ())) == kept


@pytest.mark.parametrize(
    ("values", "path", "left"),
    [
        ("global: {transcriber: {languages: [NO, en, de]}}", "global.transcriber.languages[0]", 2),
        (
            "transcribers: {transcriber: {tolerations: [{key: a, operator: Exists, tolerationSeconds: 3},"
            " {key: b, operator: Exists}]}}",
            "transcribers.transcriber.tolerations[0]",
            1,
        ),
    ],
)
def test_no_command_names_an_item_that_has_moved_up(values: str, path: str, left: int, tmp_path: Path) -> None:
    report = reported(values, tmp_path)
    (refused,) = [each for each in report["refused"] if each["path"].startswith(path)]
    assert refused["mend"] == AGAIN
    section = yaml.safe_load((tmp_path / "Pulumi.mine.yaml").read_text())["config"]
    document = {key.partition(":")[2]: each for key, each in section.items()}
    found: Any = document
    for part in path.partition("[")[0].split("."):
        found = found[part]
    assert len(found) == left


def test_the_newer_name_of_the_host_is_taken(tmp_path: Path) -> None:
    _, target = run("proxy: {ingress: {hostname: speech.example.org}}", tmp_path, *CLUSTER)
    assert loaded(target).proxy.ingress.host == "speech.example.org"


AFFINITY = "{nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}"


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ("resourceManager: {redis: {timeoutConnection: 15m}}", "resourceManager.redis.timeoutConnection"),
        (f"flow: {{tts: {{affinity: {AFFINITY}}}}}", "flow.tts.affinity"),
    ],
)
def test_a_key_that_had_no_effect_in_the_chart_and_has_one_here_is_told(values: str, path: str, tmp_path: Path) -> None:
    report = reported(values, tmp_path)
    assert {each["path"] for each in report["notes"]} & NOW_EFFECTIVE.keys() == {path}


def test_the_affinity_of_each_workload_is_taken_over(tmp_path: Path) -> None:
    values = f"transcribers: {{transcriber: {{affinity: {AFFINITY}}}}}\nflow: {{vllm: {{affinity: {AFFINITY}}}}}"
    _, target = run(values, tmp_path, *CLUSTER)
    rule: Json = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    settings = loaded(target)
    assert (settings.transcribers.transcriber.affinity, settings.flow.vllm.affinity) == (rule, rule)


@pytest.mark.parametrize(
    ("values", "path", "code", "mend"),
    [
        ("transcriber: {readinessTracker: {restartAfterNSessions: 5}}", "transcriber.readinessTracker", "wrong-path",
         "rename it to `transcribers.readinessTracker`"),
        ("inferenceServer: {sessionGroups: {replicas: 2}}", "inferenceServer.sessionGroups", "wrong-path",
         "inferenceServerEnhancedRecipe1.sessionGroups"),
        ("proxy: {replicass: 2}", "proxy.replicass", "unknown-key", "replicas"),
        ("redis: {storageSize: 9Gi}", "redis", "unknown-key", "if it is meant"),
        ("transcribers: {enabled: 'false'}", "transcribers.enabled", "wrong-type", ""),
        ("transcribers: {volumes: [{name: a, emptyDir: {}, secret: {secretName: b}}]}", "transcribers.volumes[0]",
         "not-kubernetes", ""),
    ],
)  # fmt: skip
def test_what_has_no_place_is_left_out_with_the_reason(
    values: str, path: str, code: str, mend: str, tmp_path: Path
) -> None:
    found, target = run(values, tmp_path, *CLUSTER, "--json")
    (refused,) = json.loads(found.stdout)["refused"]
    assert (refused["path"], refused["code"]) == (path, code)
    assert mend in refused["mend"]
    assert found.exit_code == 3
    loaded(target)


PLAIN = """
global: {sessionGroups: {enabled: false}}
transcribers:
  transcriber:
    service: {type: NodePort}
    autoscaling: {replicas: {minReplicas: 3}}
    languages: {overrides: {autoscaling: {en: {minReplicas: 4}}}}
inferenceServerEnhancedRecipe1:
  pdb: {enabled: true, minAvailable: 2}
  tritonServer: {replicas: 3, useRecreateStrategy: true, imagePullPolicy: Always}
"""


def test_keys_of_plain_deployments_are_taken(tmp_path: Path) -> None:
    report = reported(PLAIN, tmp_path)
    found = loaded(tmp_path / "Pulumi.mine.yaml")
    assert report["refused"] == []
    assert found.global_.session_groups.enabled is False
    assert found.transcribers.transcriber.service.type == "NodePort"
    assert found.transcribers.transcriber.autoscaling.replicas.min_replicas == 3
    assert found.transcribers.transcriber.languages.overrides.autoscaling["en"].min_replicas == 4
    server = found.inference_server_enhanced_recipe1
    assert (server.pdb.enabled, server.pdb.min_available) == (True, 2)
    assert (server.triton_server.replicas, server.triton_server.use_recreate_strategy) == (3, True)
    assert server.triton_server.image_pull_policy == "Always"


def test_items_of_a_list_are_left_out_without_mixing_up_the_others(tmp_path: Path) -> None:
    tolerations = ["{key: a, operator: Exists}", "{kee: b}", "{key: c, operator: Exists}", "{key: d, effekt: e}"]
    report = reported(f"transcribers: {{transcriber: {{tolerations: [{', '.join(tolerations)}]}}}}", tmp_path)
    kept = loaded(tmp_path / "Pulumi.mine.yaml").transcribers.transcriber.tolerations
    assert [each["key"] for each in kept] == ["a", "c"]
    assert [each["path"][-3:] for each in report["refused"]] == ["[1]", "[3]"]


def test_pools_have_room_for_what_the_values_ask(tmp_path: Path) -> None:
    report = reported("inferenceServerEnhancedRecipe1: {sessionGroups: {replicas: 9}}", tmp_path)
    assert loaded(tmp_path / "Pulumi.mine.yaml").pools.inference[0].max_count == 10
    assert "pools.inference[0].maxCount" in {each["path"] for each in report["notes"]}


def test_what_is_to_be_settled_between_keys_is_told(tmp_path: Path) -> None:
    report = reported("global: {licensing: {createSecret: true}, transcriber: {languages: [en, xx]}}", tmp_path)
    codes = {each["code"] for each in report["settle"]}
    assert codes == {"language-without-recipe", "secret-without-content"}
    assert report["refused"] == []


def test_what_nobody_has_told_of_the_cluster_is_named_by_the_file_and_by_the_loader(tmp_path: Path) -> None:
    found, target = run("{}", tmp_path, "--release", "speech")
    assert found.exit_code == 0
    text = target.read_text()
    config = {k: v if isinstance(v, str) else json.dumps(v) for k, v in config_of(target).items()}
    problems = read({key: each for key, each in config.items() if key.startswith(PROJECT)}, [])[1]
    assert {each.code for each in problems} == {"missing"}
    for problem in problems:
        assert f"#   {PROJECT}:{problem.path}\n" in text
    assert len(problems) == len(re.findall("^#   ", text, re.MULTILINE))
    assert config[f"{PROJECT}:release"] == "speech"


@pytest.mark.parametrize(("options", "told"), [((), True), (("--release", "realtime"), False)])
def test_a_release_that_nobody_named_is_told(options: tuple[str, ...], told: bool, tmp_path: Path) -> None:
    notes = {each["path"]: each["text"] for each in reported("", tmp_path, *options)["notes"]}
    assert config_of(tmp_path / "Pulumi.mine.yaml")[f"{PROJECT}:release"] == "realtime"
    assert ("--release was not told: realtime" in notes.get("release", "")) is told
    found, _ = run("", tmp_path, *CLUSTER, "--force", *options)
    assert ("--release was not told" in found.stdout) is told


def test_a_whole_file_loads_and_validates_in_an_editor(tmp_path: Path) -> None:
    found, target = run("", tmp_path, *CLUSTER, "--namespace", "voice")
    assert found.exit_code == 0
    assert loaded(target).namespace == "voice"
    assert target.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


def test_no_key_pattern_is_taken_for_a_key() -> None:
    assert not [key for part in LEFT_OUT for key in part.keys if ANY_ITEM in key or ANY_KEY in key]
