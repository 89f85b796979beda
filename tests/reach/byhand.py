"""Knobs that take more than one key: what a type does not tell."""

from __future__ import annotations

from tests.reach.contexts import Knob

SWITCHED = {"a": {"active": False}, "b": {"active": True}}

BY_HAND = (
    Knob("proxy.proxy.deployments.<key>.active", ("proxy", "proxy", "deployments"), SWITCHED),  # exactly one is active
)
