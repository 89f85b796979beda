"""Node labels of the values that no node of this program's pools has, taken out: a pod would wait for one for ever."""

from __future__ import annotations

from typing import Any

from operations.importing.tree import get, remove
from stacks.node_labels import known
from stacks.problem import Problem
from stacks.schema.paths import dotted, places


def unknown_labels(values: dict[str, Any]) -> list[Problem]:
    """What is left out of every selector of nodes; what is said of affinities is the loader's."""
    problems = []
    for place in places("nodeSelector"):
        steps = tuple(place.split("."))
        selector = get(values, steps)
        for key in [key for key in selector if not known(key)] if isinstance(selector, dict) else []:
            remove(values, (*steps, key))
            reason = (
                f"no node here has the label `{key}`, so the pods would wait for one for ever: nodes have the labels "
                "of Kubernetes and of AKS, and the program chooses the pool by its own"
            )
            mend = "it is left out; for nodes of their own: a pool in pools.further, named in `pool` beside this"
            problems.append(Problem(dotted((*steps, key)), "no-such-node", reason, mend))
    return problems
