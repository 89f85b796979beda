"""A values file as Helm would read it, but that unquoted words and numbers keep their text.

`no` in a list of languages is a language, `tag: 1.10` is not `1.1`: what an unquoted scalar means is decided where it
is used, by the type of the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from stacks.problem import Problem

WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
OTHER_WHOLE = re.compile(r"[-+]?0(o?[0-7]+|x[0-9a-fA-F]+|b[01]+)")
FRACTION = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
TRUE, FALSE = ("y", "yes", "on"), ("n", "no", "off")
"""What Helm's YAML takes for booleans beside `true` and `false`, in any of three spellings."""


@dataclass(frozen=True)
class Plain:
    """An unquoted scalar that YAML takes for more than text."""

    text: str
    value: Any
    """What Helm would make of it."""


class ValuesError(Exception):
    """A values file that cannot be read, with what, where, why and the mend."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class _Loader(yaml.SafeLoader):
    """Anchors and merges as usual, scalars by `plain`, no key twice."""


_Loader.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [each for each in resolvers if each[0].endswith((":null", ":merge"))])
}


def plain(text: str) -> Any:
    """What an unquoted scalar is."""
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return Plain(text, text.lower() == "true")
    if text.lower() in TRUE + FALSE and text in (text.lower(), text.title(), text.upper()):
        return Plain(text, text.lower() in TRUE)
    if WHOLE.fullmatch(text):
        return Plain(text, int(text))
    if OTHER_WHOLE.fullmatch(text):
        return Plain(text, _other_whole(text))
    if FRACTION.fullmatch(text):
        return Plain(text, float(text))
    return text


def _other_whole(text: str) -> int:
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    base = {"x": 16, "b": 2}.get(digits[1], 8)
    return sign * int(digits.removeprefix("0x").removeprefix("0b").removeprefix("0o"), base)


def _scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    text = loader.construct_scalar(node)
    return plain(text) if node.style is None and isinstance(text, str) else text


def _map(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
    own: set[str] = set()
    for key, _ in node.value:
        if key.tag.endswith(":merge"):
            continue
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is no text", key.start_mark)
        if key.value in own:
            raise yaml.constructor.ConstructorError(None, None, f"`{key.value}` stands here twice", key.start_mark)
        own.add(key.value)
    loader.flatten_mapping(node)
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


_Loader.add_constructor("tag:yaml.org,2002:str", _scalar)
_Loader.add_constructor("tag:yaml.org,2002:map", _map)


def read(text: str, name: str) -> dict[str, Any]:
    """The values. Raises `ValuesError` for what is no values file; `name` is how it is called."""
    try:
        documents = list(yaml.load_all(text, _Loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        reason = str(getattr(error, "problem", None) or "it is no YAML")
        raise ValuesError(Problem(where, "no-yaml", reason, "correct the line named, then run this again")) from error
    except RecursionError as error:
        raise ValuesError(Problem(f"{name}:1", "no-yaml", "an anchor refers to itself", "write it out")) from error
    if len(documents) > 1:
        reason = f"it holds {len(documents)} documents; Helm reads one"
        raise ValuesError(Problem(f"{name}:1", "no-values", reason, "keep one, without `---` after it"))
    values = documents[0] if documents else None
    if values is None:
        return {}
    if not isinstance(values, dict):
        reason = "its top is no map of keys, as `helm get values` prints one"
        raise ValuesError(Problem(f"{name}:1", "no-values", reason, "helm get values RELEASE -o yaml > values.yaml"))
    return values
