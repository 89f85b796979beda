"""The recorded graph is of the stack that was asked for, whatever else this process has run."""

from __future__ import annotations

import threading

from pulumi.runtime.settings import SETTINGS

from tests.unit.graph import run_program


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
