"""The configuration's models: every key described, strict, frozen, and in the seed's spelling."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.base import SHAPES
from stacks.schema.own import SessionSettings
from tests.unit.graph import CHECKOUT

SEED = {
    # key path in the seed's values table -> its default there
    "global.cluster": "test",
    "global.config.enabled": True,
    "global.flow.flowUseLocalTranscriber": True,
    "flow.config.llm.llmProxy.modelGroup": "vllm",
    "flow.config.tts.sm.enabled": True,
    "flow.enabled": False,
    "flow.fullnameOverride": "flow-service",
    "flow.llmProxy.enabled": True,
    "flow.llmProxy.fullnameOverride": "llm-proxy",
    "flow.llmProxy.isOnPrem": True,
    "flow.tts.enabled": True,
    "flow.tts.fullnameOverride": "tts",
    "flow.vllm.config.model": "meta-llama/Llama-3.2-3B-Instruct",
    "flow.vllm.enabled": True,
    "flow.vllm.fullnameOverride": "llm",
    "flow.vllm.hfTokenSecret.createSecret": False,
    "flow.vllm.hfTokenSecret.secretName": "vllm-secret",
    "global.flow.image.registry": "speechmaticspublic.azurecr.io",
    "global.flow.image.tag": "0.27.4-1305499",
    "global.tts.image.registry": "speechmaticspublic.azurecr.io",
    "global.tts.image.tag": "1.1.0",
    "global.imagePullSecrets.0.name": "speechmatics-registry",
    "global.licensing.createSecret": False,
    "global.licensing.secretName": "speechmatics-license",
    "global.resourceManager.image.registry": "speechmaticspublic.azurecr.io",
    "global.resourceManager.image.tag": "1.34.6-1307912",
    "global.sessionGroups.enabled": True,
    "global.sessionGroups.scaling.enabled": False,
    "global.transcriber.image.registry": "speechmaticspublic.azurecr.io",
    "global.transcriber.image.tag": "13.5.0",
    "global.transcriber.languages": ["en"],
    "inferenceServerCustom.enabled": False,
    "inferenceServerCustom.fullnameOverride": "inference-server-custom",
    "inferenceServerCustom.inferenceSidecar.enabled": True,
    "inferenceServerCustom.inferenceSidecar.registerFeatures.capacity": 480,
    "inferenceServerCustom.inferenceSidecar.registerFeatures.customModelCosts": {},
    "inferenceServerCustom.inferenceSidecar.resourceManager.configMap.enabled": True,
    "inferenceServerCustom.tritonServer.image.repository": "sm-gpu-inference-server-enhanced-recipe1",
    "inferenceServerCustom.tritonServer.mode": "rt",
    "inferenceServerCustom.tritonServer.operatingPoint": "enhanced",
    "inferenceServerCustom.tritonServer.recipe": "custom",
    "inferenceServerEnhancedRecipe1.enabled": True,
    "inferenceServerEnhancedRecipe1.fullnameOverride": "inference-server-enhanced-recipe1",
    "inferenceServerEnhancedRecipe1.inferenceSidecar.enabled": True,
    "inferenceServerEnhancedRecipe1.inferenceSidecar.registerFeatures.additionalModelCosts": {},
    "inferenceServerEnhancedRecipe1.inferenceSidecar.registerFeatures.capacity": 480,
    "inferenceServerEnhancedRecipe1.inferenceSidecar.registerFeatures.modelCosts.am": 0,
    "inferenceServerEnhancedRecipe1.inferenceSidecar.registerFeatures.modelCosts.body": 0,
    "inferenceServerEnhancedRecipe1.inferenceSidecar.registerFeatures.modelCosts.diar": 0,
    "inferenceServerEnhancedRecipe1.inferenceSidecar.registerFeatures.modelCosts.ensemble": 20,
    "inferenceServerEnhancedRecipe1.inferenceSidecar.registerFeatures.modelCosts.ensemble_en": 16,
    "inferenceServerEnhancedRecipe1.inferenceSidecar.registerFeatures.modelCosts.lm_en": 8,
    "inferenceServerEnhancedRecipe1.inferenceSidecar.resourceManager.configMap.enabled": True,
    "inferenceServerEnhancedRecipe1.tritonServer.image.repository": "sm-gpu-inference-server-enhanced-recipe1",
    "inferenceServerEnhancedRecipe1.tritonServer.mode": "rt",
    "inferenceServerEnhancedRecipe1.tritonServer.operatingPoint": "enhanced",
    "inferenceServerEnhancedRecipe1.tritonServer.recipe": "enhanced-recipe1",
    "resourceManager.enabled": True,
    "global.proxy.image.registry": "speechmaticspublic.azurecr.io",
    "global.proxy.image.tag": "2.8.8-1307675",
    "proxy.agentAPI.configMap.enabled": True,
    "proxy.agentAPI.enabled": True,
    "proxy.agentAPI.useLocal": True,
    "proxy.agentAPI.useRemote": False,
    "proxy.enabled": True,
    "proxy.events.enabled": False,
    "proxy.fullnameOverride": "proxy",
    "proxy.ingress.annotations": {
        "nginx.ingress.kubernetes.io/configuration-snippet":
            "# Adds the request ID header to the response, so the user can see it.\n"
            'more_set_headers "Request-Id: $req_id";\n',
        "nginx.ingress.kubernetes.io/use-regex": "true",
    },
    "proxy.ingress.enabled": True,
    "proxy.ingress.flow.enabled": True,
    "proxy.ingress.ingressClassName": "nginx",
    "proxy.ingress.url": "speechmatics.example.com",
    "proxy.proxy.config.additionalConfig": {},
    "proxy.proxy.config.auth.enabled": False,
    "proxy.proxy.config.customDictionaryCapture.enabled": False,
    "proxy.proxy.config.deadlines.enabled": False,
    "proxy.proxy.config.isOnPrem": True,
    "proxy.proxy.config.quotaCaching.enabled": False,
    "proxy.proxy.config.useInsecureWebsockets": True,
    "proxy.proxy.config.workerConnectionType": "local",
    "proxy.proxy.copyAllHeaders": True,
    "proxy.proxy.deployments.a.active": True,
    "proxy.proxy.dns.defaultSrvRecords": [],
    "proxy.proxy.dns.enabled": False,
    "proxy.resourceManager.configMap.enabled": True,
    "proxy.storage.enabled": False,
    "inferenceServerEnhancedRecipe2.enabled": False,
    "inferenceServerEnhancedRecipe2.fullnameOverride": "inference-server-enhanced-recipe2",
    "inferenceServerEnhancedRecipe2.inferenceSidecar.enabled": True,
    "inferenceServerEnhancedRecipe2.inferenceSidecar.registerFeatures.additionalModelCosts": {},
    "inferenceServerEnhancedRecipe2.inferenceSidecar.registerFeatures.capacity": 480,
    "inferenceServerEnhancedRecipe2.inferenceSidecar.registerFeatures.modelCosts.am": 0,
    "inferenceServerEnhancedRecipe2.inferenceSidecar.registerFeatures.modelCosts.body": 0,
    "inferenceServerEnhancedRecipe2.inferenceSidecar.registerFeatures.modelCosts.diar": 0,
    "inferenceServerEnhancedRecipe2.inferenceSidecar.registerFeatures.modelCosts.ensemble": 20,
    "inferenceServerEnhancedRecipe2.inferenceSidecar.registerFeatures.modelCosts.ensemble_es": 17,
    "inferenceServerEnhancedRecipe2.inferenceSidecar.registerFeatures.modelCosts.lm_es": 9,
    "inferenceServerEnhancedRecipe2.inferenceSidecar.resourceManager.configMap.enabled": True,
    "inferenceServerEnhancedRecipe2.tritonServer.image.repository": "sm-gpu-inference-server-enhanced-recipe2",
    "inferenceServerEnhancedRecipe2.tritonServer.mode": "rt",
    "inferenceServerEnhancedRecipe2.tritonServer.operatingPoint": "enhanced",
    "inferenceServerEnhancedRecipe2.tritonServer.recipe": "enhanced-recipe2",
    "inferenceServerEnhancedRecipe3.enabled": False,
    "inferenceServerEnhancedRecipe3.fullnameOverride": "inference-server-enhanced-recipe3",
    "inferenceServerEnhancedRecipe3.inferenceSidecar.enabled": True,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.registerFeatures.capacity": 480,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.registerFeatures.modelCosts.am": 0,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.registerFeatures.modelCosts.body": 0,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.registerFeatures.modelCosts.diar": 0,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.registerFeatures.modelCosts.ensemble": 20,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.registerFeatures.modelCosts.ensemble_de": 17,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.registerFeatures.modelCosts.lm_de": 9,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.resourceManager.configMap.enabled": True,
    "inferenceServerEnhancedRecipe3.tritonServer.image.repository": "sm-gpu-inference-server-enhanced-recipe3",
    "inferenceServerEnhancedRecipe3.tritonServer.mode": "rt",
    "inferenceServerEnhancedRecipe3.tritonServer.operatingPoint": "enhanced",
    "inferenceServerEnhancedRecipe3.tritonServer.recipe": "enhanced-recipe3",
    "inferenceServerEnhancedRecipe4.enabled": False,
    "inferenceServerEnhancedRecipe4.fullnameOverride": "inference-server-enhanced-recipe4",
    "inferenceServerEnhancedRecipe4.inferenceSidecar.enabled": True,
    "inferenceServerEnhancedRecipe4.inferenceSidecar.registerFeatures.additionalModelCosts": {},
    "inferenceServerEnhancedRecipe4.inferenceSidecar.registerFeatures.capacity": 480,
    "inferenceServerEnhancedRecipe4.inferenceSidecar.registerFeatures.modelCosts.am": 0,
    "inferenceServerEnhancedRecipe4.inferenceSidecar.registerFeatures.modelCosts.body": 0,
    "inferenceServerEnhancedRecipe4.inferenceSidecar.registerFeatures.modelCosts.diar": 0,
    "inferenceServerEnhancedRecipe4.inferenceSidecar.registerFeatures.modelCosts.ensemble": 20,
    "inferenceServerEnhancedRecipe4.inferenceSidecar.registerFeatures.modelCosts.ensemble_fr": 17,
    "inferenceServerEnhancedRecipe4.inferenceSidecar.registerFeatures.modelCosts.lm_fr": 9,
    "inferenceServerEnhancedRecipe4.inferenceSidecar.resourceManager.configMap.enabled": True,
    "inferenceServerEnhancedRecipe4.tritonServer.image.repository": "sm-gpu-inference-server-enhanced-recipe4",
    "inferenceServerEnhancedRecipe4.tritonServer.mode": "rt",
    "inferenceServerEnhancedRecipe4.tritonServer.operatingPoint": "enhanced",
    "inferenceServerEnhancedRecipe4.tritonServer.recipe": "enhanced-recipe4",
    "inferenceServerStandardAll.enabled": False,
    "inferenceServerStandardAll.fullnameOverride": "inference-server-standard-all",
    "inferenceServerStandardAll.inferenceSidecar.enabled": True,
    "inferenceServerStandardAll.inferenceSidecar.registerFeatures.additionalModelCosts": {},
    "inferenceServerStandardAll.inferenceSidecar.registerFeatures.capacity": 2400,
    "inferenceServerStandardAll.inferenceSidecar.registerFeatures.modelCosts.am": 0,
    "inferenceServerStandardAll.inferenceSidecar.registerFeatures.modelCosts.body": 0,
    "inferenceServerStandardAll.inferenceSidecar.registerFeatures.modelCosts.diar": 0,
    "inferenceServerStandardAll.inferenceSidecar.registerFeatures.modelCosts.ensemble": 20,
    "inferenceServerStandardAll.inferenceSidecar.registerFeatures.modelCosts.ensemble_en": 16,
    "inferenceServerStandardAll.inferenceSidecar.resourceManager.configMap.enabled": True,
    "inferenceServerStandardAll.tritonServer.image.repository": "sm-gpu-inference-server-standard-all",
    "inferenceServerStandardAll.tritonServer.mode": "rt",
    "inferenceServerStandardAll.tritonServer.operatingPoint": "standard",
    "inferenceServerStandardAll.tritonServer.recipe": "standard-all",
    "resourceManager.fullnameOverride": "resource-manager",
    "resourceManager.ingress.enabled": False,
    "resourceManager.metrics.workerMonitor.conditionMetrics": "none",
    "resourceManager.metrics.workerMonitor.enabled": False,
    "resourceManager.reconciliation.enabled": True,
    "resourceManager.reconciliation.podSelectorConfigMap.enabled": True,
    "resourceManager.reconciliation.repopulation.enabled": False,
    "resourceManager.redis.enabled": True,
    "resourceManager.redis.timeoutConnection": "10m",
    "resourceManager.service.port": 8080,
    "resourceManager.sessionGroups.enabled": True,
    "resourceManager.sessionGroups.startupProbe": {
        "failureThreshold": 20, "httpGet": {"path": "/healthz", "port": 8081}, "periodSeconds": 15,
    },
    "resourceManager.startupProbe": {
        "failureThreshold": 50, "httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 15,
    },
    "transcribers.eats.enableUsageReporting": True,
    "transcribers.enabled": True,
    "transcribers.fullnameOverride": "rt-transcriber",
    "transcribers.readinessTracker.preWarm.enabled": True,
    "transcribers.readinessTracker.preWarm.everySession": False,
    "transcribers.readinessTracker.preWarm.operatingPoint": "enhanced",
    "transcribers.readinessTracker.restartAfterNSessions": 0,
    "transcribers.resourceManager.configMap.enabled": True,
    "transcribers.sessionGroups.scaling.scaleOnCapacityLeft": 1,
    "transcribers.transcriber.env": [
        {"name": "SM_ON_PREM", "value": "true"},
        {"name": "SM_WEBSOCKET_CONFIG", "value": '{\n  "autoPingTimeout": 300\n}\n'},
        {"name": "SM_INFERENCE_RESPONSE_TIMEOUT_MS", "value": "900000"},
    ],
    "transcribers.transcriber.maxConcurrentConnections.value": 2,
    "transcribers.transcriber.mode": "rt",
    "transcribers.workerProxy.env": [],
}  # fmt: skip

SPELLING = (
    "[a-z][A-Za-z0-9]*|(ensemble|lm)_[a-z]{2}|CPUFactor|"
    "agent_id|deadline_duration|log_only|warning_count|warning_interval|model_list|model_name|llm_params|api_key"
)
"""camelCase, and the seed's own exceptions: keys that the vendor's services read themselves."""


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for each in parts(field.annotation):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from models(each, seen)


def parts(annotation: Any) -> Iterator[Any]:
    """A type and every type it is made of."""
    yield annotation
    for each in getattr(annotation, "__args__", ()):
        yield from parts(each)


MODELS = sorted(models(Settings, set()), key=lambda model: model.__name__)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__name__))
def test_every_field_is_described_and_spelt_as_the_seed_would(model: type[BaseModel]) -> None:
    assert model.__doc__
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name}"
        assert re.fullmatch(SPELLING, field.alias or name), f"{model.__name__}.{name}"
    assert model.model_config["frozen"] is True
    assert model.model_config["strict"] is True
    assert model.model_config["extra"] == "forbid"


def defaults() -> dict[str, Any]:
    """The whole configuration of the smallest stack, in the seed's keys."""
    smallest = yaml.safe_load((CHECKOUT / "tests" / "cases" / "base.yaml").read_text())
    settings = Settings.model_validate_json(json.dumps(smallest))
    dumped: dict[str, Any] = settings.model_dump(by_alias=True, mode="json", exclude_none=True)
    return dumped


@pytest.mark.parametrize("path", SEED)
def test_defaults_are_the_seeds(path: str) -> None:
    value: Any = defaults()
    for part in path.split("."):
        value = value[int(part)] if part.isdigit() else value[part]
    assert value == SEED[path]


def test_secrets_are_no_fields() -> None:
    assert not SECRET_KEYS.keys() & {field.alias or name for name, field in Settings.model_fields.items()}


def test_settings_cannot_be_changed_after_loading() -> None:
    settings = SessionSettings()
    with pytest.raises(ValidationError):
        settings.max_duration_seconds = 60  # type: ignore[misc] # that it cannot be set is what is tested


def test_the_schema_needs_nothing_of_ours() -> None:
    for path in (CHECKOUT / "stacks" / "schema").rglob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        ours = {m for m in imported if m.partition(".")[0] in ("stacks", "components", "sandbox", "operations")}
        assert not [m for m in ours if not m.startswith("stacks.schema")], path.name


def patterns(schema: Any) -> Iterator[str]:
    """Every pattern in a JSON schema, of values and of a map's keys."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        properties = schema.get("patternProperties", {})
        yield from properties
        for each in schema.values():
            yield from patterns(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from patterns(each)


def test_every_pattern_has_words_for_an_error() -> None:
    found = set(patterns(Settings.model_json_schema()))
    assert len(found) > 20
    assert found - SHAPES.keys() == set()
