"""The recorded graph is of the stack that was asked for, whatever else this process has run, and whole."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from unittest.mock import patch

from pulumi.runtime.settings import SETTINGS

from tests.unit.graph import Graph, run_program


def of_another_stack() -> None:
    SETTINGS.project = "another"
    SETTINGS.stack = "other"


def test_a_stack_of_the_same_process_leaves_nothing_behind() -> None:
    engine_thread = threading.Thread(target=of_another_stack)  # the Automation API runs a program so
    engine_thread.start()
    engine_thread.join()

    graph = run_program("staging")

    assert {each.urn.split("::")[0] for each in graph.resources} == {"urn:pulumi:staging"}
    assert {each.urn.split("::")[1] for each in graph.resources} == {"sm-realtime"}
    pool = next(each for each in graph.resources if each.type == "azure-native:containerservice:AgentPool")
    assert pool.urn.split("::")[2] == "sm-realtime:azure:NodePool$azure-native:containerservice:AgentPool"


def test_nothing_that_is_recorded_comes_of_what_a_run_leaves_out(sandbox: Graph) -> None:
    with patch("tests.unit.graph.sparing", nullcontext):
        whole = run_program("sandbox")
    assert {each.urn: each for each in whole.resources} == {each.urn: each for each in sandbox.resources}
