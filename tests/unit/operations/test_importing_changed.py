"""What changed its name, its default or its meaning: told, and moved where it can be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from operations.importing.changed import OTHER_DEFAULT, RENAMED
from stacks.schema.paths import exists
from tests.unit.cases import Json
from tests.unit.graph import CHECKOUT
from tests.unit.operations.importing import CLUSTER, loaded, reported, run

REDIS = "resourceManager.redis"


def names(report: Json, part: str) -> set[str]:
    return {each["path"] for each in report[part]}


def test_the_size_and_class_of_bitnamis_disk_have_another_name_here(tmp_path: Path) -> None:
    values = "resourceManager: {redis: {master: {persistence: {size: 20Gi, storageClass: premium}}}}"
    report = reported(values, tmp_path)
    redis = loaded(tmp_path / "Pulumi.mine.yaml").redis
    assert (redis.storage_size, redis.storage_class) == ("20Gi", "premium")
    assert {each["path"]: each["here"] for each in report["renamed"]} == {
        f"{REDIS}.master.persistence.size": "redis.storageSize",
        f"{REDIS}.master.persistence.storageClass": "redis.storageClass",
    }
    assert report["refused"] == []


@pytest.mark.parametrize(("sentinel", "size", "left"), [("yes", "30Gi", "master"), ("false", "20Gi", "replica")])
def test_of_two_disks_that_of_the_mode_counts_and_the_other_is_told(
    sentinel: str, size: str, left: str, tmp_path: Path
) -> None:
    disks = "master: {persistence: {size: 20Gi}}, replica: {persistence: {size: 30Gi}}"
    report = reported(f"resourceManager: {{redis: {{sentinel: {{enabled: {sentinel}}}, {disks}}}}}", tmp_path)
    assert loaded(tmp_path / "Pulumi.mine.yaml").redis.storage_size == size
    (refused,) = report["refused"]
    assert (refused["path"], refused["code"]) == (f"{REDIS}.{left}.persistence.size", "another-content")
    assert "`redis.storageSize`" in refused["why"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("{repository: bitnamilegacy/redis}", False),
        ("{registry: mirror.example.org, repository: bitnami/redis, tag: 7.0.5-debian-11-r7}", False),
        ("{tag: 7.0.5-debian-11-r7}", False),
        ("{repository: team/redis, tag: '7.4'}", True),
        ("{registry: mirror.example.org}", True),
    ],
)
def test_bitnamis_image_is_not_kept(given: str, *, kept: bool, tmp_path: Path) -> None:
    values = (
        f"resourceManager: {{redis: {{image: {given}, sentinel: {{image: {{repository: bitnami/redis-sentinel}}}}}}}}"
    )
    report = reported(values, tmp_path)
    written = loaded(tmp_path / "Pulumi.mine.yaml").resource_manager.redis.image
    assert written.model_fields_set == (set(yaml.safe_load(given)) if kept else set())
    told = {f"{REDIS}.sentinel.image"} | (set() if kept else {f"{REDIS}.image"})
    assert {each["path"] for each in report["refused"] if each["code"] == "other-image"} == told
    assert (f"{REDIS}.image.registry" in names(report, "notes")) is (given == "{registry: mirror.example.org}")


def test_no_tls_is_no_secret_name(tmp_path: Path) -> None:
    values = "proxy: {ingress: {tls: null, ingressClassName: other}}"
    report = reported(values, tmp_path)
    assert report["refused"] == []
    assert "proxy.ingress.tls" in names(report, "notes")
    assert loaded(tmp_path / "Pulumi.mine.yaml").proxy.ingress.tls.secret_name is None
    assert "proxy.ingress.tls.secretName" not in names(report, "defaults")


def test_a_default_that_is_another_one_is_told_where_it_counts(tmp_path: Path) -> None:
    plain = names(reported("{}", tmp_path), "defaults")
    assert {"proxy.ingress.tls.secretName", f"{REDIS}.image", "redis.storageClass"} <= plain
    assert not any(key.startswith("flow.") for key in plain)
    values = """
        flow: {enabled: true, llmProxy: {replicas: 3}}
        proxy: {ingress: {tls: {secretName: mine}}}
        resourceManager: {metrics: {workerMonitor: {enabled: true}}}
    """
    found = names(reported(values, tmp_path, "--force"), "defaults")
    assert {"flow.vllm.persistence.storageClassName", "resourceManager.metrics.workerMonitor.podNamePrefix"} <= found
    assert not found & {"flow.llmProxy.replicas", "proxy.ingress.tls.secretName"}


@pytest.mark.parametrize(
    "values",
    [
        "resourceManager: {redis: {replica: {replicaCount: 2}}}",
        "resourceManager: {redis: {connectionTimeout: 5m}}",
        "proxy: {ingress: {hostname: speech.example.org}}",
    ],
)
def test_a_key_with_two_names_is_told_with_the_other_one(values: str, tmp_path: Path) -> None:
    """It stays in the file as it is, so it has no other name here."""
    report = reported(values, tmp_path)
    assert report["renamed"] == []
    (path,) = report["mapped"]
    (note,) = [each["text"] for each in report["notes"] if each["path"] == path]
    (other,) = re.findall(r"`([^`]+)`", note)
    assert exists(path)
    assert exists(other)


def test_the_table_names_keys_that_there_are() -> None:
    assert [each.here for each in RENAMED if not exists(each.here)] == []
    assert [each.path for each in RENAMED if exists(each.path)] == [], "the file keeps it under its own name"
    assert [each.key for each in OTHER_DEFAULT if not exists(each.key)] == []
    assert [switch for each in OTHER_DEFAULT for switch in each.switches if not exists(switch)] == []


def test_the_report_for_a_person_and_the_page_have_both_parts(tmp_path: Path) -> None:
    found, _ = run("global: {storageClass: premium}", tmp_path, *CLUSTER)
    page = (CHECKOUT / "docs/how-to/import-values.md").read_text()
    for title in ("Another name here", "Another default here"):
        assert title in found.output
        assert f"| {title.lower()} |" in page


def test_the_ingresses_of_the_resource_manager_are_taken_and_its_redirect_is_not(tmp_path: Path) -> None:
    values = """
        resourceManager:
          ingress:
            enabled: true
            enableRedirectAnnotations: true
            zone: example.org
            redirect: {host: any.example.org}
            api: {enabled: true, labels: {public: "no"}}
            flow: {enabled: true, host: talk.example.org, annotations: {nginx.org/ssl-redirect: "false"}}
    """
    report = reported(values, tmp_path)
    prefix = "resourceManager.ingress"
    left = {f"{prefix}.enabled", f"{prefix}.enableRedirectAnnotations", f"{prefix}.redirect.host"}
    assert {each["path"] for each in report["refused"] if each["code"] == "left-out"} == left
    written = loaded(tmp_path / "Pulumi.mine.yaml").resource_manager.ingress
    assert (written.enabled, written.zone, written.flow.host) == (False, "example.org", "talk.example.org")
    assert (written.api.enabled, written.api.labels, written.flow.enabled) == (True, {"public": "no"}, True)
    assert f"{prefix}.api.enabled" in names(report, "notes")
    assert f"{prefix}.tlsSecretName" in names(report, "defaults")
    assert f"{prefix}.zone" not in names(report, "defaults")


def test_defaults_of_ingresses_that_are_off_are_not_told(tmp_path: Path) -> None:
    assert not [key for key in names(reported("{}", tmp_path), "defaults") if key.startswith("resourceManager.ingress")]


def test_our_controller_beside_another_one_is_told(tmp_path: Path) -> None:
    report = reported("proxy: {ingress: {ingressClassName: traefik}}", tmp_path)
    (note,) = [each["text"] for each in report["notes"] if each["path"] == "ingress.enabled"]
    assert "traefik" in note
    assert "pulumi config set --path 'ingress.enabled' false" in note
    assert loaded(tmp_path / "Pulumi.mine.yaml").ingress.enabled


@pytest.mark.parametrize(
    "values",
    ["{}", "proxy: {ingress: {ingressClassName: nginx}}", "proxy: {ingress: {ingressClassName: x, enabled: false}}"],
)
def test_our_controller_is_not_told_where_nobody_takes_its_place(values: str, tmp_path: Path) -> None:
    assert "ingress.enabled" not in names(reported(values, tmp_path), "notes")


def test_a_newer_key_that_is_kept_is_told(tmp_path: Path) -> None:
    report = reported("proxy: {proxy: {config: {maxChannelsPerSession: 4}}}", tmp_path)
    path = "proxy.proxy.config.maxChannelsPerSession"
    assert report["mapped"] == [path]
    (note,) = [each["text"] for each in report["notes"] if each["path"] == path]
    assert "0.7.0" in note
    assert "0.6.0 does not know it" in note


def test_of_the_caches_secret_only_its_name_is_newer(tmp_path: Path) -> None:
    """The chart 0.6.0 has the rest (contract: control plane 7)."""
    secrets = "externalSecrets: {enabled: true}, redis: {create: true}"
    values = f"resourceManager: {{secrets: {{{secrets}, cdCache: {{create: true, name: other}}}}}}"
    report = reported(values, tmp_path)
    assert [(each["path"], each["code"]) for each in report["refused"]] == [
        ("resourceManager.secrets.cdCache.name", "newer-chart")
    ]
    assert "resourceManager.secrets.cdCache.create" in report["mapped"]
    assert not [each for each in names(report, "notes") if "cdCache" in each]


def test_every_enabled_server_is_named_for_the_one_of_the_seeds_prose(tmp_path: Path) -> None:
    values = """
        inferenceServer: {sessionGroups: {replicas: 2}}
        inferenceServerEnhancedRecipe2: {enabled: true}
        inferenceServerEnhancedRecipe4: {enabled: true}
    """
    (refused,) = reported(values, tmp_path)["refused"]
    for number in (1, 2, 4):
        assert f"`inferenceServerEnhancedRecipe{number}.sessionGroups`" in refused["mend"]
    assert "Recipe3" not in refused["mend"]
