"""The list of names against the recorded objects: an object that is not in it fails here."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from stacks.load import read
from stacks.names import names
from stacks.rules.names import LIMITS
from stacks.schema import Settings
from tests.unit.contract.compare import VARIANTS, lay_over
from tests.unit.graph import Change, Graph, Json, run_program, stack_config
from tests.unit.variants import all_recipes

WITHOUT: Json = {
    "sm-realtime:ingress": {"enabled": False},
    "sm-realtime:proxy": {"enabled": False},
    "sm-realtime:transcribers": {"enabled": False},
}


def without_the_edge(config: Json) -> None:
    """Parts switched off that no other variant switches off."""
    config.update(WITHOUT)


CHANGES: dict[str, Change] = {
    "all recipes": all_recipes,
    "without the edge": without_the_edge,
    **{file: functools.partial(lay_over, file) for file in VARIANTS},
}
"""The variants of the contract and more; a new option that makes an object belongs into one of them."""


def settings_of(change: Change | None) -> Settings:
    config, flagged = stack_config("sandbox")
    if change is not None:
        parsed: dict[str, Any] = {k: v if k in flagged else json.loads(v) for k, v in config.items()}
        change(parsed)
        config = {k: v if isinstance(v, str) else json.dumps(v) for k, v in parsed.items()}
    settings, problems = read(config, flagged)
    assert settings is not None, problems
    return settings


def compare(graph: Graph, settings: Settings) -> None:
    recorded = sorted(
        (each.type.rpartition(":")[2], str(each.inputs["metadata"].get("namespace")), each.object_name)
        for each in graph.kubernetes
    )
    listed = sorted((each.kind, str(each.namespace), each.name) for each in names(settings) if each.made)
    assert listed == recorded


def test_the_list_is_what_the_sandbox_stack_makes(sandbox: Graph) -> None:
    compare(sandbox, settings_of(None))


@pytest.mark.parametrize("variant", CHANGES)
def test_the_list_is_what_a_variant_makes(variant: str) -> None:
    compare(run_program("sandbox", CHANGES[variant]), settings_of(CHANGES[variant]))


def test_every_limit_is_of_a_kind_there_is() -> None:
    assert LIMITS.keys() <= {each.kind for each in names(settings_of(None))}
