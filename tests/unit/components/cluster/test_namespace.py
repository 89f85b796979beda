"""The namespace."""

from __future__ import annotations

from tests.unit.graph import Json, run_program


def test_it_is_named_by_the_configuration_and_everything_follows() -> None:
    def rename(config: Json) -> None:
        config["sm-realtime:namespace"] = "voice"

    graph = run_program("sandbox", rename)
    names = {each.object_name for each in graph.of("kubernetes:core/v1:Namespace")}
    assert names == {"voice", "nginx-ingress"}
    text = str([each.inputs for each in graph.kubernetes])
    assert "speechmatics-license" in text
    assert "system:serviceaccount:voice:rt-transcriber" in text
    assert "'namespace': 'speechmatics'" not in text
