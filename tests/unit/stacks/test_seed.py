"""Every row of the seed's values table: its default, and what becomes of it here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from operations.keys import ANY_ITEM, Key, Kind, keys
from stacks.load import read
from stacks.misplaced import SEED_SECRETS
from stacks.problem import PROJECT
from stacks.schema import SECRET_KEYS, Settings
from stacks.schema.paths import ANY_KEY
from tests.reach import record
from tests.unit.cases import CASES, Json, given
from tests.yaml_file import read_yaml

TABLE = Path(__file__).parent / "seed-values.yaml"
ROWS: dict[str, Json] = {row["key"]: row for row in read_yaml(TABLE)}
KEYS = {key.path: key for key in keys()}
REACHED = record.read().entries

ONE_VALUE = {
    "resourceManager.ingress.enabled": "its redirect Ingress is left out on purpose; the other two have switches of "
    "their own",
    **dict.fromkeys(
        (key for key in ROWS if re.search(r"(Recipe\d|StandardAll)\.tritonServer\.recipe$", key)),
        "it tells which recipe the block is for, and the table gives that one value; the custom server takes any",
    ),
}
"""Rows that templates read, with one value here all the same, and why."""

NOT_EFFECTIVE = {
    "global.config.enabled": Kind.INERT,
    "inferenceServerEnhancedRecipe3.inferenceSidecar.registerFeatures.customModelCosts": Kind.INERT,
    "resourceManager.enabled": Kind.INERT,
    **dict.fromkeys(SEED_SECRETS, Kind.SECRET),
    **dict.fromkeys(ONE_VALUE, Kind.FIXED),
}
"""Rows that take no other value than their default, or none here; every other one changes an object."""

OTHER_DEFAULT: dict[str, tuple[Any, str]] = {
    "flow.llmProxy.config": (
        {"fallbacks": {}},
        "made from model, group and Service of vLLM, so that all agree; a given list replaces it",
    ),
    "proxy.agentAPI.configMap.data": (None, "the table says it in words"),
}
"""Rows whose default here is another one (None where there is none), and why."""


def parts(key: str) -> list[str | int]:
    """The steps of a row's key: names, quoted names, indexes."""
    found = re.findall(r'"([^"]+)"|([^.\[\]"]+)|\[(\d+)\]', key)
    return [quoted or plain or int(index) for quoted, plain, index in found]


def known(key: str) -> Key | None:
    """The key of the schema that a row is about: its own, or the map it is an entry of."""
    path = re.sub(r"\[\d+\]", ANY_ITEM, key)
    entry = re.sub(r"(\.deployments)\.[^.]+", rf"\1.{ANY_KEY}", path).removesuffix(f".{ANY_KEY}")
    for candidate in (entry, path.removesuffix(ANY_ITEM), path.partition('."')[0]):
        if candidate in KEYS:
            return KEYS[candidate]
    return None


def smallest(**sections: Any) -> tuple[dict[str, str], list[str]]:
    return given({"config": sections})


def nested(path: list[str | int], value: Any) -> Any:
    for part in reversed(path):
        value = [value] if isinstance(part, int) else {part: value}
    return value


def defaults() -> Json:
    """The whole configuration of the smallest stack, in the seed's keys."""
    document = read_yaml(CASES / "base.yaml")
    settings = Settings.model_validate_json(json.dumps(document))
    shown: Json = settings.model_dump(by_alias=True, mode="json", exclude_none=True)
    return shown


def test_the_table_is_whole() -> None:
    assert len(ROWS) == 185


@pytest.mark.parametrize("key", [key for key in ROWS if key not in SEED_SECRETS])
def test_a_row_has_the_seeds_default(key: str) -> None:
    value: Any = defaults()
    for part in parts(key):
        value = value.get(part) if isinstance(value, dict) else value[part]
    wanted, why = OTHER_DEFAULT.get(key, (ROWS[key].get("default"), ""))
    assert cut(value, wanted) == wanted, why
    assert not why or "default" not in ROWS[key] or value != ROWS[key]["default"], "it has the seed's own"


def cut(value: Any, wanted: Any) -> Any:
    """A value without the keys that the wanted one does not have: a section has some beside those of the table."""
    if isinstance(value, dict) and isinstance(wanted, dict) and wanted:
        return {key: cut(value[key], each) for key, each in wanted.items()}
    return value


@pytest.mark.parametrize("key", list(ROWS))
def test_a_row_is_effective_fixed_inert_or_secret(key: str) -> None:
    wanted = NOT_EFFECTIVE.get(key, Kind.EFFECTIVE)
    if wanted is Kind.SECRET:
        assert SEED_SECRETS[key][0] in SECRET_KEYS
        return
    found = known(key)
    assert found is not None, "no such key"
    assert found.kind is wanted
    if wanted is Kind.EFFECTIVE:
        below = [
            path for path in REACHED if path == found.path or path.startswith((f"{found.path}.", f"{found.path}["))
        ]
        assert below, "nothing is recorded: python -m tests.reach"
        assert all(each.fields for path in below for each in REACHED[path])


@pytest.mark.parametrize("key", [key for key, kind in NOT_EFFECTIVE.items() if kind in (Kind.FIXED, Kind.INERT)])
def test_another_value_of_a_fixed_or_inert_row_is_refused(key: str) -> None:
    default = ROWS[key]["default"]
    config, flagged = smallest(**nested(parts(key), another(default)))
    assert any(problem.path.startswith(key) for problem in read(config, flagged)[1])
    config, flagged = smallest(**nested(parts(key), default))
    assert read(config, flagged)[1] == []


def another(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: another(each) for key, each in value.items()} or {"a": 1}
    return not value if isinstance(value, bool) else "other"


@pytest.mark.parametrize("key", sorted(SEED_SECRETS.keys() & ROWS.keys()))
def test_a_secret_row_is_refused_and_its_flat_key_named(key: str) -> None:
    config, flagged = smallest(**nested(parts(key), "bWFkZSB1cA=="))
    (problem,) = (each for each in read(config, flagged)[1] if each.path == key)
    assert problem.code == "secret-in-clear"
    assert SEED_SECRETS[key][0] in problem.mend
    config, flagged = smallest(**nested(parts(key), ROWS[key]["default"]))
    assert key not in {each.path for each in read(config, flagged)[1]}


def test_no_path_holds_a_mark_of_another_kind() -> None:
    assert not [path for path in KEYS if PROJECT in path or path.endswith((ANY_ITEM, ANY_KEY))]
