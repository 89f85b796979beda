"""The helper that tells what an update would replace or delete, on changes whose outcome the documents give."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.graph import Change, Graph, Json, run_program
from tests.unit.knobs import Fate, losses
from tests.unit.variants import scaled


def told(before: Graph, change: Change) -> list[tuple[str, Fate, tuple[str, ...]]]:
    return [(each.resource.name, each.fate, each.paths) for each in losses(before, run_program("sandbox", change))]


def test_a_graph_loses_nothing_to_itself(sandbox: Graph) -> None:
    assert losses(sandbox, sandbox) == []


def test_scaling_is_an_update_in_place(sandbox: Graph, changed: Callable[[Change | None], Graph]) -> None:
    assert losses(sandbox, changed(scaled)) == []


def test_another_name_is_a_replacement(sandbox: Graph) -> None:
    def change(config: Json) -> None:
        config["sm-realtime:transcribers"] = {"fullnameOverride": "asr"}

    assert told(sandbox, change) == [
        ("transcribers-account", Fate.REPLACED, ("metadata.name",)),
        ("transcribers-binding", Fate.REPLACED, ("metadata.name", "roleRef.name")),
        ("transcribers-en", Fate.REPLACED, ("metadata.name",)),
        ("transcribers-role", Fate.REPLACED, ("metadata.name",)),
    ]


def test_a_part_switched_off_is_deleted(sandbox: Graph) -> None:
    def change(config: Json) -> None:
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"enabled": False}
        config["sm-realtime:inferenceServerStandardAll"] = {"enabled": True}
        config["sm-realtime:transcribers"] = {"readinessTracker": {"preWarm": {"operatingPoint": "standard"}}}

    assert told(sandbox, change) == [
        ("inference-recipe1-group", Fate.DELETED, ()),
        ("inference-recipe1-service", Fate.DELETED, ()),
    ]


def test_azure_replaces_a_cluster_for_its_prefix_and_no_pool_for_its_count(sandbox: Graph) -> None:
    def change(config: Json) -> None:
        config["sm-realtime:azure"]["dnsPrefix"] = "other"
        config["sm-realtime:pools"]["inference"][0]["minCount"] = 2

    assert told(sandbox, change) == [("cluster-aks", Fate.REPLACED, ("dnsPrefix",))]
