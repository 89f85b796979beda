"""`spec` of Flow's groups: one buffer, and scaling by either switch."""

from __future__ import annotations

import pytest

from components.flow.session_group import scaled, spec
from stacks.schema.flow.groups import FlowGroups, TtsGroups
from stacks.schema.global_settings import GlobalSettings

ON = '{"sessionGroups": {"scaling": {"enabled": true}}}'


@pytest.mark.parametrize(
    ("scaling", "buffer"),
    [
        ("{}", {"scaleOnCapacityLeft": 5}),
        ('{"scaleOnCapacityLeft": 0}', {"scaleOnCapacityLeft": 0}),
        ('{"scaleOnPodsLeft": 0}', {"scaleOnPodsLeft": 0}),
        ('{"scaleOnPodsLeft": 0.5}', {"scaleOnPodsLeft": 0.5}),
        ('{"scaleOnPodsLeft": null}', {"scaleOnCapacityLeft": 5}),
    ],
)
def test_exactly_one_buffer(scaling: str, buffer: dict[str, float]) -> None:
    groups = FlowGroups.model_validate_json(f'{{"scaling": {scaling}}}')
    found = spec(groups, scaled=True, selector={}, template={})["scaling"]
    assert {key: value for key, value in found.items() if key.startswith("scaleOn")} == buffer


def test_either_switch_scales_and_neither_switches_the_other_off() -> None:
    off, on = FlowGroups(), FlowGroups.model_validate_json('{"scaling": {"enabled": true}}')
    everything = GlobalSettings.model_validate_json(ON)
    assert [scaled(off, GlobalSettings()), scaled(on, GlobalSettings())] == [False, True]
    assert [scaled(off, everything), scaled(on, everything)] == [True, True]


def test_voices_are_not_packed_onto_busy_nodes() -> None:
    found = [spec(each, scaled=False, selector={}, template={}) for each in (FlowGroups(), TtsGroups())]
    assert [each["activeNodeScheduling"] for each in found] == [True, False]
