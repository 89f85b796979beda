"""Values as a tree: reading, setting and removing by path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operations.importing.reading import Plain

Path = tuple[str | int, ...]


AGENTS = ("proxy", "agentAPI", "configMap", "data")
"""A map of agents, each a map or JSON text, which is the same."""

AGENT_TEXTS = (
    "agent_id", "name", "version", "language", "domain", "content", "sounds_like", "preset", "url", "model", "prompt",
    "first_message", "persona", "style", "context",
)  # fmt: skip
"""Keys of an agent that hold text (contract: proxy 7.1); no schema says so."""


class _Gone:
    """What stands where nothing does."""


GONE = _Gone()


def get(tree: Any, path: Path) -> Any:
    """The value at a path, or GONE."""
    for part in path:
        listed = isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        if not listed and not (isinstance(tree, dict) and part in tree):
            return GONE
        tree = tree[part]
    return tree


def put(tree: Any, path: Path, value: Any) -> None:
    """Set the value at a path. Maps above that are not there, or null as an empty line makes them, are made."""
    *above, last = path
    for part in above:
        if isinstance(tree, dict) and tree.get(part) is None:
            tree[part] = {}
        tree = tree[part]
    tree[last] = value


def remove(tree: Any, path: Path) -> None:
    """Take a value out, and the maps above that hold nothing then."""
    *above, last = path
    parent = get(tree, tuple(above))
    del parent[last]
    if parent == {} and above:
        remove(tree, tuple(above))


def leaves(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every path that holds a value; lists and empty maps are values."""
    if isinstance(tree, dict) and (tree or not path):
        for key, each in tree.items():
            yield from leaves(each, (*path, key))
    else:
        yield path, tree


def copied(tree: Any) -> Any:
    """The same in maps and lists of its own: what an anchor puts in two places is two things."""
    if isinstance(tree, dict):
        return {key: copied(each) for key, each in tree.items()}
    return [copied(each) for each in tree] if isinstance(tree, list) else tree


def settled(tree: Any, path: Path = ()) -> Any:
    """The values as plain data: what Helm makes of a number or a word, but its text where an agent has text."""
    if isinstance(tree, dict):
        return {key: settled(each, (*path, key)) for key, each in tree.items()}
    if isinstance(tree, list):
        return [settled(each, path) for each in tree]
    if isinstance(tree, Plain):
        return tree.text if path[: len(AGENTS)] == AGENTS and path[-1] in AGENT_TEXTS else tree.value
    return tree
