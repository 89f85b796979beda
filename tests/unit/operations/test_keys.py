"""Every key, told from the models."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from operations.keys import ANY_ITEM, Kind, keys
from stacks.load import read
from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.base import only_value
from stacks.schema.paths import ANY_KEY
from tests.unit.cases import given

KEYS = {key.path: key for key in keys()}


@pytest.mark.parametrize(
    ("path", "type_", "default", "kind"),
    [
        ("global.cluster", "text", "test", Kind.EFFECTIVE),
        ("global.config.enabled", "bool", True, Kind.INERT),
        ("resourceManager.sessionGroups.nameOverride", "text or null", None, Kind.INERT),
        ("global.sessionGroups.enabled", "bool", True, Kind.EFFECTIVE),
        ("inferenceServerEnhancedRecipe1.tritonServer.replicas", "int, ≥ 0", 1, Kind.EFFECTIVE),
        ("transcribers.transcriber.autoscaling.replicas.minReplicas", "int, ≥ 0", 2, Kind.EFFECTIVE),
        ("transcribers.transcriber.useRecreateStrategy", "bool", False, Kind.INERT),
        ("global.transcriber.languages", "list of text", ["en"], Kind.EFFECTIVE),
        ("transcribers.workerProxy.checkForCapacityOnStart", "bool or null", None, Kind.EFFECTIVE),
        ("azure.tier", "`Free` or `Standard` or `Premium`", "Standard", Kind.EFFECTIVE),
        ("sessions.maxDurationSeconds", "int, ≥ 60, ≤ 172800", 86400, Kind.EFFECTIVE),
        ("pools.inference[].maxPods", "int, ≥ 10, ≤ 250", 30, Kind.EFFECTIVE),
        (f"proxy.proxy.deployments.{ANY_KEY}.active", "bool", False, Kind.EFFECTIVE),
        (f"proxy.proxy.config.flowTemplateInfo.{ANY_KEY}.language", "text", None, Kind.EFFECTIVE),
        # a default that stands in the section above counts, not the one of the section's own model
        ("resourceManager.startupProbe.failureThreshold", "int, > 0", 50, Kind.EFFECTIVE),
        ("resourceManager.sessionGroups.startupProbe.failureThreshold", "int, > 0", 20, Kind.EFFECTIVE),
        ("licenseJson", "text", None, Kind.SECRET),
    ],
)  # fmt: skip
def test_a_key_is_told_as_it_is(path: str, type_: str, default: object, kind: Kind) -> None:
    key = KEYS[path]
    assert (key.type, key.default, key.kind) == (type_, default, kind)


def test_what_is_required_is_what_a_stack_cannot_do_without() -> None:
    with pytest.raises(ValidationError) as missing:
        Settings.model_validate_json('{"azure": {}, "pools": {}}')
    wanted = {".".join(map(str, each["loc"])) for each in missing.value.errors()}
    named = [path for path, key in KEYS.items() if key.required and "[]" not in path and ANY_KEY not in path]
    assert {path for path in named if path not in ("azure", "pools")} == wanted


def test_secrets_are_keys_too_and_no_path_comes_twice() -> None:
    assert {path for path, key in KEYS.items() if key.kind is Kind.SECRET} == SECRET_KEYS.keys()
    assert len(KEYS) == len(keys())


@pytest.mark.parametrize("path", [path for path, key in KEYS.items() if key.kind in (Kind.FIXED, Kind.INERT)])
def test_a_fixed_or_inert_key_takes_its_default_only_and_says_why(path: str) -> None:
    key = KEYS[path]
    assert key.field is not None
    one = only_value(key.field)
    assert one is not None
    assert to_jsonable_python(one.value) == key.default
    assert len(one.reason) > 10
    other: object = not key.default if isinstance(key.default, bool) else f"{key.default}x"
    shown = path.replace(ANY_ITEM, "[0]").replace(ANY_KEY, "de")
    problems = read(*given({"config": nested(path.split("."), other)}))[1]
    assert shown in {each.path for each in problems}


def nested(parts: list[str], value: object) -> dict[str, object]:
    """A value at a path, as the only entry of every map and list on the way."""
    for part in reversed(parts):
        name = part.removesuffix(ANY_ITEM).replace(ANY_KEY, "de")
        value = {name: [value] if part.endswith(ANY_ITEM) else value}
    assert isinstance(value, dict)
    return value
