"""The stack file as text: keys in the schema's order, every text quoted that a YAML reader could take for more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from stacks.problem import PROJECT
from stacks.schema import Settings

BARE = re.compile(r"[A-Za-z_/]([A-Za-z0-9_./-]|:(?=[A-Za-z]))*")
WORDS = re.compile(r"y|n|yes|no|on|off|true|false|null|nan|inf", re.I)
OF_PULUMI = ("secretsprovider", "encryptedkey", "encryptionsalt")


class _Dumper(yaml.SafeDumper):
    """Block style, text in quotes wherever there is a doubt."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    if "\n" in value and not re.search(r"[ \t]\n|^[ \t\n]", value):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
    bare = BARE.fullmatch(value) and not WORDS.fullmatch(value)
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if bare else '"')


_Dumper.add_representer(str, _text)


def text(document: dict[str, Any], head: Sequence[str], before: dict[str, Any]) -> str:
    """The file. `before` is what stands there already: its secrets and its encryption stay."""
    order = [field.alias or name for name, field in Settings.model_fields.items()]
    keys = sorted(document, key=lambda key: (order.index(key) if key in order else len(order), key))
    config: dict[str, Any] = {"pulumi:disable-default-providers": ["*"]}
    config |= {f"{PROJECT}:{key}": document[key] for key in keys}
    config |= {key: value for key, value in (before.get("config") or {}).items() if _is_secret(value)}
    whole = {"config": config, **{key: before[key] for key in OF_PULUMI if key in before}}
    lines = ["# yaml-language-server: $schema=schema.json", *(f"# {line}".rstrip() for line in head)]
    body: str = yaml.dump(whole, Dumper=_Dumper, sort_keys=False, width=4000, allow_unicode=True)
    return "\n".join(lines) + "\n" + body


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}
