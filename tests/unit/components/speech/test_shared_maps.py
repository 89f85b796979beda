"""The maps follow the configuration."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.graph import Change, Graph, Json, run_program
from tests.unit.variants import all_recipes

MAP = "kubernetes:core/v1:ConfigMap"


def test_languages_are_written_without_blanks(graphs: dict[str, Graph]) -> None:
    text = graphs["production"].one(MAP, "languages").inputs["data"]["languages"]
    assert text == "en,ba,be,cmn_en,cy,en_ms,en_ta,eo,eu,ga,mn,mr,ta,tr,ug,uk"


def test_the_maps_follow_names_ports_and_what_is_deployed() -> None:
    def change(config: Json) -> None:
        config["sm-realtime:resourceManager"] = {"fullnameOverride": "manager", "service": {"port": 8090}}
        config["sm-realtime:transcribers"] = {"enabled": False}

    graph = run_program("sandbox", change)
    assert graph.one(MAP, "realtime").inputs["data"] == {
        "resource_manager_url": "http://manager:8090",
        "pod_selector_list": "inference-server-enhanced-recipe1",
    }
    assert graph.one("kubernetes:core/v1:Service", "manager").inputs["spec"]["ports"][0]["port"] == 8090
    assert graph.one(MAP, "manager-config").inputs["data"]["redis_url"] == "realtime-redis-master:6379"


def test_pods_are_selected_in_the_charts_order(changed: Callable[[Change | None], Graph]) -> None:
    """Contract, transcription 14.1: transcribers, custom, standard-all, recipes 1 to 4."""
    assert changed(all_recipes).one(MAP, "realtime").inputs["data"]["pod_selector_list"].split(",") == [
        "rt-transcriber",
        "inference-server-standard-all",
        "inference-server-enhanced-recipe1",
        "inference-server-enhanced-recipe2",
        "inference-server-enhanced-recipe3",
        "inference-server-enhanced-recipe4",
    ]
